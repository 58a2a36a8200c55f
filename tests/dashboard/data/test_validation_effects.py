"""Costs of mean-ablation and verdicts on labels, over rows written by hand."""

import numpy as np
import pandas as pd
import pytest

from dashboard.data import validation_effects
from tests.support.validation_rows import NAN, score


def left(kind, color, shape, effect="forward", k=0, low=(NAN, NAN), high=(NAN, NAN), property=None):
    values = zip(("color", "shape", ""), (color, shape, (color + shape) / 2), strict=True)
    return [
        score(
            *("a", "mean_ablation", "accuracy", kind, attribute, effect, k),
            **{"property": property, "value": value, "low": lo, "high": hi},
        )
        for (attribute, value), lo, hi in zip(values, (*low, NAN), (*high, NAN), strict=True)
    ]


def ablation_scores():
    color = {"property": "color"}
    return pd.DataFrame(
        [
            *left("random_heads", 0.8, 0.6, low=(0.7, 0.5), high=(0.9, 0.7), **color),
            *left("random_heads", 0.85, 0.6, "direct", **color),
            *left("property", 0.5, 0.6, **color),
            *left("property", 0.6, 0.7, "direct", **color),
            *left("texts", 0.3, 0.2, k=10),
            *left("texts", 0.2, 0.1, k=2),
            *left("mlps", 0.1, 0.5),
            *left("early_heads", 0.1, 0.5),
            *left("nothing", 0.9, 0.7, effect=""),
        ]
    )


def test_interventions_come_in_the_order_of_the_page():
    found = validation_effects.mean_ablation(ablation_scores(), "a")

    order = list(dict.fromkeys(zip(found["subject"], found["k"], strict=True)))
    assert order == [
        ("nothing", 0),
        ("early heads", 0),
        ("MLPs", 0),
        ("texts", 2),
        ("texts", 10),
        ("property color", 0),
        ("random like color", 0),
    ]


def test_mean_ablation_costs_what_accuracy_falls_by():
    found = validation_effects.mean_ablation(ablation_scores(), "a")

    cost = validation_effects.cost(found, "color", "forward")

    assert validation_effects.properties(found) == ["color"]
    assert cost.own == pytest.approx(0.4)
    assert (cost.other, cost.other_cost) == ("shape", pytest.approx(0.1))
    assert (cost.low, cost.high) == (pytest.approx(0.0), pytest.approx(0.2))


def test_one_random_set_is_its_own_range():
    cost = validation_effects.cost(
        validation_effects.mean_ablation(ablation_scores(), "a"), "color", "direct"
    )

    assert cost.own == pytest.approx(0.3)
    assert cost.low == cost.high == pytest.approx(0.05)


def test_a_property_that_was_not_asked_has_no_cost_of_its_own():
    scores = pd.DataFrame(
        [*left("nothing", 0.9, 0.7, effect=""), *left("property", 0.8, 0.7, property="weather")]
    )

    cost = validation_effects.cost(validation_effects.mean_ablation(scores, "a"), "weather", "forward")

    assert np.isnan([cost.own, cost.low, cost.high]).all()
    assert (cost.other, cost.other_cost) == ("color", pytest.approx(0.1))


def test_accuracies_in_one_table_keep_texts_apart_by_their_number():
    found = validation_effects.accuracies(ablation_scores(), "a").set_index("intervention")

    assert found.columns.tolist() == ["k", "color", "shape"]
    assert found.loc["nothing", "color"] == 0.9
    assert found.loc["texts k=10", "shape"] == 0.2
    assert found.loc["property color", "color"] == 0.5


def head(number, label, supported=True):
    return {"layer": 3, "head": number, "label": label, "supported": supported}


def effects_of(number, color, shape, selectivity=(0.1, 0.6)):
    falls = {"color": color, "shape": shape}
    return [
        {
            "layer": 3,
            "head": number,
            "attribute": attribute,
            "forward": fall,
            "direct": fall / 2,
            "selectivity": own,
            "images": 12,
        }
        for (attribute, fall), own in zip(falls.items(), selectivity, strict=True)
    ]


def verdicts(heads, effects, properties=("color", "shape", "weather")):
    return validation_effects.head_verdicts(pd.DataFrame(effects), pd.DataFrame(heads), properties)


@pytest.mark.parametrize(
    ("label", "supported", "falls", "verdict"),
    [
        ("color", True, (0.3, 0.1), "right"),
        ("color", None, (0.3, 0.1), "right"),
        ("shape", True, (0.3, 0.1), "wrong"),
        ("weather", True, (0.3, 0.1), "wrong"),
        ("color", False, (0.3, 0.1), "unsupported"),
        (NAN, None, (0.3, 0.1), "unsupported"),
        ("color", True, (-0.3, 0.0), "no effect"),
    ],
)
def test_a_label_is_right_where_it_names_what_falls_most(label, supported, falls, verdict):
    found = verdicts([head(0, label, supported)], effects_of(0, *falls))

    assert found["verdict"].tolist() == [verdict]


def test_a_head_that_acts_on_what_no_text_is_about_cannot_be_named():
    found = verdicts([head(0, "shape")], effects_of(0, 0.3, 0.1), properties=["shape"])

    assert found["verdict"].tolist() == ["no word"]


def test_a_verdict_carries_its_evidence():
    found = verdicts(
        [head(0, "color"), head(1, "color")], [*effects_of(0, 0.3, 0.1), *effects_of(1, 0.1, 0.2)]
    )

    assert found["name"].tolist() == ["L3.H0", "L3.H1"]
    assert found["acts_on"].tolist() == ["color", "shape"]
    assert found["lead"].tolist() == pytest.approx([0.2, 0.1])
    assert found["direct_fall"].tolist() == pytest.approx([0.15, 0.1])
    assert found["varies_with"].tolist() == ["shape", "shape"]
    assert found["selectivity"].tolist() == [0.6, 0.6]
