"""The app compares a bundle with its checksums: a damaged one is not shown, and the sidebar says so."""

import shutil
import time

import pytest

from dashboard.data import integrity
from db.connection import open_bundle
from db.layout import DATABASE, VECTORS
from tests.support.bundles import IMAGE_IDS, MODEL_KEY
from tests.support.pages import open_page, said
from tests.support.places import edit


@pytest.fixture
def served(bundle, tmp_path, monkeypatch):
    """A copy of the bundle, to be harmed, as the served one."""
    copy = shutil.copytree(bundle, tmp_path / "tiny")
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(copy))
    return copy


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Waits for every comparison, however busy the machine is."""
    monkeypatch.setattr(integrity, "FIRST_WAIT", 30)


def flip(file) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def sidebar(app) -> str:
    boxes = [*app.sidebar.error, *app.sidebar.warning, *app.sidebar.caption, *app.sidebar.text]
    return "\n".join(box.value for box in boxes)


def test_the_sidebar_says_that_all_files_are_as_they_were_written(served):
    app = open_page("leaderboard")

    assert "all are as they were written" in sidebar(app)
    assert said(app) == ""


@pytest.mark.parametrize("table", ["images", "texts", "heads", "tokens", "classes"])
def test_no_page_of_a_bundle_with_a_flipped_bit_is_drawn(served, table):
    file = next((served / VECTORS / f"{table}__{MODEL_KEY}.lance" / "data").iterdir())
    flip(file)

    app = open_page("leaderboard")

    changed = f"{file.relative_to(served).as_posix()} has changed" in said(app) and "is damaged" in sidebar(
        app
    )
    assert changed or "cannot be read" in said(app)  # where the bit is needed to find the ids
    assert len(app.title) == 0


def test_a_bundle_whose_ids_contradict_each_other_is_not_drawn(served):
    edit(served, f"update image set image_id = '{'f' * 16}' where image_id = '{IMAGE_IDS[0]}'")

    app = open_page("leaderboard")

    assert "which image lacks" in said(app)
    assert len(app.title) == 0


def test_a_file_of_a_person_is_named_beside_the_pages(served):
    (served / "[notes](x).txt").write_text("mine")

    app = open_page("leaderboard")

    assert [box.value for box in app.sidebar.text] == ["[notes](x).txt is not in the manifest"]
    assert len(app.title) == 1


def test_a_result_is_kept_until_a_file_changes(served, monkeypatch):
    compared = []
    compare = integrity.verify.file_problems
    monkeypatch.setattr(
        integrity.verify, "file_problems", lambda path: compared.append(path) or compare(path)
    )
    bundle = open_bundle(served)

    while not integrity.verdict(bundle).done:
        time.sleep(0.01)
    assert integrity.verdict(bundle) == integrity.Verdict(True)
    assert len(compared) == 1

    flip(served / DATABASE)
    while not integrity.verdict(bundle).done:
        time.sleep(0.01)
    assert integrity.verdict(bundle).damage == (f"{DATABASE} has changed (its checksum differs)",)
    assert len(compared) == 2
    bundle.close()
