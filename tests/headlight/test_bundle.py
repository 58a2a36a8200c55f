"""`headlight.open`: the Python API over bundles whose answers are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal

import headlight
from dashboard.data import cached, maps
from dashboard.data.neighbors import neighbors_of_image, neighbors_of_text
from dashboard.state.views import Scope, TopicView
from tests.conftest import CONTROL
from tests.support.bundles import CONTROL_KEY, GALLERY, IMAGE_IDS, MODEL_KEY, PAIRS, TEXTS

TEXT = next(iter(TEXTS))

NAME = "tiny/known"


@pytest.fixture(scope="module")
def bundle(tiny_bundle):
    with headlight.open(tiny_bundle) as opened:
        yield opened


@pytest.fixture(scope="module")
def source(tiny_bundle):
    """The same bundle as the dashboard's pages read it."""
    return cached.source(cached.bundle(tiny_bundle), "tiny", MODEL_KEY)


def test_the_default_is_the_bundle_that_the_dashboard_serves(tiny_bundle, monkeypatch, tmp_path):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(tiny_bundle))
    assert len(headlight.open().models()) == 2

    monkeypatch.delenv("HEADLIGHT_BUNDLE")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(headlight.UserError, match="no bundle at .*bundles/demo"):
        headlight.open()


def test_a_model_is_named_by_name_or_key(bundle):
    assert_frame_equal(bundle.heads(NAME), bundle.heads(MODEL_KEY))
    assert bundle.models()["model_key"].tolist() == [MODEL_KEY, CONTROL_KEY]
    with pytest.raises(headlight.UserError, match='"tiny/other" .* tiny/known'):
        bundle.heads("tiny/other")


@pytest.mark.parametrize("head", ["L1.H1", "l1.h1 ", (1, 1), np.array([1, 1])])
def test_a_head_is_named_in_any_of_its_ways(bundle, head):
    assert_array_equal(bundle.coordinates(NAME, head).values, bundle.coordinates(NAME, PAIRS[1]).values)


@pytest.mark.parametrize("head", ["H1", "L9.H9", (9, 9), (1,)])
def test_a_head_that_is_not_there_is_refused_with_what_to_write(bundle, head):
    for question in (bundle.coordinates, bundle.basis, bundle.head_texts):
        with pytest.raises(headlight.UserError, match=r"L1\.H0|L11\.H3"):
            question(NAME, head)


def test_heads_are_chosen_by_label_and_support(bundle):
    assert bundle.heads(NAME, label="color")["name"].tolist() == ["L1.H0", "L1.H1"]
    assert bundle.heads(NAME, supported=True)["supported"].all()
    assert len(bundle.heads(NAME, supported=True)) + len(bundle.heads(NAME, supported=False)) == len(PAIRS)


def test_tables_are_those_of_the_bundle(bundle):
    assert bundle.head_texts(NAME, PAIRS[0])["text"].tolist() == list(TEXTS)[:3]
    assert bundle.labels(NAME, PAIRS[0])["label"].iloc[0] == "color"
    assert "entanglement" in set(bundle.metrics()["metric"])
    assert set(bundle.leaderboard()["model_key"]) == {MODEL_KEY, CONTROL_KEY}
    assert set(bundle.images()["image_id"]) == set(IMAGE_IDS)
    assert set(bundle.images(NAME).query("has_tokens")["image_id"]) == set(GALLERY)


def test_two_models_are_compared_head_by_head(bundle):
    found = bundle.compare(NAME, "tiny/random")

    assert found.heads[["layer", "head", "other_layer", "other_head"]].to_numpy().tolist()[0] == [1, 0, 2, 1]
    entanglement = found.metrics.set_index(["metric", "heads_used"]).loc[("entanglement", "all")]
    assert entanglement[["value", "other_value", "difference"]].tolist() == [0.5, 0.25, 0.25]
    # Replicates of 0.4, 0.5, 0.6 and of -0.05, 0.05, 0.15 differ by the same in every replicate.
    assert entanglement[["low", "high"]].tolist() == pytest.approx([0.25, 0.25])
    consistency = found.head_metrics.query("metric == 'ccs'")
    assert consistency["difference"].tolist() == [3, 1, -1, -3] and consistency["sure"].all()
    same_place = bundle.compare(NAME, CONTROL_KEY, pairing="place").head_metrics.query("metric == 'ccs'")
    assert (same_place["difference"] == 0).all() and not same_place["sure"].any()


@pytest.mark.parametrize(
    ("other", "pairing"), [(NAME, "best"), (CONTROL_KEY, "nearest"), ("tiny/other", "best")]
)
def test_a_comparison_that_is_none_is_refused(bundle, other, pairing):
    with pytest.raises(headlight.UserError, match="Give two|best, place|It has: tiny/known"):
        bundle.compare(NAME, other, pairing=pairing)


def test_sql_takes_parameters_and_reads_only(bundle):
    rows = bundle.sql("select count(*) as n from head where model_key = $key", key=MODEL_KEY)

    assert rows["n"].tolist() == [len(PAIRS)]
    for refused in ("drop table head", "select 1; select 2", "select * from read_csv('/etc/passwd')"):
        with pytest.raises(headlight.UserError):
            bundle.sql(refused)


def test_contributions_of_all_heads_and_the_rest_sum_to_the_embedding(bundle):
    image_id, embedding = bundle.embeddings(NAME)
    parts = np.zeros_like(embedding)
    for head in bundle.heads(NAME)["name"]:
        basis, mean = bundle.basis(NAME, head)
        parts += (bundle.coordinates(NAME, head).values + mean) @ basis

    for image in GALLERY:
        row = image_id.index(image)
        np.testing.assert_allclose(
            parts[row] + bundle.tokens(NAME, image).rest, embedding[row], rtol=0, atol=1e-3
        )


@pytest.mark.parametrize("metric", ["cosine", "dot"])
@pytest.mark.parametrize(
    ("asked", "heads"), [({"head": "L1.H0"}, PAIRS[:1]), ({"label": "color"}, PAIRS[:2])]
)
def test_neighbors_of_an_image_are_those_of_the_page(bundle, source, asked, heads, metric):
    rows = bundle.neighbors(NAME, image=IMAGE_IDS[3], k=5, metric=metric, **asked)

    assert_frame_equal(rows, neighbors_of_image(source, IMAGE_IDS[3], tuple(heads), metric, 5))
    assert IMAGE_IDS[3] not in set(rows["image_id"])


@pytest.mark.parametrize("metric", ["cosine", "dot"])
def test_neighbors_of_a_text_are_those_of_the_page(bundle, source, metric):
    rows = bundle.neighbors(NAME, text=f" {TEXT} ", head=PAIRS[1], k=5, metric=metric)

    assert_frame_equal(rows, neighbors_of_text(source, TEXT, PAIRS[1], metric, 5)[0])


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "an image or a text"),
        ({"image": IMAGE_IDS[0], "text": TEXT, "head": (1, 0)}, "one of each pair"),
        ({"image": IMAGE_IDS[0], "label": "smell"}, "Labels are: color"),
        ({"text": TEXT, "label": "color"}, "this label has L1.H0, L1.H1. Give head="),
        ({"image": IMAGE_IDS[0], "head": (1, 0), "metric": "l2"}, "Give one of cosine, dot"),
        ({"image": "0123456789abcdef", "head": (1, 0)}, "0123456789abcdef.* Path"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(bundle, asked, says):
    with pytest.raises(headlight.UserError, match=says):
        bundle.neighbors(NAME, **asked)


@pytest.mark.parametrize(("heads", "scope"), [(None, Scope("all")), ("L1.H0", Scope.of_heads(PAIRS[0]))])
@pytest.mark.parametrize("relative", [False, True])
def test_a_map_has_the_numbers_of_the_page(bundle, source, heads, scope, relative):
    topic_map = bundle.topic_map(NAME, GALLERY[1], TEXT, heads, relative=relative)
    reference = "relative" if relative else "absolute"
    view = TopicView(image=GALLERY[1], text=TEXT, heads=scope, reference=reference, control="none")
    page = maps.topic(source, view)

    assert_array_equal(topic_map.grid, page.panels[0].map.grid)
    assert topic_map.parts == page.panels[0].map.parts
    assert_array_equal(np.asarray(topic_map.picture), np.asarray(page.picture))


def test_a_map_through_several_heads_is_the_sum_of_theirs(bundle):
    names = ["L1.H0", (2, 1)]
    both = bundle.topic_map(NAME, GALLERY[0], TEXT, names)
    each = [bundle.topic_map(NAME, GALLERY[0], TEXT, name) for name in names]

    np.testing.assert_allclose(both.grid, sum(one.grid for one in each))
    assert both.draw().size == (448, 448)


def test_an_image_without_maps_is_refused_with_what_to_do(bundle):
    without = next(image for image in IMAGE_IDS if image not in GALLERY)

    with pytest.raises(headlight.UserError, match="has_tokens, or the Path of its file"):
        bundle.topic_map(NAME, without, TEXT)


def test_a_file_outside_the_bundle_is_decomposed_like_its_images(small_bundle, scene_folder):
    with headlight.open(small_bundle) as bundle:
        row = bundle.images(CONTROL).query("has_tokens").iloc[0]
        head = bundle.heads(CONTROL)["name"].iloc[-1]
        text = bundle.head_texts(CONTROL, head)["text"].iloc[0]
        stored = bundle.topic_map(CONTROL, row["image_id"], text, head)
        live = bundle.topic_map(CONTROL, scene_folder / row["path"], text, head)
        nearest = bundle.neighbors(CONTROL, image=scene_folder / row["path"], head=head, k=1)

    np.testing.assert_allclose(live.grid, stored.grid, rtol=0, atol=2e-3 * abs(stored.grid).max())
    assert nearest["image_id"].tolist() == [row["image_id"]]
    assert nearest["score"].iloc[0] == pytest.approx(1, abs=1e-3)


def test_a_file_that_is_not_there_is_named(bundle):
    with pytest.raises(headlight.UserError, match="nowhere.png cannot be read"):
        bundle.tokens(NAME, Path("nowhere.png"))


def test_two_models_of_one_name_are_told_apart_by_key(bundle):
    from headlight.names import find_model

    models = pd.DataFrame({"model": ["a/b", "a/b"], "model_key": ["a-b-1", "a-b-2"]})

    assert find_model(models, "a-b-2") == "a-b-2"
    with pytest.raises(headlight.UserError, match="Give a key: a-b-1, a-b-2"):
        find_model(models, "a/b")
