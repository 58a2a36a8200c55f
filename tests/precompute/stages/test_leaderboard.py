"""The board: intervals, ranks and replicates of every model, from the replicates of its heads to the rows."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
import torch

from precompute.method.metric_info import METRICS
from precompute.method.metrics import ModelMetric
from precompute.runtime.config import HeadOptions
from precompute.stages import describe_heads, leaderboard
from precompute.stages.decompose_images import DecompositionResult
from precompute.stages.leaderboard import LeaderboardEntry, published
from tests.support import heads
from tests.support.heads import pool_of

NAME = ("association_3_crossfit", "all")


def standing(
    key: str, value: float | None, replicates: list[float], *, ranked: bool = True
) -> LeaderboardEntry:
    rows = [ModelMetric(*NAME, value, 0.1), ModelMetric("supported_share", "all", 0.5, None)]
    return LeaderboardEntry(key, 16, rows, {NAME: replicates}, ranked)


def evenly(low: float, high: float) -> list[float]:
    return torch.linspace(low, high, 41, dtype=torch.float64).tolist()


def row_of(rows: pd.DataFrame, key: str, metric: str = NAME[0]) -> pd.Series:
    [row] = [row for _, row in rows.iterrows() if (row["model_key"], row["metric"]) == (key, metric)]
    return row


def test_intervals_and_ranks_stand_beside_the_value_they_are_about():
    rows = leaderboard.model_rows(
        [standing("a", 0.9, evenly(0.84, 0.88)), standing("b", 0.2, evenly(0.24, 0.20))]
    )

    best, worst = row_of(rows, "a"), row_of(rows, "b")
    assert (best["low"], best["high"]) == (pytest.approx(0.881), pytest.approx(0.919))
    assert (best["rank_low"], best["rank_high"]) == (1, 1)
    assert (worst["rank_low"], worst["rank_high"]) == (2, 2)
    assert (best["labels"], best["chance"]) == ("offline", 0.1)


def test_what_has_no_replicates_has_no_interval_and_no_rank():
    rows = leaderboard.model_rows(
        [standing("a", 0.9, evenly(0.8, 0.9)), standing("b", 0.2, evenly(0.2, 0.3))]
    )

    assert row_of(rows, "a", "supported_share")[["low", "high", "rank_low", "rank_high"]].isna().all()


def test_controls_have_intervals_and_are_not_ranked():
    """
    The control lies between two trained models and takes no rank from them.
    """
    rows = leaderboard.model_rows(
        [
            standing("a", 0.9, evenly(0.88, 0.92)),
            standing("control", 0.5, evenly(0.45, 0.55), ranked=False),
            standing("b", 0.2, evenly(0.22, 0.18)),
        ]
    )

    assert row_of(rows, "control")[["rank_low", "rank_high"]].isna().all()
    assert row_of(rows, "control")["low"] == pytest.approx(0.4525)
    assert row_of(rows, "b")["rank_low"] == 2


@pytest.mark.parametrize("metric", ["text_consistency", "association_3", "entanglement", "ccs_at_2"])
def test_models_are_not_ranked_by_what_repeats_the_label_or_grows_with_heads(metric):
    both = [
        LeaderboardEntry(
            key, 16, [ModelMetric(metric, "all", value, None)], {(metric, "all"): [value] * 9}, True
        )
        for key, value in [("a", 0.9), ("b", 0.1)]
    ]

    rows = leaderboard.model_rows(both)

    assert rows["rank_low"].isna().all() and rows["low"].notna().all()


def test_counts_of_heads_stay_between_none_and_all():
    rows = leaderboard.model_rows(
        [
            LeaderboardEntry(
                "a", 4, [ModelMetric("ccs_high", "all", 3.0, None)], {("ccs_high", "all"): evenly(0, 8)}, True
            )
        ]
    )

    assert (rows["low"][0], rows["high"][0]) == (0.0, 4.0)


def test_replicates_are_rows_numbered_from_zero():
    rows = leaderboard.replicate_rows([standing("a", 0.9, [0.5, 0.25])])

    assert rows.to_dict("records") == [
        {"model_key": "a", "metric": NAME[0], "heads_used": "all", "replicate": 0, "value": 0.5},
        {"model_key": "a", "metric": NAME[0], "heads_used": "all", "replicate": 1, "value": 0.25},
    ]
    assert leaderboard.replicate_rows([]).empty


def test_metrics_of_a_replicate_are_those_of_its_labels_and_scores():
    """
    Three heads, two replicates: labels all alike, then all different; the third head is not supported.
    """
    label = torch.tensor([[1, 0], [1, 1], [1, 2]])
    ccs = torch.tensor([[5, 0], [5, 0], [0, -1]])
    crossed = torch.stack([ccs, ccs], dim=2)
    supported = torch.tensor([True, True, False])

    found = leaderboard.replicate_metrics(label, ccs, crossed, supported, smallest=3)

    assert found["entanglement", "all"] == [1.0, 0.0]
    assert found["entanglement", "supported"] == [pytest.approx(2 / 3), 0.0]
    assert found["text_consistency", "all"] == [pytest.approx(2 / 3), 0.0]
    assert found["association_5_crossfit", "supported"] == [1.0, 0.0]
    assert not any(metric == "supported_share" for metric, _ in found)


# from moments to rows

POOL = pool_of({"color": 30, "count": 30, "place": 30, "shape": 30})


def described(about, *, images=1280, **changes):
    made = heads.model(POOL, about, images=images)
    options = HeadOptions(picks=8, rotations=39, replicates=20, seed=0)._replace(**changes)
    given = DecompositionResult((), (), made.moments, made.components, 0.0), made.spaces, made.text, made.pool
    with TemporaryDirectory() as directory:
        return describe_heads.heads("m", *given, options, Path(directory))


@pytest.fixture(scope="module")
def planted():
    """Two heads about one property each, and two of noise."""
    return described([["color", "shape"], [None, None]])


def metric_of(tables, metric):
    rows = tables["head_metric"]
    return rows[rows["metric"] == metric].set_index(["layer", "head"])


def test_planted_heads_are_stable_consistent_and_have_intervals(planted):
    stable, crossed, ccs = (metric_of(planted.tables, name) for name in ("stability", "ccs_crossfit", "ccs"))

    assert stable["value"].tolist()[:2] == [1.0, 1.0]
    assert (crossed["value"][:2] > metric_of(planted.tables, "ccs_crossfit_rotated")["value"][:2]).all()
    assert (ccs["low"] <= ccs["value"]).all() and (ccs["value"] <= ccs["high"]).all()
    assert crossed["low"].between(0, 5).all()
    assert stable["low"].isna().all()


def test_what_rests_on_images_alone_has_intervals_too(planted):
    """Importance and coverage of heads, and coverage of the model; a share may be below 0."""
    for name in ("importance", "coverage"):
        rows = metric_of(planted.tables, name)
        assert (rows["low"] < rows["value"]).all() and (rows["value"] < rows["high"]).all()
    board = leaderboard.leaderboard_tables([("m", planted)], ranked=["m"])["model_metric"]
    covered = board[board["metric"].str.startswith("coverage_") & board["value"].ne(0)]
    assert len(covered) > 1
    assert (covered["low"] < covered["value"]).all() and (covered["value"] < covered["high"]).all()


def test_a_share_below_zero_keeps_its_interval_below_zero():
    name = ("coverage_mlps", "all")
    rows = [ModelMetric(*name, -0.2, None)]

    found = leaderboard.model_rows([LeaderboardEntry("a", 16, rows, {name: evenly(-0.3, -0.1)}, True)])

    assert found["low"].iloc[0] < -0.25 and found["high"].iloc[0] < -0.1


def test_every_text_has_its_place_among_texts_of_one_length_and_its_stability(planted):
    rows = planted.tables["head_text"]
    first = rows[rows["position"] == 0]

    assert rows["stability"].between(0, 1).all()
    assert (first["stability"] > 0.2).all()
    assert rows["equal_norm_position"].dropna().between(0, 7).all()
    overlap = metric_of(planted.tables, "equal_norm_overlap")["value"]
    listed = rows.groupby(["layer", "head"])["equal_norm_position"].apply(lambda one: one.notna().mean())
    assert overlap.tolist() == pytest.approx(listed.tolist())  # eight picks: all are among the first ten


def test_the_board_holds_every_metric_that_is_explained_and_no_other(planted):
    tables = leaderboard.leaderboard_tables([("m", planted)], rotated_of=["m"], ranked=["m"])

    levels = {level: {one.metric for one in METRICS if one.level == level} for level in ("head", "model")}
    assert len({one.metric for one in METRICS}) == len(METRICS)
    assert {one.direction for one in METRICS} <= {"higher", "lower", "neither"}
    assert set(planted.tables["head_metric"]["metric"]) == levels["head"]
    assert set(tables["model_metric"]["metric"]) == levels["model"]
    assert set(tables["metric"]["metric"]) == levels["head"] | levels["model"]
    meanings = tables["metric"].set_index("metric")
    ranked = meanings.loc[sorted(levels["model"]), "ranked"]
    assert {"entanglement_smallest", "text_consistency_crossfit"} <= set(ranked[ranked].index)
    assert {"entanglement", "text_consistency", "ccs_high", "coverage_mlps"} <= set(ranked[~ranked].index)
    assert (meanings["unranked_reason"].isna() == meanings["ranked"]).all()


def test_a_value_lies_in_its_interval_and_one_model_alone_has_no_rank(planted):
    rows = leaderboard.leaderboard_tables([("m", planted)], ranked=["m"])["model_metric"]
    known = rows.dropna(subset=["low", "value"])

    assert {"text_consistency_crossfit", "entanglement_smallest", "uniqueness"} <= set(known["metric"])
    assert (known["low"] <= known["value"] + 1e-12).all() and (known["value"] <= known["high"] + 1e-12).all()
    assert rows["rank_low"].isna().all()


def test_a_model_twice_on_the_board_ties_with_itself(planted):
    """
    The same halves serve both, so the difference is 0 in every replicate.
    """
    tables = leaderboard.leaderboard_tables([("one", planted), ("other", planted)], ranked=["one", "other"])
    rows = tables["model_metric"].dropna(subset=["rank_low"])
    wide = tables["replicate_metric"].pivot_table(
        index=["metric", "heads_used", "replicate"], columns="model_key", values="value"
    )

    assert (wide["one"] == wide["other"]).all() and len(wide) > 0
    assert set(zip(rows["rank_low"], rows["rank_high"], strict=True)) == {(1, 2)}


def test_under_640_images_there_is_stability_but_no_interval():
    found = described([["color"], [None]], images=639)
    tables = leaderboard.leaderboard_tables([("one", found), ("other", found)], ranked=["one", "other"])

    assert metric_of(found.tables, "stability")["value"].notna().any()
    assert found.tables["head_metric"][["low", "high"]].isna().all(axis=None)
    assert tables["model_metric"][["low", "high", "rank_low", "rank_high"]].isna().all(axis=None)
    assert tables["replicate_metric"].empty


def test_without_replicates_the_rest_is_there():
    found = described([["color"], [None]], replicates=0)
    tables = leaderboard.leaderboard_tables([("one", found)], ranked=["one"])

    metrics = set(found.tables["head_metric"]["metric"])
    assert "ccs_crossfit" in metrics and "stability" not in metrics
    assert tables["replicate_metric"].empty
    assert "mean_stability" not in set(tables["model_metric"]["metric"])
    assert found.tables["head_text"]["stability"].isna().all()


def test_the_same_seed_gives_the_same_tables(planted):
    again = described([["color", "shape"], [None, None]])

    for name, rows in planted.tables.items():
        pd.testing.assert_frame_equal(rows, again.tables[name])


def test_published_figures_say_where_they_were_read():
    figures = [*published().itertuples()]

    assert len({(one.model, one.metric, one.source) for one in figures}) == len(figures)
    assert {one.read_from for one in figures} == {"primary", "secondary"}
    assert not any(one.definition_known for one in figures if one.read_from == "secondary")
