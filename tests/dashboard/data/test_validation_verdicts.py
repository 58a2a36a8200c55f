"""Verdicts hold or not, on tables with every answer known."""

import pandas as pd
import pytest

from dashboard.data import validation_verdicts

NAN = float("nan")


@pytest.mark.parametrize(
    ("right", "control", "holds"), [(0.6, 0.4, True), (0.6, NAN, True), (0.6, 0.7, False), (0.5, 0.4, False)]
)
def test_labels_must_beat_one_label_for_all_chance_and_the_control(right, control, holds):
    row = {"model_key": "a", "right": right, "commonest": 0.5, "chance": 0.3, "control": control}
    table = pd.DataFrame([row | {"hits": 3, "heads": 8}, row | {"model_key": "b", "hits": 0, "heads": 8}])

    [verdict] = validation_verdicts.on_labels(table, "a")

    assert verdict.holds == holds
    assert "3 of 8" in verdict.text


@pytest.mark.parametrize(("wrong", "holds"), [(1, True), (2, False)])
def test_more_supported_labels_must_be_right_than_wrong(wrong, holds):
    verdicts = ["right", "right", "unsupported", *["wrong"] * wrong]
    table = pd.DataFrame({"verdict": verdicts, "label": "color", "acts_on": "shape"})

    [verdict] = validation_verdicts.on_heads(table)

    assert verdict.holds == holds
    assert str(2 + wrong) in verdict.text


@pytest.mark.parametrize(("value", "holds"), [(0.9, True), (0.7, False)])
def test_neighbors_through_heads_must_beat_the_whole_embedding(value, holds):
    rows = [("embedding", None, "color", 0.8), ("property", "color", "color", value)]
    rows += [("property", "color", "shape", 0.1)]
    table = pd.DataFrame(rows, columns=["subject_kind", "property", "attribute", "value"])
    table = table.assign(by="cosine", chance=0.3)

    [verdict] = validation_verdicts.on_neighbors(table, "cosine")

    assert verdict.holds == holds
    assert validation_verdicts.on_neighbors(table, "dot") == []
