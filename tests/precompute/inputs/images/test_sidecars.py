"""Sidecars give attributes to the image of their name, and to no other."""

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


def test_a_label_does_not_reach_a_picture_of_another_name(tmp_path):
    path = tar(tmp_path / "a.tar", {"scan_v1.0.png": PNG, "scan_v1.0.cls": "cat", "scan_v1.5.png": PNG})

    assert values(path) == {("scan_v1.0.png", "class", "cat")}


@pytest.mark.parametrize(
    "image, sidecar",
    [("0.png", "0.cls"), ("0.left.png", "0.cls"), ("0.png", "0.label.cls"), ("0.png", "0.CLS")],
)
def test_a_sidecar_is_about_the_image_of_its_name_or_of_its_key(tmp_path, image, sidecar):
    assert values(tar(tmp_path / "a.tar", {image: PNG, sidecar: "7"})) == {(image, "class", "7")}


def test_a_sidecar_of_no_image_is_counted(tmp_path):
    index = images.index(tar(tmp_path / "a.tar", {"v1.5.png": PNG, "v1.0.cls": "cat"}))

    assert (index.values, index.others) == ([], {".cls": 1})


@pytest.mark.parametrize(
    "names",
    [("0.left.png", "0.right.png", "0.cls"), ("a.png", "a.jpg", "a.json"), ("a.b.png", "a.c.png", "a.txt")],
)
def test_a_sidecar_that_several_images_share_is_refused_with_their_names(tmp_path, names):
    path = tar(tmp_path / "a.tar", dict.fromkeys(names, b""))

    with pytest.raises(ImagesError) as refused:
        images.index(path)

    assert all(name in str(refused.value) for name in names)


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
    "members", [("0.cls", "0.png", "0.cls"), ("a.cls", "a.png", "a.x.cls"), ("0.png", "0.CLS", "0.cls")]
)
def test_two_sidecars_of_one_kind_are_refused(tmp_path, members):
    with pytest.raises(ImagesError, match="twice|has two .cls members"):
        images.index(empty_members(tmp_path / "a.tar", *members))


def test_what_json_can_hold_and_no_table_is_escaped_or_left_out(tmp_path):
    fields = b'{"a": "x\\ud800", "\\udfff": 1, "score": NaN, "big": 1e999}'
    path = tar(tmp_path / "a.tar", {"0.json": fields, "0.png": PNG})

    assert values(path) == {("0.png", "a", "x\\ud800"), ("0.png", "\\udfff", "1")}
