"""Models against what is known of them, and coverage by component."""

from contextlib import closing
from math import nan

import pytest

from dashboard.data import cached, leaderboard_facts
from dashboard.data.leaderboard import MODEL
from db.connection import open_bundle
from tests.support.boards import ALPHA, BETA, DELTA, GAMMA, SHARED
from tests.support.standings import standing


def test_images_of_little_range_are_counted_where_that_is_known(opened, tiny_bundle):
    assert leaderboard_facts.flat_images(opened).startswith("3 of ")
    with closing(open_bundle(tiny_bundle)) as unknown:
        assert leaderboard_facts.flat_images(unknown) == ""


@pytest.mark.parametrize(
    ("fact", "x"),
    [
        ("parameters", {ALPHA: 150, BETA: 430, GAMMA: 150}),
        ("patch_size", {ALPHA: 16, BETA: 14, GAMMA: 32}),
        ("training_data", {ALPHA: "data A", BETA: "data B", GAMMA: leaderboard_facts.UNKNOWN}),
    ],
)
def test_models_stand_against_what_is_known_of_them(opened, fact, x):
    points, left_out = leaderboard_facts.beside(standing(opened), fact)

    models = points[points["part"] == MODEL]
    assert dict(zip(models["model_key"], models["x"], strict=True)) == x
    assert left_out == ["delta/four"], "imported, without this metric"
    controls = points[points["part"] != MODEL]
    assert set(controls["x"]) == {x[ALPHA]}, "controls stand where their model stands"


def test_a_model_of_unknown_size_is_left_out_by_name(opened):
    found = standing(opened, SHARED)

    assert leaderboard_facts.beside(found, "parameters")[1] == ["delta/four"]
    assert leaderboard_facts.beside(found, "training_data")[1] == []


@pytest.fixture
def parts(opened):
    return leaderboard_facts.coverage(cached.source(opened, "board", ALPHA))


def test_coverage_holds_every_component_from_the_last_layer_down_to_the_input(parts):
    assert list(dict.fromkeys(parts["row"])) == ["L2", "L1", "L0", "input"]
    assert parts["percent"].sum() == pytest.approx(100)
    heads = parts[parts["kind"] == leaderboard_facts.HEADS].set_index("name")
    assert heads["percent"].to_dict() == pytest.approx({"L2.H0": 30, "L2.H1": -2, "L1.H0": 10, "L1.H1": 5})
    assert heads.loc["L2.H1", "label"] == "count?"


def test_the_heads_of_a_layer_are_summed_with_their_signs(parts):
    sums = leaderboard_facts.coverage_sums(parts).set_index("row")

    assert sums.loc["L2"].tolist()[:2] == pytest.approx([28, 30])
    assert sums["attention"].to_dict() == pytest.approx(
        {"L2": 28, "L1": 15, "L0": 5, "input": nan}, nan_ok=True
    )
    assert sums["together"].to_dict() == pytest.approx({"L2": 58, "L1": 25, "L0": 10, "input": 7})
    said = leaderboard_facts.coverage_words(parts)
    assert said == "heads 43.0 %, attention (not split into heads) 5.0 %, MLP 45.0 %, input 7.0 %"


def test_imported_results_have_no_coverage(opened):
    assert leaderboard_facts.coverage(cached.source(opened, "board", DELTA)).empty
