"""`headlight demo`: from nothing to the demo bundle, in any folder."""

from pathlib import Path

import pytest

from db.connection import open_bundle
from headlight.__main__ import main
from precompute import demo


def test_a_demo_bundle_that_is_there_is_not_built_again(small_bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bundles").mkdir()
    Path("bundles/demo").symlink_to(small_bundle)

    assert main(["demo", "--no-view"]) == 0
    assert sorted(path.name for path in Path("bundles").iterdir()) == ["demo"]


@pytest.mark.slow
def test_scenes_are_drawn_and_all_demo_models_decomposed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    few = ["--count", "40", "--layers", "1", "--rotations", "19", "--replicates", "4", "--no-controls"]

    assert main(["demo", "--no-view", *few]) == 0

    models = open_bundle("bundles/demo").manifest["models"]
    assert {model["model"] for model in models} == set(demo.MODELS)
    assert len(list(Path("bundles/.demo.drawn/scenes").glob("*.png"))) == 40
