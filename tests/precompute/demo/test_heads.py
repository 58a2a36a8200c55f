"""The heads of the demo models specialize, so that labels can be validated on them."""

from collections import Counter
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch

from precompute import clip
from precompute.demo import IMAGE_SIZE, IN_BUNDLE
from precompute.demo.models.build import normalized
from precompute.demo.models.cache import cached_scenes
from precompute.demo.models.scoring import value_indices
from precompute.demo.world.scenes import content_of
from precompute.inputs import model_specs
from precompute.method import decomposition
from precompute.method.selectivity import epsilon_squared
from precompute.validation.label_accuracy import strong

SEED, SCENES = 4, 200
ATTRIBUTES = ("category", "color", "background", "counting", "position")


@pytest.fixture(scope="module")
def pixels(tmp_path_factory) -> torch.Tensor:
    folder = tmp_path_factory.mktemp("held_out")
    scenes = cached_scenes(folder, count=SCENES, seed=SEED, side=IMAGE_SIZE, kinds=1)
    return normalized(torch.from_numpy(np.array(scenes)))


@pytest.fixture(scope="module")
def strong_heads(pixels) -> Callable[[str], Counter[str]]:
    """Counts the strong heads of a model, once for all tests."""
    return cache(lambda name: count_strong_heads(name, pixels))


def count_strong_heads(name: str, pixels: torch.Tensor) -> Counter[str]:
    """Returns for each attribute the number of heads in the last four layers that are selective for it."""
    model = clip.load(model_specs.resolve(name, clip.catalog()))
    weights = clip.vision_weights(model)
    layers = clip.last_layers(model, 4)
    plan = decomposition.plan(weights, decomposition.head_spaces(weights, layers))
    coordinates = torch.cat(
        [decomposition.decompose(plan, clip.capture(model, part, layers)).head for part in pixels.split(100)]
    ).flatten(1, 2)
    effect = torch.stack([selectivity(coordinates, attribute) for attribute in ATTRIBUTES], dim=1)
    return Counter(ATTRIBUTES[index] for index in effect[strong(effect)].argmax(dim=1).tolist())


def selectivity(coordinates: torch.Tensor, attribute: str) -> torch.Tensor:
    """Returns ε² of every head over the scenes whose value is known: natural things have no color."""
    values = [value_indices(content_of(index, SEED, kinds=1), attribute) for index in range(SCENES)]
    is_known = torch.tensor([bool(value) for value in values])
    return epsilon_squared(coordinates[is_known], torch.tensor([value[0] for value in values if value]))


@pytest.mark.parametrize("name", IN_BUNDLE)
def test_several_attributes_have_heads_of_their_own(name, strong_heads):
    heads = strong_heads(name)

    assert sum(heads.values()) >= 10, heads
    assert heads["position"] >= 2 and heads["background"] >= 1, heads


def test_a_random_weights_control_has_at_most_one_such_head(strong_heads):
    assert strong_heads("ViT-emoji-S-16/pictures_1-random-0").total() <= 1


def test_a_model_trained_with_fewer_color_captions_has_fewer_color_heads(strong_heads):
    all_colors = strong_heads("ViT-emoji-S-16/pictures_1")["color"]
    few_colors = strong_heads("ViT-emoji-L-12/few_colors_1")["color"]

    assert few_colors < all_colors / 2


def test_a_model_that_is_fine_tuned_without_colors_has_fewer_color_heads(strong_heads):
    before = strong_heads("ViT-emoji-S-16/pictures_1")["color"]
    after = strong_heads("ViT-emoji-S-16/no_colors_1")["color"]

    assert after < before
