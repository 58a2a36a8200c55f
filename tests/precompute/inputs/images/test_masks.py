"""Lists of masks: invalid lists are refused; masks are preprocessed like their pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from precompute.inputs import images
from precompute.inputs.images import ImagesError
from tests.support.towers import small_clip

HEADER = "path,mask,object,caption\n"
ROWS = HEADER + "a.png,left.png,red circle,red circles\na.png,right.png,blue star,blue stars\n"
SIZE = (40, 20)


def save(folder: Path, name: str, values: np.ndarray) -> None:
    Image.fromarray(values.astype(np.uint8)).save(folder / name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One picture twice as wide as high, with a mask of its left and one of its right half."""
    width, height = SIZE
    left = np.zeros((height, width))
    left[:, : width // 2] = 1
    save(tmp_path, "a.png", np.stack([255 * left, 0 * left, 255 - 255 * left], axis=-1))
    save(tmp_path, "left.png", 255 * left)
    save(tmp_path, "right.png", 1 - left)  # 0 and 1, as many data sets have it
    save(tmp_path, "empty.png", 0 * left)
    save(tmp_path, "small.png", left[:10])
    save(tmp_path, "alpha.png", np.stack([0 * left, 0 * left, 0 * left, 255 * left], axis=-1))
    return tmp_path


def read_list(folder: Path, text: str) -> list[images.MaskedPicture]:
    (folder / "masks.csv").write_text(text, encoding="utf-8")
    return images.read_masks(folder / "masks.csv")


def pixels(pictures, model=None) -> images.MaskedPixels:
    model = model or small_clip()
    mean, std = model.spec.mean, model.spec.std
    return next(images.masked_pixels(pictures, model.preprocess, mean=mean, std=std))


def test_two_rows_make_a_picture_with_two_objects(folder):
    (picture,) = read_list(folder, ROWS)

    assert picture.name == "a.png" and picture.path == folder / "a.png"
    assert picture.masks == (folder / "left.png", folder / "right.png")
    assert picture.objects == ("red circle", "blue star")
    assert picture.captions == ("red circles", "blue stars")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,mask,object\n", "no column caption"),
        (HEADER, "lists no picture"),
        (HEADER + "a.png,left.png,red circle,red circles\n", "has 1 row"),
        (ROWS + "a.png,empty.png,dot,dots\n", "has 3 rows"),
        (ROWS.replace("blue stars", ""), "line 3: no caption"),
        (ROWS.replace("blue stars", "nan"), "line 3: no caption"),
        (ROWS.replace("right.png", "lost.png"), "no file 'lost.png'"),
        (ROWS.replace("blue stars", "red circles"), "both objects of a.png have the caption 'red circles'"),
        (ROWS.replace("right.png", "left.png"), "both objects of a.png have the mask"),
    ],
)
def test_an_invalid_list_is_refused(folder, text, message):
    with pytest.raises(ImagesError, match=message):
        read_list(folder, text)


@pytest.mark.parametrize("read", [images.check_masks, pixels])
@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ("empty.png", "is empty"),
        ("small.png", "40 x 10 pixels, but .*a.png has 40 x 20"),
        ("alpha.png", "transparent pixels"),  # composited over white, it would be its negative
    ],
)
def test_a_mask_that_is_empty_transparent_or_of_another_size_is_refused_at_the_start_too(
    folder, read, mask, message
):
    with pytest.raises(ImagesError, match=message):
        read(read_list(folder, ROWS.replace("right.png", mask)))


def test_a_mask_is_cropped_like_its_picture(folder):
    """The crop is the middle square: its left half is red and masked, its right half is not."""
    masked = pixels(read_list(folder, ROWS))

    assert masked.pixels.shape == (3, 32, 32) and masked.masks.shape == (2, 32, 32)
    red = masked.pixels[0] > 0
    inner = torch.ones(32, 32, dtype=torch.bool)
    inner[:, 14:18] = False  # resizing blurs the border
    assert torch.equal((masked.masks[0] > 0.5)[inner], red[inner])
    assert torch.equal((masked.masks[1] > 0.5)[inner], ~red[inner])
    assert red[:, :14].all() and not red[:, 18:].any()


def test_scores_depend_on_bytes_and_captions_and_not_on_names(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    for old, new in [("a.png", "b.png"), ("left.png", "l.png"), ("right.png", "r.png")]:
        (other / new).write_bytes((folder / old).read_bytes())
    renamed = ROWS.replace("a.png", "b.png").replace("left.png", "l.png").replace("right.png", "r.png")

    first = images.mask_identity(read_list(folder, ROWS))
    assert first == images.mask_identity(read_list(other, renamed))
    assert first != images.mask_identity(read_list(folder, ROWS.replace("blue stars", "blue hearts")))
    save(folder, "right.png", np.eye(*SIZE[::-1]))
    assert first != images.mask_identity(read_list(folder, ROWS))
