"""The heads of the demo models specialize, so that labels can be validated on them."""

from collections import Counter
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch

from precompute import clip
from precompute.demo import IMAGE_SIZE, MODELS
from precompute.demo.cache import cached_scenes
from precompute.demo.models.build import normalized
from precompute.demo.scenes import content_of
from precompute.demo.scoring import VALUES, value_indices
from precompute.demo.words import PROPERTIES
from precompute.inputs import model_specs
from precompute.method import decomposition
from precompute.method.selectivity import epsilon_squared
from precompute.validation.label_accuracy import strong

SEED, SCENES = 4, 200


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
    contents = [content_of(index, SEED, kinds=1) for index in range(SCENES)]
    effect = torch.stack(
        [
            epsilon_squared(
                coordinates, torch.tensor([value_indices(content, property_)[0] for content in contents])
            )
            for property_ in PROPERTIES
        ],
        dim=1,
    )
    return Counter(PROPERTIES[index] for index in effect[strong(effect)].argmax(dim=1).tolist())


@pytest.mark.parametrize("name", list(MODELS))
def test_at_least_four_attributes_have_three_selective_heads(name, strong_heads):
    heads = strong_heads(name)

    assert set(heads) <= set(VALUES)
    assert sum(count >= 3 for count in heads.values()) >= 4, heads


def test_a_random_weights_control_has_such_heads_for_at_most_one_attribute(strong_heads):
    heads = strong_heads("ViT-demo-S-16/scenes_1-random-0")

    assert sum(count >= 3 for count in heads.values()) <= 1, heads


def test_a_model_trained_with_fewer_color_captions_has_fewer_color_heads(strong_heads):
    all_colors = strong_heads("ViT-demo-S-16/scenes_1")["color"]
    few_colors = strong_heads("ViT-demo-L-16/few_colors_1")["color"]

    assert few_colors < all_colors / 2
