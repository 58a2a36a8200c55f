"""`headlight demo`: from nothing to the demo bundle, in any folder."""

import argparse
from pathlib import Path

import pytest

from db.connection import open_bundle, query
from headlight.__main__ import main
from headlight.demo import demo_options
from precompute import demo
from precompute.pipeline import options

STUDIES = ("labels", "maps", "mean_ablation", "neighbors")


def test_a_demo_bundle_that_is_there_is_not_built_again(small_bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bundles").mkdir()
    Path("bundles/demo").symlink_to(small_bundle)

    assert main(["demo", "--no-view"]) == 0
    assert sorted(path.name for path in Path("bundles").iterdir()) == ["demo"]


def test_the_demo_is_scored_against_what_is_known_of_its_pictures():
    parser = argparse.ArgumentParser()
    options.add_options(parser)

    config = options.run_config(parser.parse_args(demo_options(Path("scenes"), Path("out"))))

    assert config.validation and config.masks == Path("scenes/masks.csv")
    assert config.masked_images and config.gallery_images == 240 and config.at_once >= 1


@pytest.mark.slow
def test_scenes_are_drawn_and_all_demo_models_decomposed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    few = ["--count", "40", "--layers", "1", "--rotations", "19", "--replicates", "4", "--no-controls"]
    few += ["--gallery-images", "4", "--masked-images", "4", "--validation-images", "20"]

    assert main(["demo", "--no-view", *few]) == 0

    bundle = open_bundle("bundles/demo")
    assert {model["model"] for model in bundle.manifest["models"]} == set(demo.MODELS)
    studies = query(
        bundle, "select study, count(distinct model_key) as n from validation_score group by study"
    )
    assert dict(studies.itertuples(index=False, name=None)) == dict.fromkeys(STUDIES, len(demo.MODELS))
    assert len(list(Path("bundles/.demo.drawn/scenes").glob("*.png"))) == 40
