"""Accuracy without MLPs and early layers, on hand-made parts."""

import numpy as np
import pytest
import torch
from torch import tensor

from precompute.tools.verify_paper import classes, published_figures
from precompute.tools.verify_paper.accuracy_checks import ablation, standard_errors
from precompute.tools.verify_paper.image_pass import PassResult
from precompute.validation import segmentation


def seen(right_without_early, right_without_mlps):
    """200 images of two classes, all right, of which so many stay right without early layers or MLPs.

    Late attention points to the class; where it does not, early layers or MLPs outweigh it.
    """
    own = torch.arange(200) % 2
    sign = (1.0 - 2 * own)[:, None]
    early, mlps = torch.zeros(200, 2), torch.zeros(200, 2)
    late = sign * tensor([1.0, -1.0])
    late[right_without_early:] *= -1
    early[right_without_early:] = -2 * late[right_without_early:]
    late[: 200 - right_without_mlps] *= -1
    mlps[: 200 - right_without_mlps] = -2 * late[: 200 - right_without_mlps]
    whole = early + mlps + late
    return own, PassResult([], whole, early, mlps, None, 0.0, 0.0)


def test_accuracy_and_its_losses_are_those_of_hand_made_parts(published):
    own, parts = seen(right_without_early=190, right_without_mlps=196)

    found = ablation(parts, own, torch.eye(2), published_figures.load("m", published))

    assert [one.ours for one in found] == pytest.approx([100, 2, 5])
    assert [one.status for one in found] == ["FAIL", "PASS", "PASS"]  # published: 90, and 1 to 3


def test_early_layers_that_cost_more_than_late_ones_fail(published):
    own, parts = seen(right_without_early=60, right_without_mlps=200)

    assert ablation(parts, own, torch.eye(2), {})[2].status == "FAIL"


def test_a_model_that_is_never_right_does_not_pass_for_losing_nothing():
    own, parts = seen(right_without_early=200, right_without_mlps=200)

    found = ablation(parts, 1 - own, torch.eye(2), {})

    assert [one.ours for one in found[:2]] == [0, 0]
    assert found[2].status == "FAIL"


def test_published_accuracy_is_compared_over_all_classes_only(published):
    own, parts = seen(right_without_early=190, right_without_mlps=196)

    found = ablation(parts, own, torch.eye(3, 2), published_figures.load("m", published))

    assert [one.status for one in found] == ["NOTED", "NOTED", "PASS"]
    assert "not of all 3 classes" in found[0].note


def test_images_of_no_class_are_left_out():
    own, parts = seen(right_without_early=190, right_without_mlps=200)
    own[:100] = classes.NONE

    assert ablation(parts, own, torch.eye(2), {})[2].ours == pytest.approx(10)


def test_the_error_of_segmentation_shrinks_with_pictures():
    rng = np.random.default_rng(0)
    answers = [
        segmentation.Answer(int(right), 100, tensor([right, 5]), tensor([100, 50]), right / 100)
        for right in rng.integers(40, 100, 64)
    ]

    few, many = standard_errors(answers[:16]), standard_errors(answers)

    assert many[0] == pytest.approx(np.std([one.right for one in answers]) / 100 / 8, rel=0.3)
    assert all(large > small for large, small in zip(few, many, strict=True))
