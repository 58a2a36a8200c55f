"""Validation tables over rows written by hand, with every answer known."""

import numpy as np
import pandas as pd
import pytest

from dashboard.data import validation_tables
from tests.support.validation_rows import score


def baseline(key, attribute="", **numbers):
    return score(key, "labels", "right", "baseline", attribute, method="commonest", **numbers)


def labels_of(key, right, strong=0.5):
    def by(method, k, attribute="", measure="right", **numbers):
        return score(key, "labels", measure, "label_method", attribute, k=k, method=method, **numbers)

    return [
        by("variance_share", 10, value=right, chance=0.3, count=8),
        by("variance_share", 10, "color", value=2 / 3, chance=0.5, count=3),
        by("variance_share", 10, "shape", value=0.2, chance=0.1, count=5),
        by("enrichment", 5, value=0.1, chance=0.2, count=8),
        by("enrichment", 5, "color", value=0.0, chance=0.2, count=3),
        baseline(key, value=0.5, count=8),
        baseline(key, "color", value=1.0, count=3),
        by("variance_share", 10, measure="right_strong", value=strong, count=4),
        by("variance_share", 10, measure="right_strong_sure", value=0.75, count=3),
        by("variance_share", 10, measure="right_supported", value=1.0, count=2),
        by("variance_share", 10, measure="heads_strong", value=4.0, count=8),
    ]


def test_controls_stand_under_the_model_they_are_of():
    scores = pd.DataFrame([baseline(key) for key in "abr"])

    assert validation_tables.model_keys(scores) == ["a", "r", "b"]
    assert validation_tables.control_key_of(scores, "a") == "r"
    assert (
        validation_tables.control_key_of(scores, "b") == validation_tables.control_key_of(scores, "r") == ""
    )
    assert validation_tables.names_of(scores)["r"] == "demo/a-random (control)"


def test_a_control_of_a_model_that_is_not_there_stands_by_itself():
    scores = pd.DataFrame([baseline("r")])

    assert validation_tables.model_keys(scores) == ["r"]


def test_labels_stand_beside_what_needs_no_method():
    scores = pd.DataFrame([*labels_of("r", 0.25), *labels_of("a", 0.45)])

    found = validation_tables.labels(scores)

    assert found["model"].tolist() == ["demo/a"] * 2 + ["demo/a-random (control)"] * 2
    assert found["method"].tolist() == ["variance share, first 10 texts", "enrichment, first 5 texts"] * 2
    first = found.iloc[0]
    assert (first["right"], first["chance"], first["commonest"], first["control"]) == (0.45, 0.3, 0.5, 0.25)
    assert (first["hits"], first["heads"]) == (3, 8), "two of three color heads and one of five shape heads"
    assert (first["strong"], first["strong_heads"]) == (0.5, 4)
    assert (first["sure"], first["sure_heads"]) == (0.75, 3)
    assert (first["supported"], first["supported_heads"]) == (1.0, 2)
    assert found["evidence"].tolist() == ["forward pass"] * 4
    assert np.isnan(found["control"].iloc[2]), "a control has no control"
    assert np.isnan(found["strong"].iloc[1])


def test_the_shown_label_comes_first_and_numbers_count_as_numbers():
    methods = [("enrichment", 20), ("enrichment", 5), ("variance_share", 6)]
    rows = [score("a", "labels", "right", "label_method", method=name, k=k) for name, k in methods]

    found = validation_tables.methods_of(pd.DataFrame([*rows, baseline("a")]))

    assert list(found) == [("variance_share", 6), ("enrichment", 5), ("enrichment", 20)]


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ({"subject_kind": "property", "property": "dark red"}, "property dark red"),
        ({"subject_kind": "random_heads", "property": "dark red"}, "random like dark red"),
        ({"subject_kind": "head", "layer": 3, "head": 11}, "L3.H11"),
        ({"subject_kind": "best_head", "layer": 0, "head": 1}, "best head L0.H1"),
        (
            {"subject_kind": "label_method", "method": "variance_share", "k": 10},
            "variance share, first 10 texts",
        ),
        ({"subject_kind": "rival", "method": "raw_attention"}, "raw attention"),
        ({"subject_kind": "mlps"}, "MLPs"),
        ({"subject_kind": "early_heads"}, "early heads"),
    ],
)
def test_a_subject_has_a_short_text(subject, text):
    [row] = pd.DataFrame([score("a", "study", "measure", **subject)]).itertuples()

    assert validation_tables.subject_text(row) == text


def nearest_of(space, color, shape):
    kind = {"subject_kind": "embedding"} | space

    def near(attribute="", **numbers):
        return score("a", "neighbors", "precision", attribute=attribute, k=10, **kind, **numbers)

    return [
        near("color", value=color, chance=0.1, count=50),
        near("shape", value=shape, chance=0.25, count=50),
        near(value=0.5, chance=0.2, count=100),
    ]


def head_space(number, comparison):
    return {"subject_kind": "head", "layer": 1, "head": number, "comparison": comparison}


def neighbor_scores():
    spaces = [({"comparison": "cosine"}, 0.4, 0.3)]
    spaces += [(head_space(0, "cosine"), 0.9, 0.2), (head_space(0, "dot"), 0.5, 0.6)]
    spaces += [(head_space(10, "cosine"), 0.3, 0.5), (head_space(1, "cosine"), 0.3, 0.5)]
    spaces += [({"subject_kind": "property", "property": "dark red", "comparison": "cosine"}, 0.7, 0.3)]
    return pd.DataFrame([row for space in spaces for row in nearest_of(*space)])


def test_neighbors_have_a_row_for_each_space_and_comparison():
    found = validation_tables.neighbors(neighbor_scores(), "a")

    assert list(dict.fromkeys(zip(found["space"], found["by"], strict=True))) == [
        ("embedding", ""),
        ("property dark red", "cosine"),
        ("L1.H0", "cosine"),
        ("L1.H0", "dot"),
        ("L1.H1", "cosine"),
        ("L1.H10", "cosine"),
    ]
    assert found["attribute"].unique().tolist() == ["color", "shape"]
    assert found["gain"].iloc[4] == pytest.approx(0.8)


def test_the_best_head_of_an_attribute_is_named():
    found = validation_tables.nearest(neighbor_scores(), "a").set_index("attribute")

    assert found["best_head"].to_dict() == {"color": "L1.H0 cosine", "shape": "L1.H0 dot"}
    assert found["embedding"].to_dict() == {"color": 0.4, "shape": 0.3}
    assert found["heads"].to_dict() == {"color": 3, "shape": 3}
