"""The leaderboard's tables: the order of its lines, what stands in its cells, and why some are empty."""

from math import isnan, nan

import pytest

from dashboard.data import (
    cached,
    leaderboard_facts,
    leaderboard_notes,
)
from dashboard.data import (
    leaderboard as leaderboard_data,
)
from dashboard.data.leaderboard import (
    DASH,
    MODEL,
    RANDOM_WEIGHTS,
    ROTATED,
    Cell,
)
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


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    bundle = open_bundle(boards.write_board(tmp_path_factory.mktemp("board") / "board"))
    yield bundle
    bundle.close()


@pytest.fixture(scope="module")
def unrepeated(tmp_path_factory):
    """The same, built without replicates, and no label given by anybody."""
    out = tmp_path_factory.mktemp("board") / "plain"
    bundle = open_bundle(boards.write_board(out, chosen=False, intervals=False))
    yield bundle
    bundle.close()


def standing(bundle, metric=CONSISTENT, label_kind="offline"):
    return leaderboard_data.leaderboard_of(bundle, metric, "all", label_kind)


def by_key(found, key, part=MODEL):
    return next(line for line in found.lines if (line.model_key, line.part) == (key, part))


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


def test_models_measured_in_two_ways_are_not_ranked(opened):
    found = standing(opened, SHARED, "chosen")

    assert SHARED not in found.ranked
    assert CONSISTENT in found.ranked, "it rests on offline labels for all of them"
    assert leaderboard_notes.no_rank(found) == "Ranks are known of offline labels alone."


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
    assert leaderboard_data.shown_metrics(found, "main") == [
        CONSISTENT,
        SHARED,
        PLAIN,
        CIRCULAR,
        COUNTED,
        MLPS,
    ]


def test_the_main_table_has_eight_metrics_of_all_that_there_are(tmp_path):
    bundle = open_bundle(boards.write_large(tmp_path / "large", models=2))
    found = standing(bundle)

    assert sorted(leaderboard_data.shown_metrics(found, "main")) == sorted(leaderboard_data.MAIN)
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

    assert consistent == {"12 images; an interval takes 640": ["gamma/three"]}
    assert list(shared.values()) == [["delta/four"], ["gamma/three"]]
    assert "imported results cannot be computed again" in next(iter(shared))
    assert list(mlps) == ["this metric is not among those computed again from other images and texts"]


def test_labels_that_somebody_gave_have_no_interval_and_say_so(opened):
    reasons = leaderboard_notes.no_intervals(standing(opened, SHARED, "chosen"))

    [reason] = [reason for reason, names in reasons.items() if names == ["beta/two"]]
    assert "a person or a language model gave" in reason


def test_a_bundle_without_replicates_says_so(unrepeated):
    found = standing(unrepeated)

    reasons = leaderboard_notes.no_intervals(found)

    [reason] = [reason for reason, names in reasons.items() if "beta/two" in names]
    assert reason == "the bundle was built without replicates (`--replicates`)"
    assert leaderboard_notes.no_rank(found) == "No ranks: they take an interval of every trained model."


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


@pytest.mark.parametrize(
    ("fact", "x"),
    [
        ("parameters", {ALPHA: 150, BETA: 430, GAMMA: 150}),
        ("patch_size", {ALPHA: 16, BETA: 14, GAMMA: 32}),
        ("training_data", {ALPHA: "data A", BETA: "data B", GAMMA: leaderboard_facts.NOT_SAID}),
    ],
)
def test_models_stand_against_what_is_known_of_them(opened, fact, x):
    points, left_out = leaderboard_facts.beside(standing(opened), fact)

    models = points[points["part"] == MODEL]
    assert dict(zip(models["model_key"], models["x"], strict=True)) == x
    assert left_out == ["delta/four"], "imported, without this metric"
    controls = points[points["part"] != MODEL]
    assert set(controls["x"]) == {x[ALPHA]}, "controls stand where their model stands"


def test_a_model_of_unknown_size_is_left_out_by_name(opened):
    found = standing(opened, SHARED)

    assert leaderboard_facts.beside(found, "parameters").left_out == ["delta/four"]
    assert leaderboard_facts.beside(found, "training_data").left_out == []


@pytest.fixture
def parts(opened):
    return leaderboard_facts.coverage(cached.source(opened, "board", ALPHA))


def test_coverage_holds_every_component_from_the_last_layer_down_to_the_input(parts):
    assert list(dict.fromkeys(parts["row"])) == ["L2", "L1", "L0", "input"]
    assert parts["percent"].sum() == pytest.approx(100)
    heads = parts[parts["kind"] == leaderboard_facts.HEADS].set_index("name")
    assert heads["percent"].to_dict() == pytest.approx({"L2.H0": 30, "L2.H1": -2, "L1.H0": 10, "L1.H1": 5})
    assert heads.loc["L2.H1", "label"] == "count?"


def test_the_heads_of_a_layer_are_summed_with_their_signs(parts):
    sums = leaderboard_facts.coverage_sums(parts).set_index("row")

    assert sums.loc["L2"].tolist()[:2] == pytest.approx([28, 30])
    assert sums["attention"].to_dict() == pytest.approx(
        {"L2": 28, "L1": 15, "L0": 5, "input": nan}, nan_ok=True
    )
    assert sums["together"].to_dict() == pytest.approx({"L2": 58, "L1": 25, "L0": 10, "input": 7})
    said = leaderboard_facts.coverage_words(parts)
    assert said == "heads 43.0 %, attention, heads not taken apart 5.0 %, MLP 45.0 %, input 7.0 %"


def test_imported_results_have_no_coverage(opened):
    assert leaderboard_facts.coverage(cached.source(opened, "board", DELTA)).empty
