"""The tiny bundle, a copy of it, and a place to write."""

import shutil
from pathlib import Path

import pytest

from db.connection import Bundle, open_bundle
from tests.support import bundles


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Bundle:
    return open_bundle(bundles.write_bundle(tmp_path_factory.mktemp("tiny") / "demo"))


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
