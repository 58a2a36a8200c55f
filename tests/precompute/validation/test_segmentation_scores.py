"""Segmentation by maps of a model, from end to end."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import normalize

from precompute import clip, demo
from precompute.demo.world.scenes import COLORS
from precompute.inputs import model_specs
from precompute.method import decomposition
from precompute.validation import segmentation, segmentation_scores
from tests.support.segmented import SCENES, write_classes, write_scenes, written
from tests.support.towers import small_clip


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("segmented"))


@pytest.fixture(scope="module")
def classes(tmp_path_factory) -> Path:
    return write_classes(tmp_path_factory.mktemp("classes"))


def figures_of(*inputs, **options) -> segmentation.Figures:
    return segmentation.figures(segmentation_scores.answers(*inputs, **options))


def test_the_map_is_of_the_likeliest_class_less_the_mean_class(tmp_path):
    """The figures of one picture, computed here from contributions of tokens in d_out, head by head."""
    model = small_clip()
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)
    mask = np.zeros((32, 32), bool)
    mask[4:20, 10:30] = True
    text = normalize(torch.randn(7, model.d_out, generator=torch.Generator().manual_seed(1)), dim=-1)

    found = figures_of(model, written(tmp_path / "one.mat", [(image, mask)]), text)

    pixels = model.preprocess(Image.fromarray(image))[None]
    likeliest = int((clip.encode_image(model, pixels) @ text.T).argmax())
    weights = clip.vision_weights(model)
    plan = decomposition.plan(weights, decomposition.head_spaces(weights, (0, 1, 2)))
    _, token = decomposition.decompose_tokens(plan, clip.capture_tokens(model, pixels, (0, 1, 2)))
    summed = sum(
        token[0, layer, head, 1:] @ plan.spaces.basis[layer, head] for layer in range(3) for head in range(3)
    )  # [patch, d_out]
    along = summed @ text.T
    grid = (along[:, likeliest] - along.mean(dim=1)).reshape(2, 2)
    expected = segmentation.figures(
        [segmentation.answer(segmentation.heat(grid, 32), torch.from_numpy(mask))]
    )
    assert tuple(found) == pytest.approx(tuple(expected), abs=1e-3)
    assert 0.2 < expected.mean_precision < 1


def test_only_pictures_that_are_no_squares_tell_the_released_cropping_from_squashing(tmp_path):
    model = small_clip()
    rng = np.random.default_rng(1)
    text = torch.eye(model.d_out)[:5]
    square, wide = (
        written(
            tmp_path / f"{width}.mat",
            [(rng.integers(0, 256, (40, width, 3)).astype(np.uint8), np.eye(40, width) > 0)],
        )
        for width in (40, 80)
    )

    def both(path):
        return [figures_of(model, path, text, as_released=how) for how in (False, True)]

    assert both(square)[0] == both(square)[1]
    assert both(wide)[0] != both(wide)[1]


def test_a_trained_model_segments_objects_better_than_its_control(scenes, classes):
    found = {}
    for name in (demo.MODEL_NAME, f"{demo.MODEL_NAME}-random-0"):
        model = clip.load(model_specs.resolve(name, clip.catalog()))
        text = segmentation_scores.class_texts(model, classes)
        assert text.shape == (len(COLORS), model.d_out)
        found[name] = figures_of(model, scenes, text)

    trained, control = found.values()
    assert trained.pictures == SCENES
    assert trained.mean_iou > 0.5 > control.mean_iou
    assert trained.mean_precision > 0.9 > control.mean_precision
