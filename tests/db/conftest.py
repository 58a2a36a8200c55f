"""The tiny bundle, a copy of it, and a place to write."""

import shutil
from pathlib import Path

import pytest

from db import bundle as commands
from db.connection import Bundle, open_bundle


@pytest.fixture(scope="module")
def tiny(tiny_bundle) -> Bundle:
    return open_bundle(tiny_bundle)


@pytest.fixture
def out(tmp_path) -> Path:
    """Where to write; nothing is there."""
    return tmp_path / "demo"


@pytest.fixture
def taken(tiny, out) -> Path:
    """Where to write; the tiny bundle is there, with input_id "tiny"."""
    shutil.copytree(tiny.path, out)
    return out


@pytest.fixture
def copy(tiny, tmp_path) -> Path:
    """A copy of the tiny bundle, to be harmed."""
    return shutil.copytree(tiny.path, tmp_path / "copy")


@pytest.fixture(scope="module")
def packed(tiny, tmp_path_factory) -> Path:
    """The tiny bundle as a zip, not to be changed."""
    out = tmp_path_factory.mktemp("packed") / "demo.zip"
    assert commands.main(["zip", str(tiny.path), str(out)]) == 0
    return out


@pytest.fixture
def zip_file(packed, tmp_path) -> Path:
    """A copy of the zip, to be changed."""
    return shutil.copy(packed, tmp_path / "demo.zip")
