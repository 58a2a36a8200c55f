"""Rows of heads, from results made by hand."""

import math

import torch
from torch import tensor

from precompute.inputs.text_pool import text_id
from precompute.method.types import Label, Pool, TextSpan
from precompute.stages import head_rows

PLACES = [(4, 0), (4, 1)]
POOL = Pool("made up", "en", None, ("red", "blue", "round"), ("color",), torch.ones(3, 1).bool(), 0, 0)


def span(*texts: int) -> TextSpan:
    share = torch.full((len(texts),), 0.25)
    return TextSpan(tensor(texts, dtype=torch.int64), share, share.cumsum(0), share)


def test_texts_of_a_head_stand_in_the_order_of_choice():
    stability = tensor([[0.5, math.nan, 1.0], [0.0, 0.0, 0.0]])

    rows = head_rows.head_text(PLACES, [span(2, 1), span()], [span(1), span()], stability, POOL)

    assert rows[["layer", "head", "position"]].values.tolist() == [[4, 0, 0], [4, 0, 1]]
    assert rows["text_id"].tolist() == [text_id("round"), text_id("blue")]
    assert rows["cumulative_share"].tolist() == [0.25, 0.5]
    assert rows["equal_norm_position"].isna().tolist() == [True, False]
    assert rows["stability"].isna().tolist() == [False, True]


def test_a_text_that_was_never_picked_is_not_judged():
    labels = [Label("color", "variance_share", 2, 2, 0.5, 0.1, None, 0.01, 0.02)] * 2
    tags = tensor([[True], [False], [True]])

    rows = head_rows.judgement(PLACES, labels, tensor([0, 0]), tensor([[2, 1], [0, -1]]), tags)

    assert rows[["head", "position", "consistent"]].values.tolist() == [
        [0, 0, True],
        [0, 1, False],
        [1, 0, True],
    ]


def test_a_metric_without_replicates_has_no_interval():
    replicates = {"ccs": tensor([[2.0, 4.0, 3.0], [1.0, 1.0, 1.0]])}

    rows = head_rows.head_metric(PLACES, {"ccs": [3.0, 1.0], "importance": [0.5, None]}, replicates)

    assert rows["metric"].tolist() == ["ccs", "ccs", "importance", "importance"]
    assert rows["value"].isna().tolist() == [False, False, False, True]
    assert rows["low"].isna().tolist() == [False, False, True, True]
    assert rows["low"][0] < 3 < rows["high"][0] and rows["low"][1] == rows["high"][1] == 1


def test_every_replicate_of_a_head_metric_has_a_row_and_an_undefined_one_is_null():
    rows = head_rows.replicate_head_metric(PLACES, {"ccs": tensor([[1.0, math.nan], [3.0, 4.0]])})

    assert rows[["layer", "head", "metric", "replicate"]].values.tolist() == [
        [4, 0, "ccs", 0],
        [4, 0, "ccs", 1],
        [4, 1, "ccs", 0],
        [4, 1, "ccs", 1],
    ]
    assert rows["value"].isna().tolist() == [False, True, False, False]
    assert head_rows.replicate_head_metric(PLACES, {}).empty
