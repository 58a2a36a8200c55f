"""The index of a tar: offsets of images, values of sidecars, and the usable part of a damaged tar."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest

from precompute.inputs import images
from precompute.inputs.images import ImagesError
from precompute.inputs.images.decoding import read_bytes
from tests.support.pictures import encoded, noise, tar

PNG = encoded(noise(9, 7))


def values(path: Path, **options) -> set[tuple[str, str, str]]:
    return {(row.name, row.attribute, row.value) for row in images.index(path, **options).values}


def names(index: images.TarIndex) -> list[str]:
    return [image.name for image in index.images]


def test_every_image_is_read_at_its_offset(tmp_path):
    pictures = {f"{number}.png": encoded(noise(9 + number, 7, seed=number)) for number in range(5)}
    path = tar(tmp_path / "a.tar", pictures)

    index = images.index(path)

    assert names(index) == list(pictures)
    for name, offset, size in index.images:
        assert read_bytes(path, offset, size) == pictures[name]


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_accented_names_are_read_from_every_tar_format(tmp_path, kind):
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
    assert read_bytes(tmp_path / "a.tar", offset, size) == PNG


def test_hidden_members_and_folders_are_skipped_and_others_counted(tmp_path):
    members = ["./a.png", "/b/c.JPEG", "._a.png", ".cache/x.png", "d.npy", "e.npy", "f"]
    path = tar(tmp_path / "a.tar", dict.fromkeys(members, PNG))

    index = images.index(path)

    assert names(index) == ["a.png", "b/c.JPEG"]
    assert index.others == {".npy": 2, "": 1}


def test_a_tar_cut_inside_an_image_keeps_the_images_before(tmp_path):
    whole = tar(tmp_path / "whole.tar", {"0.png": PNG, "0.cls": "7", "1.png": PNG, "2.png": PNG})
    cut = tmp_path / "cut.tar"
    places = images.index(whole).images
    cut.write_bytes(whole.read_bytes()[: places[1].offset + 100])

    index = images.index(cut)

    assert index.images == places[:2]
    assert values(cut) == {("0.png", "class", "7")}
    [(name, reason)] = index.failed
    assert name == "" and reason.startswith(f"cut off at byte {cut.stat().st_size:,}")
    with pytest.raises(images.UnreadableImage, match=f"cut off: .* 100 of its {len(PNG)} bytes"):
        read_bytes(cut, places[1].offset, places[1].size)


@pytest.mark.parametrize("more", [0, 100])
def test_a_tar_cut_between_images_is_detected(tmp_path, more):
    whole = tar(tmp_path / "whole.tar", {"0.png": PNG, "1.png": PNG})
    cut = tmp_path / "cut.tar"
    cut.write_bytes(whole.read_bytes()[: images.index(whole).images[1].offset - 512 + more])

    index = images.index(cut)

    assert names(index) == ["0.png"]
    assert "cut off" in index.failed[0][1]


def test_a_damaged_header_ends_the_index_with_a_reason(tmp_path):
    path = tar(tmp_path / "a.tar", {"0.png": PNG, "1.png": PNG})
    data = bytearray(path.read_bytes())
    at = images.index(path).images[1].offset - 512
    data[at : at + 8] = b"\xff" * 8
    path.write_bytes(data)

    index = images.index(path)

    assert names(index) == ["0.png"]
    assert index.failed[0][1].startswith(f"damaged at byte {at:,}")


@pytest.mark.parametrize(
    "data, reason", [(b"", "empty file"), (b"no tar at all" * 99, "not a tar"), (b"x", "not a tar")]
)
def test_a_file_that_is_not_a_tar_has_a_reason(tmp_path, data, reason):
    (tmp_path / "a.tar").write_bytes(data)

    assert images.index(tmp_path / "a.tar").failed == [("", reason)]


def test_links_are_listed_as_failures(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        for name, kind in [("hard.png", tarfile.LNKTYPE), ("soft.png", tarfile.SYMTYPE)]:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "0.png"
            file.addfile(member)

    index = images.index(tmp_path / "a.tar")

    assert index.images == []
    assert [name for name, reason in index.failed if "--dereference" in reason] == ["hard.png", "soft.png"]


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz"])
def test_a_compressed_tar_is_refused_with_the_tool_to_decompress_it(tmp_path, name):
    plain = tar(tmp_path / "plain.tar", {"0.png": PNG})
    (tmp_path / name).write_bytes(gzip.compress(plain.read_bytes()))

    with pytest.raises(ImagesError, match=rf"{name} is compressed \(gzip\).* \(gunzip\)"):
        images.gather(tmp_path / name)


def empty_members(path: Path, *members: str) -> Path:
    with tarfile.open(path, "w") as file:
        for name in members:
            member = tarfile.TarInfo(name)
            file.addfile(member)
    return path


def test_two_images_of_one_name_are_refused(tmp_path):
    path = empty_members(tmp_path / "a.tar", "0.png", "1.png", "0.png", "./1.png")

    with pytest.raises(ImagesError, match="2 names more than once: 0.png, 1.png"):
        images.index(path)


def test_an_index_can_be_written_and_read_back(tmp_path):
    members = {
        "0.png": PNG,
        "0.cls": "7",
        "0.txt": "a fish",
        "1.json": "{",
        "x.npy": "",
        "0.json": '{"a": 1}',
    }
    index = images.index(tar(tmp_path / "a.tar", members))

    assert images.index_from(images.index_text(index)) == index


def test_the_progress_callback_gets_every_byte(tmp_path):
    path = tar(tmp_path / "a.tar", {"0.png": PNG, "1.png": PNG})
    byte_counts = []

    images.index(path, advance=byte_counts.append)

    assert sum(byte_counts) == sum(512 + -(-len(PNG) // 512) * 512 for _ in range(2))
