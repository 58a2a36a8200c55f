"""Labels are scored against the attribute that suffers most without the head."""

from math import nan

import pytest
import torch
from torch import tensor

from precompute.method.types import Label
from precompute.validation import label_accuracy
from precompute.validation import rows as score_rows


def test_a_head_is_for_what_loses_most_and_for_nothing_if_nothing_is_lost():
    loss = tensor([[0.1, 0.3], [0.2, float("nan")], [-0.1, 0.0]])

    assert label_accuracy.targets(loss, ["color", "shape"]) == ["shape", "color", None]


def test_labels_are_right_by_attribute_and_then_over_attributes():
    """Of three color heads two are called so, of one shape head none: (2/3 + 0) / 2."""
    targets = ["color", "color", "color", "shape", None]
    label = ["color", "color", "count", "color", "shape"]

    together, color, shape = label_accuracy.label_accuracy(targets, label)

    assert (color.attribute, color.value, color.count) == ("color", pytest.approx(2 / 3), 3)
    assert (shape.attribute, shape.value, shape.count) == ("shape", 0.0, 1)
    assert (together.value, together.count) == (pytest.approx(1 / 3), 4)
    assert (color.chance, shape.chance, together.chance) == (0.75, 0.0, 0.375)


def test_chance_is_the_accuracy_of_the_same_labels_permuted():
    generator = torch.Generator().manual_seed(0)
    targets, label = ["a", "a", "a", "b", "b", "c"], ["a", "a", "b", "c", "c", "a"]

    dealt = [
        label_accuracy.label_accuracy(
            targets, [label[place] for place in torch.randperm(6, generator=generator)]
        )[0].value
        for _ in range(4000)
    ]

    assert sum(dealt) / 4000 == pytest.approx(
        label_accuracy.label_accuracy(targets, label)[0].chance, abs=0.01
    )


def test_the_answer_that_needs_no_method_is_right_for_one_attribute():
    targets = ["shape", None, "color", "shape", "color", "count"]

    answer = label_accuracy.commonest(targets)

    assert answer == ["color"] * 6  # as common as shape, and first in the alphabet
    assert [one.value for one in label_accuracy.label_accuracy(targets, answer)] == [
        pytest.approx(1 / 3),
        1.0,
        0.0,
        0.0,
    ]


def test_without_a_target_there_is_no_score():
    assert label_accuracy.label_accuracy([None, None], ["color", "shape"]) == []


def test_a_strong_head_goes_with_one_attribute_alone():
    nan = float("nan")
    selectivity = tensor([[0.5, 0.25], [0.5, 0.26], [0.24, 0.0], [0.9, nan], [nan, nan], [0.3, -0.1]])

    assert label_accuracy.strong(selectivity).tolist() == [True, False, False, True, False, True]
    assert not label_accuracy.strong(tensor([[0.9]])).any()


def test_a_target_is_sure_if_its_lead_exceeds_what_images_scatter():
    """Four images; mean and standard error of what color leads by: 0.2 and 0.041, then 0.2 and 0.35."""
    steady = tensor([[0.5, 0.2], [0.4, 0.3], [0.5, 0.3], [0.4, 0.2]])
    unsteady = tensor([[1.3, 0.2], [0.4, 0.3], [-0.4, 0.3], [0.5, 0.2]])

    assert label_accuracy.sure(torch.stack([steady, unsteady])).tolist() == [True, False]


def test_a_head_that_harms_what_it_is_best_for_has_no_sure_target():
    assert not label_accuracy.sure(-tensor([[[0.1, 0.2], [0.1, 0.2], [0.1, 0.2]]])).any()


def test_attributes_are_compared_over_the_images_that_answer_for_both():
    """Apart, the second attribute scatters as widely as the first leads; on shared images it never leads."""
    fall = tensor([[[0.9, 0.7], [0.1, -0.1], [0.8, 0.5], [nan, 0.7], [nan, -0.3]]])

    assert label_accuracy.sure(fall).tolist() == [True]


def test_an_attribute_that_no_image_answers_for_is_no_rival():
    assert label_accuracy.sure(tensor([[[0.5, nan], [0.4, nan], [0.5, nan]]])).tolist() == [True]


def test_a_fall_that_may_be_rounding_is_never_sure():
    assert not label_accuracy.sure(tensor([[[1e-9], [1e-9], [1e-9]]]), min_fall=1e-6).any()


def label(name, q=0.01, method="variance_share", picks=10):
    return Label(name, method, picks, 2, None, None, None, p_value=q, q_value=q)


def table(**changes):
    """Three heads: for color and strong, for shape, for weather, which no text names."""
    loss = tensor([[0.3, 0.1, 0.0], [0.1, 0.2, 0.0], [0.0, 0.1, 0.5]])
    options = {
        "evidence": {"right": loss},
        "labels": [[label("color"), label("color", q=0.5), label("color")]],
        "attributes": ["color", "shape", "weather"],
        "strong": tensor([True, False, False]),
        "properties": ["color", "shape", "food"],
        "sure": {"right": tensor([False, True, True])},
    }
    return score_rows.labels(**(options | changes)).set_index(["measure", "method", "attribute"])


def test_a_head_for_what_no_text_names_is_left_out():
    rows = table()

    assert rows.loc[("right", "variance_share", ""), "count"] == 2
    assert ("right", "variance_share", "weather") not in rows.index


def test_labels_are_scored_over_all_strong_and_supported_heads():
    rows = table()

    assert rows.loc[("right", "variance_share", "color"), "value"] == 1
    assert rows.loc[("right", "variance_share", ""), "value"] == 0.5
    assert rows.loc[("right_strong", "variance_share", ""), ["value", "count"]].tolist() == [1.0, 1]
    assert rows.loc[("right_supported", "variance_share", ""), ["value", "count"]].tolist() == [1.0, 1]
    assert rows.loc[("right_sure", "variance_share", ""), ["value", "count"]].tolist() == [0.0, 1]
    assert ("right_strong_sure", "variance_share", "") not in rows.index, "the strong head is not sure"
    assert rows.loc[("heads_strong", "variance_share", ""), ["value", "count"]].tolist() == [1.0, 3]
    assert rows.loc[("right", "commonest", ""), "value"] == 0.5


def test_a_label_that_is_no_attribute_is_wrong():
    rows = table(labels=[[label("food"), label("shape"), label("food")]])

    assert rows.loc[("right", "variance_share", "color"), "value"] == 0
    assert rows.loc[("right", "variance_share", "shape"), "value"] == 1


def test_a_pool_that_names_no_attribute_gives_no_score():
    rows = table(properties=["food"])

    assert set(rows.index.get_level_values("measure")) == {"heads_strong"}
