"""Runs over inputs as people have them: few images, and folders of any name."""

import os
import shutil

import pytest
from streamlit.testing.v1 import AppTest

from db import verify
from db.connection import open_bundle, query
from db.errors import StoreError
from precompute.inputs.images import ImagesError
from precompute.pipeline import run as pipeline_run
from precompute.stages import embed_texts, scan_images
from tests.conftest import small_config
from tests.support.calls import count_calls
from tests.support.paths import ROOT

QUICK = {"layers": 1, "replicates": 0, "metadata": None}


def folder_of(scene_folder, target, count: int, copies: int = 1):
    target.mkdir(parents=True)
    for path in sorted(scene_folder.glob("*.png"))[:count]:
        for number in range(copies):
            shutil.copy(path, target / f"{number}{path.name}")
    return target


def test_one_image_under_many_names_is_refused_before_a_model_is_used(
    scene_folder, pool_file, tmp_path, monkeypatch
):
    photos = folder_of(scene_folder, tmp_path / "photos", 1, copies=3)
    used = count_calls(monkeypatch, embed_texts, "embed_texts")

    with pytest.raises(ImagesError, match="1 image in 3 files.* 2 different .* 640 for intervals"):
        pipeline_run.run(small_config(photos, pool_file, tmp_path / "out", **QUICK))

    assert used == []


def test_two_images_give_a_bundle_whose_pages_open(scene_folder, pool_file, tmp_path, monkeypatch, capsys):
    photos = folder_of(scene_folder, tmp_path / "photos", 2)

    made = pipeline_run.run(small_config(photos, pool_file, tmp_path / "out", **QUICK))

    assert "fewer than 640" in capsys.readouterr().err
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(made))
    app = AppTest.from_file(str(ROOT / "dashboard" / "app.py"), default_timeout=60).run()
    assert not app.switch_page("views/head.py").run().exception


def test_a_run_works_in_a_folder_of_any_name(scene_folder, pool_file, tmp_path):
    """Images and texts may even lie where a name is not UTF-8; the bundle may not."""
    place, foreign = tmp_path / "a[1]* {x}? 50%25\\#'", tmp_path / os.fsdecode(b"caf\xe9\n")
    photos = folder_of(scene_folder, foreign / "photos\udcff", 4)
    texts = shutil.copy(pool_file, foreign / os.fsdecode(b"\xff.tsv"))

    made = pipeline_run.run(small_config(photos, texts, place / "out?", **QUICK))

    assert verify.problems(made) == []
    assert query(open_bundle(made), "select name from image_set").name.tolist() == ["photos\\xff"]
    assert sorted(os.listdir(place)) == [".out?.work", "out?"]
    assert sorted(os.listdir(tmp_path)) == sorted([place.name, foreign.name])


@pytest.mark.parametrize("name", [os.fsdecode(b"\xff"), "x" * 250])
def test_a_bundle_that_could_not_be_written_is_refused_before_the_first_image(
    scene_folder, pool_file, tmp_path, monkeypatch, name
):
    scans = count_calls(monkeypatch, scan_images, "scan")

    with pytest.raises(StoreError, match="Give a"):
        pipeline_run.run(small_config(scene_folder, pool_file, tmp_path / name, **QUICK))

    assert scans == [] and os.listdir(tmp_path) == []
