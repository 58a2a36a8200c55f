"""The ImageNet-Segmentation protocol: its file, the cut, the figures."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from torch import tensor

from precompute import demo
from precompute.__main__ import main
from precompute.demo.world.scenes import draw
from precompute.inputs.images import ImagesError
from precompute.validation import segmentation
from tests.support.segmented import SCENES, write_scenes


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("segmented"))


def test_pictures_and_masks_come_out_as_they_went_in(scenes):
    found = list(segmentation.read(scenes))

    assert segmentation.count(scenes) == len(found) == SCENES
    for number, (image, mask) in enumerate(found):
        scene = draw(number, 43, kinds=1)
        assert np.array_equal(np.asarray(image), scene.image[24:232])
        assert np.array_equal(np.asarray(mask), scene.mask[0, 24:232])


@pytest.mark.parametrize("content", ["text", "other"])
def test_another_file_is_refused_with_the_name_of_the_right_one(tmp_path, content):
    path = tmp_path / "wrong.mat"
    if content == "text":
        path.write_text("no HDF5")
    else:
        with h5py.File(path, "w") as file:
            file.create_dataset("value/img", data=[1])

    with pytest.raises(ImagesError, match="gtsegs_ijcv.mat"):
        segmentation.count(path)


def test_heat_is_clipped_at_zero_and_runs_from_zero_to_one():
    grid = tensor([[-3.0, -1.0], [-1.0, 4.0]])

    found = segmentation.heat(grid, 2)

    assert found.tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize("grid", [[[-1.0, -2.0], [-3.0, -4.0]], [[2.0, 2.0], [2.0, 2.0]]])
def test_heat_without_a_rise_is_zero(grid):
    assert not segmentation.heat(tensor(grid), 4).any()


def test_one_pictures_pixels_are_counted():
    """Heat 1, 0.5, 0.2, 0.1 has mean 0.45: two pixels are called object, one of them rightly."""
    heat, mask = tensor([[1.0, 0.5], [0.2, 0.1]]), tensor([[True, False], [True, False]])

    found = segmentation.answer(heat, mask)

    assert (found.right, found.pixels) == (2, 4)
    assert found.intersection.tolist() == [1, 1] and found.union.tolist() == [3, 3]
    # Ranked: 1 (object, right), 0.9 (background of the last, right), 0.8 (wrong), then 0.5 twice: the object
    # of the second is wrong, its background right; 0.2 (right), 0.1 (wrong), 0 (wrong).
    assert found.precision == pytest.approx((1 / 1 + 2 / 2 + 3 / 5 + 4 / 6) / 4)


def test_a_map_equal_to_the_mask_is_perfect():
    mask = torch.zeros(8, 8, dtype=torch.bool)
    mask[2:5, 3:7] = True

    found = segmentation.figures([segmentation.answer(mask.float(), mask)])

    assert found == segmentation.Figures(1.0, 1.0, 1.0, 1)


def test_a_map_without_a_positive_value_says_background_everywhere():
    mask = tensor([[True, False], [False, False]])

    found = segmentation.figures([segmentation.answer(torch.zeros(2, 2), mask)])

    # Background: 3 of 4 pixels; object: none. Eight equal answers, half of them right.
    assert found == segmentation.Figures(0.75, 0.75 / 2, 0.5, 1)


def test_iou_is_of_all_pixels_together_and_precision_the_mean_of_pictures():
    """One picture right everywhere, one wrong everywhere: IoU of sums, not the mean of 1 and 0."""
    mask = tensor([[True, True], [True, False]])
    right = segmentation.answer(mask.float(), mask)
    wrong = segmentation.answer(1 - mask.float(), mask)

    found = segmentation.figures([right, wrong])

    assert found.pixel_accuracy == 0.5
    assert found.mean_iou == pytest.approx((1 / 5 + 3 / 7) / 2)
    assert found.mean_precision == pytest.approx((1 + 0.5) / 2)
    assert found.pictures == 2


def test_classes_with_words_the_model_never_saw_are_refused(scenes, tmp_path, capsys):
    (tmp_path / "classes.txt").write_text("a photo of a goldfish.\na photo of a red star\n")
    command = ["score-maps", "--model", demo.MODEL_NAME, "--segmentation", str(scenes)]

    assert main([*command, "--classes", str(tmp_path / "classes.txt")]) == 1
    assert "goldfish" in capsys.readouterr().err
