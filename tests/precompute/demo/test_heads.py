"""The demo models' heads specialize: there is something for labels to be right about."""

from collections import Counter

import numpy as np
import pytest
import torch

from precompute import clip
from precompute.demo import IMAGE_SIZE, MODELS
from precompute.demo.cache import cached_scenes
from precompute.demo.model import normalized
from precompute.demo.scenes import content_of
from precompute.demo.scoring import VALUES, value_indices
from precompute.demo.words import PROPERTIES
from precompute.inputs import model_specs
from precompute.method import decomposition
from precompute.method.selectivity import epsilon_squared
from precompute.validation.label_accuracy import strong

SEED, SCENES = 4, 500


@pytest.fixture(scope="module")
def pixels(tmp_path_factory) -> torch.Tensor:
    folder = tmp_path_factory.mktemp("held_out")
    seen = cached_scenes(folder, count=SCENES, seed=SEED, side=IMAGE_SIZE, kinds=1)
    return normalized(torch.from_numpy(np.array(seen)))


def strong_heads(name: str, pixels: torch.Tensor) -> Counter[str]:
    """Of each attribute, the heads of the last four layers that are about it above all."""
    model = clip.load(model_specs.resolve(name, clip.catalog()))
    weights = clip.vision_weights(model)
    layers = clip.last_layers(model, 4)
    plan = decomposition.plan(weights, decomposition.head_spaces(weights, layers))
    coordinates = torch.cat(
        [decomposition.decompose(plan, clip.capture(model, part, layers)).head for part in pixels.split(100)]
    ).flatten(1, 2)
    contents = [content_of(index, SEED, kinds=1) for index in range(SCENES)]
    found = torch.stack(
        [
            epsilon_squared(
                coordinates, torch.tensor([value_indices(content, of)[0] for content in contents])
            )
            for of in PROPERTIES
        ],
        dim=1,
    )
    return Counter(PROPERTIES[place] for place in found[strong(found)].argmax(dim=1).tolist())


@pytest.mark.parametrize("name", list(MODELS))
def test_three_heads_or_more_are_about_each_of_four_attributes(name, pixels):
    heads = strong_heads(name, pixels)

    assert set(heads) <= set(VALUES)
    assert sum(count >= 3 for count in heads.values()) >= 4, heads


def test_a_random_weights_twin_has_no_such_heads_of_more_than_one_attribute(pixels):
    heads = strong_heads("ViT-demo-S-16/scenes_1-random-0", pixels)

    assert sum(count >= 3 for count in heads.values()) <= 1, heads


def test_a_model_that_seldom_hears_of_colors_has_fewer_color_heads(pixels):
    often, seldom = (
        strong_heads(name, pixels)["color"]
        for name in ("ViT-demo-S-16/scenes_1", "ViT-demo-L-16/few_colors_1")
    )

    assert seldom < often / 2
