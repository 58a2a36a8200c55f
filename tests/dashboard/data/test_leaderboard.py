"""The leaderboard's tables: the order of its lines, and what stands in its cells."""

from math import isnan, nan

import pytest

from dashboard.data import leaderboard as leaderboard_data
from dashboard.data.leaderboard import DASH, MODEL, RANDOM_WEIGHTS, ROTATED, Cell
from db.connection import open_bundle
from tests.support import boards
from tests.support.boards import (
    ALPHA,
    BETA,
    CIRCULAR,
    CONSISTENT,
    COUNTED,
    DELTA,
    GAMMA,
    JUDGED,
    MLPS,
    PLAIN,
    SHARED,
)
from tests.support.boards import CONTROL as ALPHA_CONTROL
from tests.support.standings import by_key, standing


def test_the_highest_stands_first_where_higher_is_better_and_controls_under_their_model(opened):
    lines = [(line.model_key, line.part) for line in standing(opened).lines]

    assert lines == [
        (BETA, MODEL),
        (ALPHA, MODEL),
        (ALPHA_CONTROL, RANDOM_WEIGHTS),
        (ALPHA, ROTATED),
        (GAMMA, MODEL),
        (DELTA, MODEL),
    ], "delta has no value, so it is last"


def test_the_lowest_stands_first_where_lower_is_better(opened):
    models = [line.model for line in standing(opened, SHARED).lines if line.part == MODEL]

    assert models == ["alpha/one", "delta/four", "beta/two", "gamma/three"]


def test_ranks_come_as_ranges_among_the_ranked_models(opened):
    one = leaderboard_data.one_metric(standing(opened)).set_index(["model_key", "part"])["rank"]
    other = leaderboard_data.one_metric(standing(opened, SHARED)).set_index(["model_key", "part"])["rank"]

    assert one[ALPHA, MODEL] == one[BETA, MODEL] == "1–2 of 2"
    assert (other[ALPHA, MODEL], other[BETA, MODEL]) == ("1 of 2", "2 of 2")
    assert one[ALPHA_CONTROL, RANDOM_WEIGHTS] == one[GAMMA, MODEL] == ""


def test_rotated_heads_have_their_own_range_and_no_chance(opened):
    one = leaderboard_data.one_metric(standing(opened)).set_index("part").loc[ROTATED]

    assert (one["value"], one["low"], one["high"]) == (0.4, 0.35, 0.45)
    assert isnan(one["chance"])


def test_chosen_labels_replace_what_rests_on_them_and_nothing_else(opened):
    found = standing(opened, SHARED, "chosen")

    assert found.cell(by_key(found, BETA), SHARED).value == 0.6
    assert found.cell(by_key(found, ALPHA), SHARED).value == 0.8, "alpha has offline labels alone"
    assert found.cell(by_key(found, BETA), CONSISTENT).value == 0.7
    assert [line.model for line in found.lines][0] == "beta/two"


def test_agreement_of_judges_is_a_metric_of_chosen_labels_alone(opened):
    assert JUDGED not in standing(opened).metrics
    assert JUDGED in standing(opened, SHARED, "chosen").metrics


def test_the_table_shows_ranked_metrics_first_and_leaves_out_what_nobody_has(opened):
    found = standing(opened)

    assert leaderboard_data.shown_metrics(found, "all") == [
        CONSISTENT,
        SHARED,
        PLAIN,
        CIRCULAR,
        COUNTED,
        MLPS,
    ]
    assert leaderboard_data.shown_metrics(found, "main") == [CONSISTENT, SHARED, PLAIN, CIRCULAR, COUNTED]
    assert leaderboard_data.shown_metrics(standing(opened, MLPS), "main")[0] == MLPS, "the chosen metric"
    main = leaderboard_data.table(found, "main").numbers
    ranks = [name for name in main if name.endswith(leaderboard_data.rank_column(""))]
    assert ranks == [leaderboard_data.rank_column(CONSISTENT)]


@pytest.mark.parametrize(
    ("cells", "is_saturated"),
    [
        ([(1.0, 1.0, 1.0), (1.0, 0.99, 1.0)], True),
        ([(1.0, 1.0, 1.0), (0.98, 0.95, 0.996)], True),
        ([(1.0, 1.0, 1.0), (0.98, 0.95, 0.99)], False),
        ([(0.0, 0.0, 0.0), (0.002, nan, nan)], True),
        ([(0.0, 0.0, 0.0), (0.3, 0.0, 0.6)], True),
        ([(1.0, 1.0, 1.0), (0.0, 0.0, 0.0)], False),
        ([(1.0, 1.0, 1.0)], False),  # one line: nothing to tell apart
    ],
)
def test_a_share_at_the_same_end_for_all_models_and_controls_is_saturated(opened, cells, is_saturated):
    found = standing(opened)
    lines = [line for line in found.lines if line.part != leaderboard_data.ROTATED][: len(cells)]
    numbers = {
        (line.model_key, False, SHARED): leaderboard_data.NOTHING._replace(value=value, low=low, high=high)
        for line, (value, low, high) in zip(lines, cells, strict=True)
    }
    found = found._replace(cells={key: c for key, c in found.cells.items() if key[2] != SHARED} | numbers)

    assert leaderboard_data.saturated(found, SHARED) == is_saturated
    assert (SHARED in leaderboard_data.shown_metrics(found, "main")) != is_saturated
    assert (found.metrics[SHARED].title in leaderboard_data.left_out(found)) == is_saturated
    assert SHARED in leaderboard_data.shown_metrics(found, "all")


def test_the_main_table_has_as_many_metrics_as_fit(tmp_path):
    bundle = open_bundle(boards.write_large(tmp_path / "large", models=2))
    found = standing(bundle)

    shown = leaderboard_data.shown_metrics(found, "main")
    assert len(shown) == leaderboard_data.MAIN_COUNT and set(shown) <= set(leaderboard_data.MAIN)
    assert len(leaderboard_data.shown_metrics(found, "all")) > 20
    bundle.close()


def test_a_cell_reads_as_value_and_interval_over_a_number_to_sort_by(opened):
    found = standing(opened)
    table = leaderboard_data.table(found, "all")
    alpha, delta = found.lines.index(by_key(found, ALPHA)), found.lines.index(by_key(found, DELTA))

    assert table.words.loc[alpha, CONSISTENT] == "0.63 [0.58, 0.67]"
    assert table.numbers.loc[alpha, CONSISTENT] == 0.63
    assert table.words.loc[alpha, COUNTED] == "12 [9, 15]"
    assert table.words.loc[alpha, leaderboard_data.rank_column(CONSISTENT)] == "1–2"
    assert table.numbers.loc[alpha, leaderboard_data.rank_column(CONSISTENT)] == 1
    assert table.words.loc[alpha, MLPS] == "0.30", "no interval"
    assert table.words.loc[delta, CONSISTENT] == DASH
    assert isnan(table.numbers.loc[delta, CONSISTENT])
    assert leaderboard_data.rank_column(PLAIN) not in table.numbers


@pytest.mark.parametrize(
    ("ends", "words"), [((1.0, 2.0), "1–2"), ((3.0, 3.0), "3"), ((1.0, 10.0), "1–10"), ((nan, nan), "")]
)
def test_a_rank_is_written_as_short_as_it_can_be(ends, words):
    assert leaderboard_data.rank_words(Cell(0.5, nan, nan, nan, *ends, "offline")) == words
