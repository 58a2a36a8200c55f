"""`headlight demo`: from nothing to the demo bundle, in any folder."""

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from db.connection import open_bundle, query
from headlight.__main__ import main
from headlight.demo import demo_options
from precompute import demo
from precompute.pipeline import options
from tests.support.paths import ROOT

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


SLOW_TO_END = """
import sys, time
try:
    print("begun", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.5)
    print("ended by itself")
    sys.exit(130)
"""


@pytest.mark.slow
def test_ctrl_c_leaves_the_end_to_the_run(tmp_path):
    (tmp_path / "slow_to_end.py").write_text(SLOW_TO_END)
    command = [sys.executable, "-c", "from headlight import demo; exit(demo._python('slow_to_end'))"]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    demo_run = subprocess.Popen(command, env=environment, text=True, start_new_session=True, **pipes)
    assert demo_run.stdout.readline() == "begun\n"

    os.killpg(demo_run.pid, signal.SIGINT)

    said, _ = demo_run.communicate(timeout=30)
    assert (said, demo_run.returncode) == ("ended by itself\n", 130)


@pytest.mark.slow
def test_scenes_are_drawn_and_all_demo_models_decomposed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    few = ["--count", "40", "--layers", "1", "--rotations", "19", "--replicates", "4", "--no-controls"]
    few += ["--gallery-images", "4", "--masked-images", "4", "--validation-images", "20"]

    assert main(["demo", "--no-view", *few]) == 0

    bundle = open_bundle("bundles/demo")
    assert {model["model"] for model in bundle.manifest["models"]} == set(demo.IN_BUNDLE)
    studies = query(
        bundle, "select study, count(distinct model_key) as n from validation_score group by study"
    )
    assert dict(studies.itertuples(index=False, name=None)) == dict.fromkeys(STUDIES, len(demo.IN_BUNDLE))
    assert len(list(Path("bundles/.demo.drawn/scenes").glob("*.png"))) == 40
