"""Validation of the planted model, by the whole pipeline, gives what was planted."""

import pytest

from db.connection import Bundle, open_bundle, query
from precompute.demo.planted import folder as planted_folder
from precompute.demo.planted.answers import ABOUT, falls
from precompute.demo.planted.expected import DECOMPOSED, TOLERANCE, WEIGHTS
from precompute.pipeline import run as pipeline_run
from tests.conftest import small_config
from tests.support.planted import choice

pytestmark = pytest.mark.slow

STUDY = "mean_ablation"
COLOR, SHAPE, POSITION, RELAY = (1, 0), (1, 1), (2, 0), (2, 1)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    from precompute.demo.__main__ import main

    folder = tmp_path_factory.mktemp("planted")
    main(["planted", "--out", str(folder)])
    config = small_config(
        folder / planted_folder.IMAGES,
        folder / planted_folder.TEXTS,
        folder / "bundle",
        models=(choice(folder),),
        metadata=folder / planted_folder.ATTRIBUTES,
        prompts=folder / planted_folder.PROMPTS,
        picks=20,
        rotations=99,
        shard_size=512,
        validation=True,
    )
    return open_bundle(pipeline_run.run(config))


def score(bundle, study: str, subject_kind: str, attribute: str = "", **more) -> float:
    keys = {"study": study, "subject_kind": subject_kind, "attribute": attribute, "effect": "", "k": 0} | more
    where = " and ".join(f"{name} = ${name}" for name in keys)
    [value] = query(bundle, f"select value from validation_score where {where}", keys).value
    return float(value)


@pytest.mark.parametrize("effect", ["forward", "direct"])
def test_every_head_costs_every_attribute_what_was_planted(bundle, effect):
    rows = query(bundle, "select * from head_validation").set_index(["layer", "head", "attribute"])

    assert len(rows) == len(DECOMPOSED) * len(WEIGHTS)
    for place in DECOMPOSED:
        for attribute in WEIGHTS:
            expected = falls(place, attribute)[effect]
            assert rows.loc[(*place, attribute), effect] == pytest.approx(expected, abs=TOLERANCE)


def test_a_head_that_writes_nothing_costs_nothing(bundle):
    rows = query(bundle, "select * from head_validation where head = 3")

    costs = ["forward", "direct", "forward_accuracy", "direct_accuracy"]
    assert (rows[costs] == 0).all(axis=None)


def test_the_relay_costs_less_than_the_head_it_reads_and_removing_both_costs_most(bundle):
    """L2.H1 passes on what L1.H1 wrote: direct effects add up, the forward effect of L1.H1 holds both."""
    rows = query(bundle, "select * from head_validation where attribute = 'shape'").set_index(
        ["layer", "head"]
    )

    assert rows.forward[1, 1] > rows.direct[1, 1] + 0.1
    assert rows.forward[1, 1] == pytest.approx(rows.direct[1, 1] + rows.direct[2, 1], abs=2e-3)


def test_heads_go_with_what_they_are_about_and_with_nothing_else(bundle):
    rows = query(bundle, "select * from head_validation").set_index(["layer", "head", "attribute"])

    for place, about in ABOUT.items():
        for attribute in WEIGHTS:
            expected = 1 if attribute == about else 0
            assert rows.loc[(*place, attribute), "selectivity"] == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize(("method", "k"), [("variance_share", 10), ("enrichment", 5), ("enrichment", 10)])
def test_every_label_is_right_and_the_commonest_answer_is_not(bundle, method, k):
    of_method = {"method": method, "k": k}
    assert score(bundle, "labels", "label_method", measure="right", **of_method) == 1
    assert score(bundle, "labels", "label_method", measure="right_strong", **of_method) == 1
    assert score(bundle, "labels", "baseline", measure="right") == pytest.approx(1 / 3)
    assert score(bundle, "labels", "label_method", measure="heads_strong", **of_method) == len(ABOUT)


def test_neighbors_through_a_head_share_what_it_is_about(bundle):
    chance = query(
        bundle, "select * from validation_score where study = 'neighbors' and subject_kind = 'embedding'"
    )
    chance = chance.set_index("attribute").chance

    for (layer, head), about in {
        COLOR: "color",
        SHAPE: "shape",
        POSITION: "position",
        RELAY: "shape",
    }.items():
        place = {"layer": layer, "head": head, "k": 10}
        for comparison in ("cosine", "dot"):
            assert score(bundle, "neighbors", "head", about, comparison=comparison, **place) == 1
        for other in set(WEIGHTS) - {about}:
            near = score(bundle, "neighbors", "head", other, comparison="cosine", **place)
            assert near < chance[other] + 0.1


@pytest.mark.parametrize("effect", ["forward", "direct"])
def test_removing_what_is_labeled_with_an_attribute_costs_that_attribute_alone(bundle, effect):
    """Color has an early head that is not taken away, so nothing of it is lost."""
    for name in ("shape", "position"):
        assert score(bundle, STUDY, "property", name, effect=effect, property=name) <= 0.5
        for other in set(WEIGHTS) - {name}:
            assert score(bundle, STUDY, "property", other, effect=effect, property=name) == 1
            assert score(bundle, STUDY, "nothing", other) == 1


def test_the_first_texts_of_every_head_hold_all_it_says_of_the_attributes(bundle):
    """Three colors and positions, five shapes: so many texts, and nothing more is needed."""
    assert score(bundle, STUDY, "texts", k=1, effect="forward") < 0.9
    assert score(bundle, STUDY, "texts", "position", k=2, effect="forward") == 1
    assert score(bundle, STUDY, "texts", k=5, effect="forward") == 1
