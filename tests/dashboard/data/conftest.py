"""The leaderboard written by hand, opened."""

import pytest

from db.connection import open_bundle
from tests.support import boards


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    bundle = open_bundle(boards.write_board(tmp_path_factory.mktemp("board") / "board"))
    yield bundle
    bundle.close()
