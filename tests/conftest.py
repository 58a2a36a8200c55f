"""Fixtures that several files share: scenes on disk, a small pool, a bundle made by the real pipeline."""

import os
import shutil
import signal
import sys
from pathlib import Path

# Before torch is imported: test processes already share the cores, and the threads of several small models
# only wait for each other. Programs that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

import tests.support.shapes  # noqa: F401

# isort: split

from precompute import demo
from precompute.runtime.config import Config, ModelChoice
from tests.support import bundles

CONTROL = f"{demo.MODEL_NAME}-random-0"
"""The demo model with fresh weights: needs no training and no file."""

POOL = """\
# language: en
# license: CC0-1.0
a picture with red objects\tcolor
a picture with blue objects\tcolor
a drawing of green things\tcolor
a picture with stars\tshape
a picture with circles\tshape
a drawing of hearts\tshape
a picture with two objects\tcount
there are three things\tcount
a picture with two red stars\tcolor|shape|count
"""


OURS = sys.modules["__main__"]

# A shell starts background jobs with Ctrl-C ignored, and they hand that on to every process they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def main_module():
    """AppTest leaves the app as the main module, and worker processes would run it."""
    sys.modules["__main__"] = OURS


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory) -> Path:
    """The tiny bundle, written once for all tests; not to be changed."""
    return bundles.write_bundle(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="session")
def two_models(tmp_path_factory) -> Path:
    """The tiny bundle with fewer heads in its second model, once for all tests; not to be changed."""
    from tests.support.pages import write_two_models

    return write_two_models(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(scope="session")
def scene_folder(tmp_path_factory) -> Path:
    """40 scenes with their attributes, drawn once."""
    from precompute.demo.__main__ import main

    folder = tmp_path_factory.mktemp("scenes")
    main(["scenes", "--out", str(folder), "--count", "40", "--seed", "5"])
    return folder


@pytest.fixture(scope="session")
def pool_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("pool") / "small.tsv"
    path.write_text(POOL, encoding="utf-8")
    return path


def small_config(scene_folder: Path, pool_file: Path, bundle: Path, **changes) -> Config:
    """A run of seconds: one untrained model, two layers, a gallery of eight."""
    options = {
        "models": (ModelChoice(CONTROL),),
        "images": scene_folder,
        "texts": pool_file,
        "bundle": bundle,
        "metadata": scene_folder / "attributes.csv",
        "layers": 2,
        "picks": 6,
        "rotations": 19,
        "replicates": 2,
        "controls": False,
        "gallery_images": 8,
        "shard_size": 16,
        "workers": 0,
    }
    return Config(**(options | changes))


@pytest.fixture(scope="session")
def small_bundle(scene_folder, pool_file, tmp_path_factory) -> Path:
    """A bundle made by the pipeline, once for all tests; not to be changed."""
    from precompute.pipeline import run as pipeline_run

    return pipeline_run.run(small_config(scene_folder, pool_file, tmp_path_factory.mktemp("made") / "small"))


@pytest.fixture
def finished_run(small_bundle, scene_folder, pool_file, tmp_path) -> Config:
    """The options of a run that is over: a copy of the small bundle and of its work files, to be changed."""
    from precompute.pipeline.setup import work_directory

    config = small_config(scene_folder, pool_file, tmp_path / "b")
    shutil.copytree(small_bundle, config.bundle)
    shutil.copytree(work_directory(small_bundle), work_directory(config.bundle))
    return config
