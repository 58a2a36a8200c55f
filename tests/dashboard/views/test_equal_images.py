"""Twelve files with equal pixels: nothing varies, and no page shows rounding as a number."""

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from streamlit.testing.v1 import AppTest

from db import queries, vectors
from db.connection import open_bundle, query
from db.verify import problems
from precompute.pipeline import run as pipeline_run
from precompute.runtime.method_versions import METHOD_VERSIONS
from tests.conftest import small_config
from tests.support.pages import APP

PAGES = ["start", "leaderboard", "heads", "head", "property_search", "image_neighbors", "text_neighbors"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, pool_file):
    folder = tmp_path_factory.mktemp("equal")
    pixels = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    for number in range(12):
        note = PngImagePlugin.PngInfo()
        note.add_text("number", str(number))
        Image.fromarray(pixels).save(folder / f"{number:02}.png", pnginfo=note)
    out = tmp_path_factory.mktemp("made") / "equal"
    # Batches of 5, 5 and 2: sums of a forward pass depend on the size of the batch.
    return pipeline_run.run(small_config(folder, pool_file, out, metadata=None, shard_size=5))


def test_importances_are_zero_and_no_label_is_supported(bundle):
    opened = open_bundle(bundle)

    heads = query(opened, "select importance from head")
    labels = query(opened, "select supported, carrying_picks, p_value from head_label")

    assert set(heads["importance"]) == {0.0}
    assert len(query(opened, "select * from head_text")) == 0
    assert not labels["supported"].any()
    assert set(labels["carrying_picks"]) == {0}
    assert set(labels["p_value"]) == {1.0}


def test_the_rule_of_the_labels_is_stored_with_its_version(bundle):
    [rule] = query(open_bundle(bundle), "select label_rule from model")["label_rule"]

    assert rule == f"variance share {METHOD_VERSIONS['labels']}"


def test_coverage_spanned_variance_and_stability_are_not_defined(bundle):
    opened = open_bundle(bundle)

    shares = query(opened, "select share from component_share")
    names = "('coverage', 'spanned_variance', 'stability')"
    of_heads = query(opened, f"select value from head_metric where metric in {names}")
    of_model = query(opened, "select value from model_metric where metric like 'coverage%'")

    assert shares["share"].isna().all()
    assert len(of_heads) and of_heads["value"].isna().all()
    assert len(of_model) == 4 and of_model["value"].isna().all()


def test_stored_coordinates_are_zero_and_nothing_contradicts(bundle):
    opened = open_bundle(bundle)
    key = queries.models(opened)["model_key"].iloc[0]
    heads = query(opened, "select layer, head from head").itertuples(index=False)

    _, coordinates = vectors.image_coordinates(opened, key, None, [tuple(head) for head in heads])

    assert coordinates.shape[0] == 12 and not coordinates.any()
    assert problems(bundle) == []


@pytest.fixture(scope="module")
def app(bundle):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADLIGHT_BUNDLE", str(bundle))
        yield AppTest.from_file(APP, default_timeout=60).run()


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens(app, page):
    app.switch_page(f"views/{page}.py").run()

    assert [element.message for element in app.exception] == []


def test_the_page_of_a_head_says_that_it_does_not_vary(app):
    app.switch_page("views/head.py").run()

    assert any("does not vary" in element.value for element in app.info)
    assert any("no text carries it" in element.value for element in app.markdown)


def test_the_leaderboard_says_that_coverage_has_no_shares(app):
    app.switch_page("views/leaderboard.py").run()

    assert any("same embedding" in element.value for element in app.info)
