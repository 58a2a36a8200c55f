"""A folder of scenes: pictures, attributes, captions and masks."""

import csv

import numpy as np
from PIL import Image

from precompute.demo.folder import write_scenes
from precompute.demo.scenes import content_of, draw
from precompute.demo.words import PLURAL
from precompute.inputs import images

SEED = 11


def test_a_folder_has_pictures_attributes_and_masks(tmp_path):
    write_scenes(tmp_path, count=4, seed=SEED, masks=True)

    header, *rows = (tmp_path / "attributes.csv").read_text().splitlines()
    assert header.startswith("path,color,shape,pattern,background,count,position")
    assert [row.split(",")[0] for row in rows] == sorted(path.name for path in tmp_path.glob("*.png"))
    assert len((tmp_path / "captions.csv").read_text().splitlines()) == 5
    kinds = sum(len(content_of(index, SEED).kinds) for index in range(4))
    assert len(list((tmp_path / ".masks").glob("*.png"))) == kinds
    assert [file.relative for file in images.gather(tmp_path).files] == [row.split(",")[0] for row in rows]


def test_every_mask_has_a_caption_that_names_its_object(tmp_path):
    write_scenes(tmp_path, count=3, seed=SEED, masks=True, kinds=2)

    with open(tmp_path / "masks.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [f"scene_{index:05d}.png" for index in (0, 0, 1, 1, 2, 2)]
    for number, row in enumerate(rows):
        scene = draw(number // 2, SEED, kinds=2)
        kind = scene.content.kinds[number % 2]
        assert row["caption"] == f"a picture with {kind.color} {PLURAL[kind.shape]}"
        mask = np.asarray(Image.open(tmp_path / row["mask"]))
        assert np.array_equal(mask, scene.mask[number % 2])


def test_a_scene_of_one_kind_has_no_mask_rows(tmp_path):
    write_scenes(tmp_path, count=8, seed=SEED, masks=True)

    with open(tmp_path / "masks.csv", newline="") as file:
        paths = {row["path"] for row in csv.DictReader(file)}
    two = {f"scene_{index:05d}.png" for index in range(8) if len(content_of(index, SEED).kinds) == 2}
    assert paths == two and 0 < len(two) < 8


def test_a_folder_written_twice_has_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_scenes(tmp_path / name, count=2, seed=SEED)

    files = [sorted((tmp_path / name).iterdir()) for name in ("a", "b")]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
