"""A demo model and its copy that was fine-tuned without colors: Compare shows changed color heads."""

from collections.abc import Iterator

import pandas as pd
import pytest

from dashboard.data import compare
from headlight.bundle import Bundle
from precompute.pipeline import run as pipeline_run
from precompute.runtime.config import ModelChoice
from tests.conftest import small_config
from tests.support.pages import open_page, words
from tests.support.paths import TEXTS

pytestmark = pytest.mark.slow

BEFORE, AFTER = "ViT-emoji-S-16/pictures_1", "ViT-emoji-S-16/no_colors_1"
SCENES, HEADS = 1300, 32


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    from precompute.demo.__main__ import main

    folder = tmp_path_factory.mktemp("fine_tuned")
    main(["scenes", "--out", str(folder / "scenes"), "--count", str(SCENES), "--seed", "12"])
    config = small_config(
        folder / "scenes",
        TEXTS / "demo.tsv",
        folder / "bundle",
        models=(ModelChoice(BEFORE), ModelChoice(AFTER)),
        prompts=TEXTS / "demo_prompts.tsv",
        layers=4,
        picks=20,
        replicates=40,
        shard_size=512,
    )
    return pipeline_run.run(config)


@pytest.fixture(scope="module")
def bundle(path) -> Iterator[Bundle]:
    with Bundle(path) as bundle:
        yield bundle


@pytest.fixture(scope="module")
def pairs(bundle) -> pd.DataFrame:
    return bundle.compare(BEFORE, AFTER).heads


def test_fine_tuned_heads_are_matched_with_themselves(pairs):
    same = pairs["layer"].eq(pairs["other_layer"]) & pairs["head"].eq(pairs["other_head"])

    assert len(pairs) == HEADS and same.sum() >= HEADS - 2


def test_heads_about_colors_are_now_about_something_else_and_those_about_places_are_not(pairs):
    """Fine-tuning changed the outputs of heads about colors more than those of heads about places."""
    kept = pairs["label"].eq(pairs["other_label"]).groupby(pairs["label"]).mean()
    cka = pairs.groupby("label")["cka"].mean()

    assert pairs["label"].eq("color").sum() >= 4 and not pairs["other_label"].eq("color").any()
    assert kept["color"] == 0 and kept["position"] == kept["background"] == 1
    assert cka["color"] < 0.7 < min(cka["position"], cka["background"])


def test_compare_names_color_as_the_attribute_that_heads_vary_less_with(path, bundle, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(path))
    keys = bundle.models().set_index("model")["model_key"]

    app = open_page("compare", model=keys[BEFORE], other=keys[AFTER], pairing="place")

    changes = compare.attribute_changes(app.session_state["source"], keys[AFTER], "place")
    color = changes.set_index("attribute").loc["color"]
    assert changes["attribute"].iloc[0] == "color" and color["more"] >= 8 and color["less"] == 0
    assert changes["more"].iloc[1:].max() <= color["more"] / 2
    summary = (
        f"Of {HEADS} pairs, this model's head varies more with it in {color['more']:.0f}, the other in 0."
    )
    assert f"Clearest: color. {summary}" in words(app)
