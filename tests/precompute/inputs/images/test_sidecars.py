"""Sidecars give attributes to the images of their key."""

import json
import tarfile
from pathlib import Path

import pytest

from precompute.inputs import images
from precompute.inputs.images import ImagesError
from tests.support.pictures import encoded, noise, tar

PNG = encoded(noise(9, 7))


def values(path: Path, **options) -> set[tuple[str, str, str]]:
    return {(row.name, row.attribute, row.value) for row in images.index(path, **options).values}


def names(index: images.TarIndex) -> list[str]:
    return [image.name for image in index.images]


def test_sidecars_give_attributes_to_the_image_of_their_key(tmp_path):
    fields = {
        "color": "red | blue",
        "count": 2,
        "size": 0.5,
        "old": True,
        "nothing": None,
        "boxes": [1, 2],
        "more": {"a": 1},
        "empty": " ",
    }
    path = tar(
        tmp_path / "a.tar",
        {
            "in/0.cls": "7\n",
            "in/0.json": json.dumps(fields),
            "in/0.png": PNG,
            "in/1.png": PNG,
            "out/0.png": PNG,
            "out/0.cls": "8",
        },
    )

    assert values(path) == {
        ("in/0.png", "class", "7"),
        ("in/0.png", "color", "red"),
        ("in/0.png", "color", "blue"),
        ("in/0.png", "count", "2"),
        ("in/0.png", "size", "0.5"),
        ("in/0.png", "old", "true"),
        ("out/0.png", "class", "8"),
    }


def test_all_images_of_a_key_get_the_values_of_its_sidecars(tmp_path):
    path = tar(tmp_path / "a.tar", {"0.left.png": PNG, "0.right.png": PNG, "0.cls": "7"})

    assert values(path) == {("0.left.png", "class", "7"), ("0.right.png", "class", "7")}


def test_a_cls_overrides_the_class_of_a_json(tmp_path):
    path = tar(tmp_path / "a.tar", {"0.json": '{"class": "fish"}', "0.png": PNG, "0.cls": "7"})

    assert values(path) == {("0.png", "class", "7")}


def test_captions_are_dropped_and_counted_by_default(tmp_path):
    json_too = '{"caption": "a fish | fresh", "color": "red"}'
    path = tar(tmp_path / "a.tar", {"0.png": PNG, "0.txt": "a fish | fresh\n", "0.json": json_too})

    assert values(path) == {("0.png", "color", "red")}
    assert images.index(path).captions == 2
    assert values(path, captions=True) == {("0.png", "color", "red"), ("0.png", "caption", "a fish | fresh")}


def test_an_unreadable_sidecar_is_named_and_its_image_kept(tmp_path):
    path = tar(
        tmp_path / "a.tar", {"0.png": PNG, "0.json": "{", "1.json": "[1]", "2.cls": b"\xff", "1.png": PNG}
    )

    index = images.index(path)

    assert names(index) == ["0.png", "1.png"]
    assert index.unread == [
        ("0.json", "not JSON"),
        ("1.json", "not a JSON object of fields"),
        ("2.cls", "not UTF-8"),
    ]


def empty_members(path: Path, *members: str) -> Path:
    with tarfile.open(path, "w") as file:
        for name in members:
            member = tarfile.TarInfo(name)
            file.addfile(member)
    return path


@pytest.mark.parametrize(
    "members", [("0.cls", "0.png", "0.cls"), ("a.1.cls", "a.1.png", "a.2.cls", "a.2.png")]
)
def test_two_sidecars_of_one_key_are_refused(tmp_path, members):
    with pytest.raises(ImagesError, match=r"the key (0|a) has two .cls members"):
        images.index(empty_members(tmp_path / "a.tar", *members))
