"""The ImageNet-Segmentation protocol: its file, the cut, the figures, a model from end to end."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from PIL import Image
from torch import tensor
from torch.nn.functional import normalize

from precompute import clip, demo
from precompute.__main__ import main
from precompute.demo import words
from precompute.demo.scenes import COLORS, draw
from precompute.inputs import model_specs
from precompute.inputs.images import ImagesError
from precompute.method import decomposition
from precompute.validation import segmentation, segmentation_scores
from tests.support.segmented import written
from tests.support.towers import small_clip

SCENES = 6


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Path:
    """Scenes of one kind, wider than high."""
    drawn = [draw(index, 43, kinds=1) for index in range(SCENES)]
    pictures = [(scene.image[24:232], scene.mask[0, 24:232]) for scene in drawn]
    return written(tmp_path_factory.mktemp("segmented") / "scenes.mat", pictures)


@pytest.fixture(scope="module")
def classes(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("classes") / "colors.txt"
    path.write_text("\n".join(words.prompt("color", color) for color in COLORS) + "\n")
    return path


def test_pictures_and_masks_come_out_as_they_went_in(scenes):
    found = list(segmentation.read(scenes))

    assert segmentation.count(scenes) == len(found) == SCENES
    for number, picture in enumerate(found):
        scene = draw(number, 43, kinds=1)
        assert np.array_equal(np.asarray(picture.image), scene.image[24:232])
        assert np.array_equal(np.asarray(picture.mask), scene.mask[0, 24:232])


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

    found = segmentation.figures(segmentation.answer(mask.float(), mask))

    assert found == segmentation.Figures(1.0, 1.0, 1.0, 1)


def test_a_map_without_a_positive_value_says_background_everywhere():
    mask = tensor([[True, False], [False, False]])

    found = segmentation.figures(segmentation.answer(torch.zeros(2, 2), mask))

    # Background: 3 of 4 pixels; object: none. Eight equal answers, half of them right.
    assert found == segmentation.Figures(0.75, 0.75 / 2, 0.5, 1)


def test_iou_is_of_all_pixels_together_and_precision_the_mean_of_pictures():
    """One picture right everywhere, one wrong everywhere: IoU of sums, not the mean of 1 and 0."""
    mask = tensor([[True, True], [True, False]])
    right = segmentation.answer(mask.float(), mask)
    wrong = segmentation.answer(1 - mask.float(), mask)

    found = segmentation.figures(right.plus(wrong))

    assert found.pixel_accuracy == 0.5
    assert found.mean_iou == pytest.approx((1 / 5 + 3 / 7) / 2)
    assert found.mean_precision == pytest.approx((1 + 0.5) / 2)
    assert found.pictures == 2


def test_the_map_is_of_the_likeliest_class_less_the_mean_class(tmp_path):
    """The figures of one picture, computed here from contributions of tokens in d_out, head by head."""
    model = small_clip()
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)
    mask = np.zeros((32, 32), bool)
    mask[4:20, 10:30] = True
    text = normalize(torch.randn(7, model.d_out, generator=torch.Generator().manual_seed(1)), dim=-1)

    found = segmentation_scores.score(model, written(tmp_path / "one.mat", [(image, mask)]), text)

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
    expected = segmentation.figures(segmentation.answer(segmentation.heat(grid, 32), torch.from_numpy(mask)))
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
        return [segmentation_scores.score(model, path, text, as_released=how) for how in (False, True)]

    assert both(square)[0] == both(square)[1]
    assert both(wide)[0] != both(wide)[1]


def test_a_trained_model_cuts_out_objects_better_than_its_twin(scenes, classes):
    found = {}
    for name in (demo.MODEL_NAME, f"{demo.MODEL_NAME}-random-0"):
        model = clip.load(model_specs.resolve(name, clip.catalog()))
        text = segmentation_scores.class_texts(model, classes)
        assert text.shape == (len(COLORS), model.d_out)
        found[name] = segmentation_scores.score(model, scenes, text)

    trained, twin = found.values()
    assert trained.pictures == SCENES
    assert trained.mean_iou > 0.5 > twin.mean_iou
    assert trained.mean_precision > 0.9 > twin.mean_precision


def test_imagenets_prompts_are_a_thousand_classes_by_eighty():
    prompts = clip.imagenet_prompts()

    assert len(prompts) == 1000 and {len(of_class) for of_class in prompts} == {80}
    assert prompts[1][0] == "a bad photo of a goldfish."


def test_a_command_prints_the_figures_beside_the_published_ones(scenes, classes, capsys):
    command = ["score-maps", "--model", demo.MODEL_NAME, "--segmentation", str(scenes)]

    code = main([*command, "--classes", str(classes), "--limit", "2"])

    said = capsys.readouterr().out
    assert code == 0
    assert "pictures and masks squashed" in said
    assert [line.split()[-4:] for line in said.splitlines() if "published" in line] == [
        ["75.21", "54.50", "81.61", "4276"]
    ]


def test_classes_with_words_the_model_never_saw_are_refused(scenes, tmp_path, capsys):
    (tmp_path / "classes.txt").write_text("a photo of a goldfish.\na photo of a red star\n")
    command = ["score-maps", "--model", demo.MODEL_NAME, "--segmentation", str(scenes)]

    assert main([*command, "--classes", str(tmp_path / "classes.txt")]) == 1
    assert "goldfish" in capsys.readouterr().err
