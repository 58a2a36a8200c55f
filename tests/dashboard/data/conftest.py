"""The leaderboard written by hand, opened."""

import pytest

from db.connection import open_bundle


@pytest.fixture(scope="session")
def opened(board):
    bundle = open_bundle(board)
    yield bundle
    bundle.close()
