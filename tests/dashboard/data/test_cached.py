"""The bundles that the sidebar offers."""

import os

from dashboard.data.cached import bundle_paths
from db.layout import MANIFEST


def test_a_name_that_is_not_utf_8_can_be_shown(tmp_path, monkeypatch):
    """One such folder beside the bundle made every page a traceback."""
    for name in (b"mine", b"caf\xe9"):
        folder = tmp_path / os.fsdecode(name)
        folder.mkdir()
        (folder / MANIFEST).write_text("{}")
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(tmp_path / "mine"))

    assert list(bundle_paths()) == ["mine", r"caf\xe9"]


def test_the_present_folder_has_its_name_and_stands_there_once(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / MANIFEST).write_text("{}")
    monkeypatch.chdir(tmp_path / "mine")
    monkeypatch.setenv("HEADLIGHT_BUNDLE", ".")

    assert list(bundle_paths()) == ["mine"]
