"""Contributions of the planted model equal the plan."""

import numpy as np
import pytest

from precompute import clip
from precompute.demo.planted import model as planted_model
from precompute.demo.planted.expected import EARLIER, TOLERANCE, length, parts
from precompute.demo.planted.weights import directions
from precompute.method import decomposition
from tests.support.contributions import contributions
from tests.support.planted import in_features


def test_every_contribution_of_every_picture_follows_the_plan(model, pixels):
    spaces = decomposition.head_spaces(clip.vision_weights(model), (1, 2))
    plan = decomposition.plan(clip.vision_weights(model), spaces)

    parted = decomposition.decompose(plan, clip.capture(model, pixels, (1, 2)))

    by_component = contributions(parted, spaces)
    early, later = parts()[:, :EARLIER].sum(axis=1, keepdims=True), parts()[:, EARLIER:]
    assert np.abs(in_features(by_component) - np.hstack([early, later]) / length()).max() < TOLERANCE
    assert (
        np.abs(in_features(by_component) @ directions() - by_component.numpy()).max() < TOLERANCE
    )  # and nothing else
    assert parted.sum_error.max() < 1e-6


def test_before_the_decomposed_layers_only_attention_depends_on_the_picture(model, pixels):
    """Input and MLP of the first layer contribute only their seventh of the cone."""
    spaces = decomposition.head_spaces(clip.vision_weights(model), (1, 2))
    plan = decomposition.plan(clip.vision_weights(model), spaces)

    earlier = decomposition.earlier(plan, clip.capture(model, pixels, (1, 2)))

    by_component = in_features(earlier)  # [image, input or attention or mlp, feature]
    assert np.abs(by_component - parts()[:, :EARLIER] / length()).max() < TOLERANCE
    red, cone = (
        by_component[0, :, planted_model.FEATURES.index(feature)] * length() for feature in ("red", "cone")
    )
    assert red == pytest.approx([0, 3 / 8, 0], abs=TOLERANCE * length())
    assert cone == pytest.approx([3 / 7] * 3, abs=TOLERANCE * length())


def test_the_first_picture_in_plain_numbers(model, pixels):
    """Six red, a green and a blue circle at the left; a head has 1/4 of the bias, 1/28 of the cone."""
    spaces = decomposition.head_spaces(clip.vision_weights(model), (1, 2))
    plan = decomposition.plan(clip.vision_weights(model), spaces)

    parted = decomposition.decompose(plan, clip.capture(model, pixels[:1], (1, 2)))

    by_component = 3.8580231 * in_features(contributions(parted, spaces))[0]
    values = [
        {
            feature: round(value, 3)
            for feature, value in zip(planted_model.FEATURES, part, strict=True)
            if abs(value) > 1e-3
        }
        for part in by_component
    ]
    constant = {"bias": 0.1, "cone": 0.107}
    assert values[0] == {"red": 0.375, "green": 0.062, "blue": 0.062, "cone": 1.286}  # early
    assert values[1] == {"red": 0.75, "green": 0.125, "blue": 0.125} | constant
    assert values[2] == {"circles": 0.8} | constant
    assert set(values[3]) == {*planted_model.NOISE_WORDS, "bias", "cone"}
    assert values[4] == constant  # silent
    assert values[5] == {"left": 0.7, "cone": 0.107}
    assert values[6] == {"circles": 0.48, "cone": 0.107}  # 0.6 of what L1.H1 wrote
    assert set(values[7]) == {*planted_model.MUTE, "cone"}
    assert values[8:] == [{"cone": 0.107}, {"cone": 0.429}, {"cone": 0.429}]  # silent, and the MLPs


def test_with_all_layers_the_early_color_is_a_separate_head(model, pixels):
    spaces = decomposition.head_spaces(clip.vision_weights(model), (0, 1, 2))
    plan = decomposition.plan(clip.vision_weights(model), spaces)

    parted = decomposition.decompose(plan, clip.capture(model, pixels, (0, 1, 2)))

    by_component = in_features(contributions(parted, spaces))  # [image, component, feature]
    early, of_l0h0, of_l1h0 = (by_component[:, component, :-1] for component in (0, 1, 5))  # less the cone
    assert np.abs(early).max() < TOLERANCE  # before the heads the class token is the same for all pictures
    assert np.abs(of_l0h0[:, :3] - of_l1h0[:, :3] / 2).max() < TOLERANCE
    assert by_component[..., -1].sum(axis=1) == pytest.approx(3 / length(), abs=TOLERANCE)
