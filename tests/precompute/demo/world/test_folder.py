"""A folder of scenes: pictures, attributes, captions, masks and the license of the artwork."""

import csv

import numpy as np
import pytest
from PIL import Image

from precompute.demo.world.artwork import CREDIT, NATURAL
from precompute.demo.world.folder import row, write_scenes
from precompute.demo.world.scenes import Content, Kind, content_of, draw
from precompute.inputs import images

SEED, COUNT = 11, 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("scenes")
    write_scenes(path, count=COUNT, seed=SEED, masks=True)
    return path


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_a_folder_has_pictures_attributes_and_masks(folder):
    names = [row["path"] for row in read(folder / "attributes.csv")]

    assert names == sorted(path.name for path in folder.glob("*.png"))
    assert len(read(folder / "captions.csv")) == COUNT
    kinds = sum(len(content_of(index, SEED).kinds) for index in range(COUNT))
    assert len(list((folder / ".masks").glob("*.png"))) == kinds
    assert [file.relative for file in images.gather(folder).files] == names


def test_the_folder_names_the_artist_and_the_license(folder):
    note = (folder / "LICENSE.txt").read_text(encoding="utf-8")

    assert CREDIT in note and "https://creativecommons.org/licenses/by/4.0/" in note and "Changes:" in note


def test_a_noun_is_a_value_of_its_property_and_an_unknown_color_is_left_out():
    kinds = (Kind("owl", NATURAL, 2, "left"), Kind("bee", "red", 2, "right"))

    values = row("a.png", Content("wood", kinds), 0, SEED)

    assert values["category"] == "bird|insect" and values["animal"] == "owl|bee" and values["food"] == ""
    assert values["color"] == "red" and values["counting"] == "2" and values["position"] == "left|right"


def test_every_mask_of_two_kinds_has_a_caption_that_names_its_thing(folder):
    rows = read(folder / "masks.csv")

    double = [index for index in range(COUNT) if len(content_of(index, SEED).kinds) == 2]
    assert [row["path"] for row in rows] == [f"scene_{index:05d}.png" for index in double for _ in (0, 1)]
    for number, values in enumerate(rows):
        scene = draw(double[number // 2], SEED)
        kind = scene.content.kinds[number % 2]
        assert kind.noun in values["object"] and kind.color in values["caption"].split() + [NATURAL]
        mask = np.asarray(Image.open(folder / values["mask"]))
        assert np.array_equal(mask, scene.mask[number % 2])


def test_a_folder_written_twice_has_the_same_bytes(folder, tmp_path):
    write_scenes(tmp_path, count=2, seed=SEED)

    for path in tmp_path.glob("*.png"):
        assert path.read_bytes() == (folder / path.name).read_bytes()
