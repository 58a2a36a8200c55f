"""Reports of the bundles of tests, written once for all tests; not to be changed."""

import io
from pathlib import Path

import pytest

from db.connection import open_bundle
from headlight.report.write import write_report


def written(bundle: Path, out: Path) -> Path:
    opened = open_bundle(bundle)
    try:
        return write_report(opened, out, log=io.StringIO())
    finally:
        opened.close()


@pytest.fixture(scope="session")
def tiny_report(tiny_bundle, tmp_path_factory) -> Path:
    return written(tiny_bundle, tmp_path_factory.mktemp("reports") / "tiny")


@pytest.fixture(scope="session")
def strange_report(tmp_path_factory) -> Path:
    """The report of a bundle in which strangers wrote code wherever they could."""
    from tests.support import strangers

    folder = tmp_path_factory.mktemp("reports")
    return written(strangers.write_bundle(folder / "strange_bundle"), folder / "strange")
