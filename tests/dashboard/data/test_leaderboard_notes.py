"""Missing values, intervals and ranks have a reason."""

import pytest

from dashboard.data import leaderboard_notes
from db import queries
from db.connection import open_bundle
from tests.support import boards
from tests.support.boards import CIRCULAR, CONSISTENT, MLPS, PLAIN, SHARED
from tests.support.standings import standing


@pytest.fixture(scope="module")
def unrepeated(plain_board):
    bundle = open_bundle(plain_board)
    yield bundle
    bundle.close()


def test_models_measured_in_two_ways_are_not_ranked(opened):
    found = standing(opened, SHARED, "chosen")

    assert SHARED not in found.ranked
    assert CONSISTENT in found.ranked, "it rests on offline labels for all of them"
    assert leaderboard_notes.no_rank(found) == "Only offline labels have ranks."


@pytest.fixture(scope="module")
def two_rules(tmp_path_factory):
    """The board, but the labels of beta were made by an earlier rule."""
    models = boards.facts()
    models.loc[models["model_key"] == boards.BETA, "label_rule"] = "variance share 3"
    out = tmp_path_factory.mktemp("board") / "rules"
    bundle = open_bundle(boards.write(out, models, boards.rows(), boards.rotated()))
    yield bundle
    bundle.close()


def test_models_labeled_by_different_rules_are_not_ranked(two_rules):
    found = standing(two_rules, CONSISTENT)

    assert found.ranked == {}
    assert "variance share 3, variance share 4" in leaderboard_notes.no_rank(found)
    assert queries.leaderboard(two_rules)["rank_low"].isna().all()
    of_beta = queries.leaderboard(two_rules, model_key=boards.BETA)
    assert of_beta["rank_low"].isna().all()


def test_every_missing_value_has_a_reason(opened):
    found = standing(opened)

    reasons = leaderboard_notes.missing_values(found, [CONSISTENT, CIRCULAR, MLPS])

    assert reasons[leaderboard_notes.IMPORTED] == ["delta/four"]
    assert reasons[leaderboard_notes.UNDEFINED] == ["delta/four"], "its consistency is a row without a value"
    assert reasons[leaderboard_notes.ABSENT] == ["beta/two", "random weights of alpha/one", "gamma/three"]
    assert reasons[leaderboard_notes.ROTATED_METRICS] == []
    assert leaderboard_notes.missing_values(found, [SHARED]) == {}


def test_every_missing_interval_has_a_reason(opened):
    consistent = leaderboard_notes.no_intervals(standing(opened))
    shared = leaderboard_notes.no_intervals(standing(opened, SHARED))
    mlps = leaderboard_notes.no_intervals(standing(opened, MLPS))

    assert consistent == {"12 images; an interval needs 640": ["gamma/three"]}
    assert list(shared.values()) == [["delta/four"], ["gamma/three"]]
    assert "imported results cannot be computed again" in next(iter(shared))
    assert list(mlps) == ["this metric is not recomputed from other images and texts"]


def test_labels_that_somebody_gave_have_no_interval_and_say_so(opened):
    reasons = leaderboard_notes.no_intervals(standing(opened, SHARED, "chosen"))

    [reason] = [reason for reason, names in reasons.items() if names == ["beta/two"]]
    assert "a person or a language model gave" in reason


def test_a_bundle_without_replicates_says_so(unrepeated):
    found = standing(unrepeated)

    reasons = leaderboard_notes.no_intervals(found)

    [reason] = [reason for reason, names in reasons.items() if "beta/two" in names]
    assert reason == "the bundle was built without replicates (--replicates)"
    assert leaderboard_notes.no_rank(found) == "No ranks: every trained model needs an interval."


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        (CONSISTENT, ""),
        (PLAIN, "grows with the number of heads"),
        (CIRCULAR, "by the very texts that gave them"),
        (MLPS, "neither end is better"),
    ],
)
def test_a_metric_without_ranks_says_why(opened, metric, said):
    words = leaderboard_notes.no_rank(standing(opened, metric))

    assert said in words
    assert bool(words) == bool(said)


def test_reasons_name_their_lines_unless_they_hold_for_all():
    assert leaderboard_notes.listed({"why": ["a", "b"]}, of=2) == "why"
    assert leaderboard_notes.listed({"why": ["a"], "else": []}, of=2) == "why (a); else"
    assert leaderboard_notes.listed({"why": list("abcde")}, of=9) == "why (a, b, c and 2 more)"


def test_supported_heads_say_at_once_which_controls_they_remove(opened):
    over_all, supported = standing(opened), standing(opened, over="supported")

    assert leaderboard_notes.removed_controls(over_all, "all") == ""
    assert leaderboard_notes.removed_controls(supported, "supported").startswith(
        "Supported heads leave 2 of 2 "
    )
