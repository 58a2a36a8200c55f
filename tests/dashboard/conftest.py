"""The dashboard's tests clear its cache often; a bundle stays open, as in a server."""

from pathlib import Path

import pytest

from dashboard.data import cached
from db.connection import Bundle, is_current
from db.layout import DATABASE
from tests.support import boards


@pytest.fixture(scope="session", autouse=True)
def _open_once():
    """The bundle that was opened last is not opened and checked again before its files change."""
    last: dict[Path, tuple[int, Bundle]] = {}
    open_checked = cached.open_checked

    def opened(path: Path) -> Bundle:
        changed, bundle = last.pop(path, (0, None))
        if bundle is None or not is_current(bundle) or (path / DATABASE).stat().st_mtime_ns != changed:
            bundle = open_checked(path)
        last.clear()
        if (path / DATABASE).exists():  # else a zip
            last[path] = (path / DATABASE).stat().st_mtime_ns, bundle
        return bundle

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cached, "open_checked", opened)
        yield


@pytest.fixture(scope="session")
def board(tmp_path_factory) -> Path:
    """The leaderboard written by hand, once for all tests; not to be changed."""
    return boards.write_board(tmp_path_factory.mktemp("boards") / "board")


@pytest.fixture(scope="session")
def plain_board(tmp_path_factory) -> Path:
    """The same without replicates and without labels that anybody gave."""
    out = tmp_path_factory.mktemp("boards") / "plain"
    return boards.write_board(out, chosen=False, intervals=False)
