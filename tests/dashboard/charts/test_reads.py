"""Heads as dots, a row per model: the order of rows, the marks, and the head that is named."""

import numpy as np
import pandas as pd

from dashboard.charts import reads

FRAME = pd.DataFrame(
    {
        "model_key": ["b-1", "a-1", "a-1", "b-1"],
        "model": ["b", "a", "a", "b"],
        "layer": [1, 1, 2, 2],
        "head": [0, 0, 1, 1],
        "name": ["L1.H0", "L1.H0", "L2.H1", "L2.H1"],
        "label": ["color", "color", "shape?", "count"],
        "amount": [60.0, 40.0, 5.0, np.nan],
        "p": [0.01, 0.2, 0.05, np.nan],
    }
)


def drawn(frame):
    chart = reads.model_strips(frame, value="amount", title="share of variance (%)", beyond=0.05)
    dots, words = chart.to_dict()["layer"]
    data = chart.to_dict()["datasets"]
    return dots, [data[layer["data"]["name"]] for layer in (dots, words)]


def test_rows_are_in_the_order_of_the_frame_and_the_best_head_of_each_is_named():
    dots, (_, named) = drawn(FRAME)

    assert dots["encoding"]["y"]["sort"] == ["b", "a"]
    assert [(row["model"], row["name"]) for row in named] == [("b", "L1.H0"), ("a", "L1.H0")]


def test_heads_beyond_chance_differ_in_shape_too():
    dots, (marks, _) = drawn(FRAME)

    assert [row["kind"] for row in marks] == [
        reads.BEYOND, reads.BY_CHANCE, reads.BEYOND, reads.BY_CHANCE
    ]  # fmt: skip
    assert dots["encoding"]["shape"]["scale"]["range"] == ["circle", "cross"]


def test_without_a_null_all_dots_are_alike_and_there_is_no_legend():
    dots, (marks, _) = drawn(FRAME.drop(columns="p"))

    assert {row["kind"] for row in marks} == {reads.PLAIN}
    assert dots["encoding"]["color"]["legend"] is None
