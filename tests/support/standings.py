"""Standings of the leaderboard written by hand."""

from dashboard.data import leaderboard as leaderboard_data
from dashboard.data.leaderboard import MODEL
from tests.support.boards import CONSISTENT


def standing(bundle, metric=CONSISTENT, label_kind="offline", over="all"):
    return leaderboard_data.leaderboard_of(bundle, metric, over, label_kind)


def by_key(found, key, part=MODEL):
    return next(line for line in found.lines if (line.model_key, line.part) == (key, part))
