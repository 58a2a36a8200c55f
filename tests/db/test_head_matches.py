"""Paired heads and replicates of heads: how they are read, and what is refused before publishing."""

import numpy as np
import pytest

from db import queries
from db.errors import StoreError, UnknownName
from db.store import BundleWriter
from tests.support import bundles
from tests.support.bundles import CONTROL_KEY, MODEL_KEY


def test_matches_are_read_from_either_model_with_the_labels_of_both(tiny):
    keys = {"model_key": MODEL_KEY, "other_model_key": CONTROL_KEY}
    found = queries.head_matches(tiny, **keys)
    turned = queries.head_matches(tiny, model_key=CONTROL_KEY, other_model_key=MODEL_KEY)

    places = ["layer", "head", "other_layer", "other_head"]
    assert found[places].to_numpy().tolist() == [[1, 0, 2, 1], [1, 1, 2, 0], [2, 0, 1, 1], [2, 1, 1, 0]]
    assert found["label"].tolist() == ["color", "color", "shape", "count"]
    assert found["other_label"].tolist() == ["count", "shape", "color", "color"]
    assert turned["cka"].tolist() == pytest.approx(found["cka"].tolist()[::-1])
    assert len(queries.head_matches(tiny, **keys, pairing="place")) == 4
    with pytest.raises(UnknownName):
        queries.head_matches(tiny, model_key=MODEL_KEY, other_model_key="other")


def test_replicates_of_a_metric_are_a_list_in_order_with_nan_where_undefined(tiny):
    of_heads = queries.replicate_head_metrics(tiny, model_key=MODEL_KEY)
    of_model = queries.replicate_metrics(tiny, model_key=MODEL_KEY)

    assert of_heads[["layer", "head", "metric"]].to_numpy().tolist()[1] == [1, 1, "ccs"]
    np.testing.assert_allclose(of_heads["replicates"][1], [3.5, 4, 4.5, np.nan])
    np.testing.assert_allclose(of_model["replicates"][0], [0.4, 0.5, 0.6, np.nan])


def foreign(rows, **changes):
    """The rows with changes in the first one."""
    rows = rows.copy()
    for name, value in changes.items():
        rows.loc[rows.index[0], name] = value
    return rows


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        (
            "replicate_head_metric",
            {"head": 9},
            f"replicate_head_metric names {MODEL_KEY} L1.H9, which head lacks",
        ),
        (
            "replicate_head_metric",
            {"metric": "x"},
            "replicate_head_metric names the metric x, which metric lacks",
        ),
        ("replicate_head_metric", {"replicate": 7}, f"of {MODEL_KEY} L1.H0 ccs skips a replicate"),
        ("head_match", {"other_head": 9}, f"head_match names {CONTROL_KEY} L2.H9, which head lacks"),
        ("head_match", {"other_model_key": "x"}, "head_match names the model x, which model lacks"),
        ("head_match", {"other_head": 0}, f"head_match pairs L2.H0 of {CONTROL_KEY} twice"),
    ],
)
def test_a_pair_or_replicate_of_what_is_not_there_is_not_published(tmp_path, table, change, message):
    with BundleWriter(tmp_path / "b", input_id="x") as writer:
        for name, rows in bundles.tables().items():
            writer.write(name, foreign(rows, **change) if name == table else rows)

        with pytest.raises(StoreError, match=message):
            writer.finish()
