"""What lies in a tar: places of images, what stands beside them, and what is left of a damaged one."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from precompute.inputs import images
from precompute.inputs.images import ImagesError
from tests.support.pictures import encoded, noise, tar

PNG = encoded(noise(9, 7))


def stated(path: Path, **options) -> set[tuple[str, str, str]]:
    return {(row.name, row.attribute, row.value) for row in images.index(path, **options).stated}


def names(index: images.TarIndex) -> list[str]:
    return [image.name for image in index.images]


def test_every_image_is_read_from_its_place(tmp_path):
    pictures = {f"{number}.png": encoded(noise(9 + number, 7, seed=number)) for number in range(5)}
    path = tar(tmp_path / "a.tar", pictures)

    found = images.index(path)

    assert names(found) == list(pictures)
    for name, offset, size in found.images:
        assert images.read_bytes(path, offset, size) == pictures[name]


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_other_letters_are_read_in_any_kind_of_tar(tmp_path, kind):
    long = (
        "/".join(["folder" * 8] * (2 if kind == tarfile.USTAR_FORMAT else 6))
        + "/cafe\N{COMBINING ACUTE ACCENT}.png"
    )
    with tarfile.open(tmp_path / "a.tar", "w", format=kind) as file:
        member = tarfile.TarInfo(long)
        member.size = len(PNG)
        file.addfile(member, io.BytesIO(PNG))

    [(name, offset, size)] = images.index(tmp_path / "a.tar").images

    assert name == long.replace("e\N{COMBINING ACUTE ACCENT}", "\N{LATIN SMALL LETTER E WITH ACUTE}")
    assert images.read_bytes(tmp_path / "a.tar", offset, size) == PNG


def test_hidden_members_and_folders_are_passed_over_and_others_counted(tmp_path):
    members = ["./a.png", "/b/c.JPEG", "._a.png", ".cache/x.png", "d.npy", "e.npy", "f"]
    path = tar(tmp_path / "a.tar", dict.fromkeys(members, PNG))

    found = images.index(path)

    assert names(found) == ["a.png", "b/c.JPEG"]
    assert found.others == {".npy": 2, "": 1}


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

    assert stated(path) == {
        ("in/0.png", "class", "7"),
        ("in/0.png", "color", "red"),
        ("in/0.png", "color", "blue"),
        ("in/0.png", "count", "2"),
        ("in/0.png", "size", "0.5"),
        ("in/0.png", "old", "true"),
        ("out/0.png", "class", "8"),
    }


def test_all_images_of_a_key_have_what_its_sidecars_say(tmp_path):
    path = tar(tmp_path / "a.tar", {"0.left.png": PNG, "0.right.png": PNG, "0.cls": "7"})

    assert stated(path) == {("0.left.png", "class", "7"), ("0.right.png", "class", "7")}


def test_a_cls_names_the_class_whatever_a_json_says(tmp_path):
    path = tar(tmp_path / "a.tar", {"0.json": '{"class": "fish"}', "0.png": PNG, "0.cls": "7"})

    assert stated(path) == {("0.png", "class", "7")}


def test_captions_are_left_out_and_counted_unless_they_are_asked_for(tmp_path):
    json_too = '{"caption": "a fish | fresh", "color": "red"}'
    path = tar(tmp_path / "a.tar", {"0.png": PNG, "0.txt": "a fish | fresh\n", "0.json": json_too})

    assert stated(path) == {("0.png", "color", "red")}
    assert images.index(path).captions == 2
    assert stated(path, captions=True) == {("0.png", "color", "red"), ("0.png", "caption", "a fish | fresh")}


def test_a_sidecar_that_cannot_be_read_is_named_and_loses_no_image(tmp_path):
    path = tar(
        tmp_path / "a.tar", {"0.png": PNG, "0.json": "{", "1.json": "[1]", "2.cls": b"\xff", "1.png": PNG}
    )

    found = images.index(path)

    assert names(found) == ["0.png", "1.png"]
    assert found.unread == [
        ("0.json", "not JSON"),
        ("1.json", "not a JSON object of fields"),
        ("2.cls", "not UTF-8"),
    ]


def test_a_tar_cut_in_an_image_keeps_those_before_it(tmp_path):
    whole = tar(tmp_path / "whole.tar", {"0.png": PNG, "0.cls": "7", "1.png": PNG, "2.png": PNG})
    cut = tmp_path / "cut.tar"
    places = images.index(whole).images
    cut.write_bytes(whole.read_bytes()[: places[1].offset + 100])

    found = images.index(cut)

    assert found.images == places[:2]
    assert stated(cut) == {("0.png", "class", "7")}
    [(name, reason)] = found.failed
    assert name == "" and reason.startswith(f"cut off at byte {cut.stat().st_size:,}; images after it")
    with pytest.raises(
        images.UnreadableImage, match=f"cut off: the tar ends after 100 of its {len(PNG)} bytes"
    ):
        images.read_bytes(cut, places[1].offset, places[1].size)


@pytest.mark.parametrize("more", [0, 100])
def test_a_tar_cut_between_images_is_noticed(tmp_path, more):
    whole = tar(tmp_path / "whole.tar", {"0.png": PNG, "1.png": PNG})
    cut = tmp_path / "cut.tar"
    cut.write_bytes(whole.read_bytes()[: images.index(whole).images[1].offset - 512 + more])

    found = images.index(cut)

    assert names(found) == ["0.png"]
    assert "cut off" in found.failed[0][1]


def test_a_damaged_header_ends_the_tar_and_is_named(tmp_path):
    path = tar(tmp_path / "a.tar", {"0.png": PNG, "1.png": PNG})
    data = bytearray(path.read_bytes())
    at = images.index(path).images[1].offset - 512
    data[at : at + 8] = b"\xff" * 8
    path.write_bytes(data)

    found = images.index(path)

    assert names(found) == ["0.png"]
    assert found.failed[0][1].startswith(f"damaged at byte {at:,}; images after it are missing")


@pytest.mark.parametrize(
    "data, reason", [(b"", "empty file"), (b"no tar at all" * 99, "not a tar"), (b"x", "not a tar")]
)
def test_what_is_no_tar_is_called_so(tmp_path, data, reason):
    (tmp_path / "a.tar").write_bytes(data)

    assert images.index(tmp_path / "a.tar").failed == [("", reason)]


def test_links_have_no_bytes_of_their_own(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        for name, kind in [("hard.png", tarfile.LNKTYPE), ("soft.png", tarfile.SYMTYPE)]:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "0.png"
            file.addfile(member)

    found = images.index(tmp_path / "a.tar")

    assert found.images == []
    assert [name for name, reason in found.failed if "--dereference" in reason] == ["hard.png", "soft.png"]


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz"])
def test_a_compressed_tar_is_refused_with_what_undoes_it(tmp_path, name):
    plain = tar(tmp_path / "plain.tar", {"0.png": PNG})
    (tmp_path / name).write_bytes(gzip.compress(plain.read_bytes()))

    with pytest.raises(
        ImagesError, match=rf"{name} is compressed \(gzip\).*without unpacking the tar \(gunzip\)"
    ):
        images.gather(tmp_path / name)


def twice(path: Path, *members: str) -> Path:
    with tarfile.open(path, "w") as file:
        for name in members:
            member = tarfile.TarInfo(name)
            file.addfile(member)
    return path


def test_two_images_of_one_name_are_refused(tmp_path):
    path = twice(tmp_path / "a.tar", "0.png", "1.png", "0.png", "./1.png")

    with pytest.raises(ImagesError, match="holds 2 names more than once: 0.png, 1.png. .* pack the tar anew"):
        images.index(path)


@pytest.mark.parametrize(
    "members", [("0.cls", "0.png", "0.cls"), ("a.1.cls", "a.1.png", "a.2.cls", "a.2.png")]
)
def test_two_sidecars_of_one_key_are_refused(tmp_path, members):
    with pytest.raises(ImagesError, match=r"the key (0|a) has two .cls members, .* KEY\.EXTENSION"):
        images.index(twice(tmp_path / "a.tar", *members))


def test_an_index_survives_being_kept(tmp_path):
    members = {
        "0.png": PNG,
        "0.cls": "7",
        "0.txt": "a fish",
        "1.json": "{",
        "x.npy": "",
        "0.json": '{"a": 1}',
    }
    found = images.index(tar(tmp_path / "a.tar", members))

    assert images.index_from(images.index_text(found)) == found


def test_every_byte_gone_by_is_told(tmp_path):
    path = tar(tmp_path / "a.tar", {"0.png": PNG, "1.png": PNG})
    gone = []

    images.index(path, advance=gone.append)

    assert sum(gone) == sum(512 + -(-len(PNG) // 512) * 512 for _ in range(2))
