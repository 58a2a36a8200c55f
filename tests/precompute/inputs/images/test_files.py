"""Listing a folder: all image files, in a fixed order, under names that can be stored."""

import os
import random
import sys
import tempfile
from pathlib import Path

import pytest

from precompute.inputs import images
from precompute.inputs.images import ImagesError
from precompute.inputs.images.files import list_folder
from tests.support.pictures import mixed_folder, without_root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return mixed_folder(tmp_path / "set")


def test_finds_images_at_any_depth_in_byte_order_and_skips_hidden_files(folder):
    files = images.gather(folder).files

    assert [file.relative for file in files] == ["b/a.jpg", "b/broken.jpeg", "b/c/copy.PNG", "z.png"]
    assert [file.path for file in files] == [folder / file.relative for file in files]


def test_a_selection_is_spread_evenly_from_the_first_to_the_last():
    assert images.evenly(range(101), 5) == [0, 25, 50, 75, 100]
    assert images.evenly("ab", 5) == ["a", "b"]


def test_counts_the_files_that_are_no_images(folder):
    assert list_folder(folder).others == {".csv": 1, ".txt": 1}


def test_files_are_sorted_by_name(tmp_path):
    names = [f"{letter}{number}.png" for letter in "aBé你z" for number in range(20)]
    for name in random.Random(0).sample(names, len(names)):
        (tmp_path / name).write_bytes(b"")

    files = [file.relative for file in images.gather(tmp_path).files]

    assert files == sorted(names, key=lambda name: name.encode())


def test_names_are_normalized_to_nfc_and_still_open(tmp_path):
    decomposed = "cafe\N{COMBINING ACUTE ACCENT}.png"
    (tmp_path / decomposed).write_bytes(b"content")

    (file,) = images.gather(tmp_path).files

    assert file.relative == "caf\N{LATIN SMALL LETTER E WITH ACUTE}.png"
    assert file.path.read_bytes() == b"content"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not allow such names")
def test_a_name_that_is_not_utf8_can_still_be_stored(tmp_path):
    with open(os.fsencode(tmp_path) + b"/\xff.png", "wb"):
        pass

    (file,) = images.gather(tmp_path).files

    assert file.relative == "\\xff.png"
    assert file.path.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="macOS treats both as one name")
def test_two_names_equal_in_nfc_are_refused(tmp_path):
    (tmp_path / "e\N{COMBINING ACUTE ACCENT}.png").write_bytes(b"")
    (tmp_path / "\N{LATIN SMALL LETTER E WITH ACUTE}.png").write_bytes(b"")

    with pytest.raises(ImagesError, match="two files are both called"):
        images.gather(tmp_path)


def test_follows_links_but_not_loops(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "set"
    outside.mkdir()
    (folder / "sub").mkdir(parents=True)
    (outside / "a.png").write_bytes(b"")
    (folder / "b.png").write_bytes(b"")
    (folder / "linked").symlink_to(outside)
    (folder / "sub" / "loop").symlink_to(folder)
    (folder / "above").symlink_to(tmp_path)
    (folder / "itself").symlink_to(folder / "itself")
    (outside / "back").symlink_to(folder / "linked")

    assert [file.relative for file in images.gather(folder).files] == ["b.png", "linked/a.png"]


def test_the_error_for_a_folder_without_images_counts_its_files(tmp_path):
    for name in ["a.txt", "b.TXT", "c.csv", "README"]:
        (tmp_path / name).write_text("")

    with pytest.raises(ImagesError) as error:
        images.gather(tmp_path)

    assert "(4 files of other kinds: .csv, .txt, no extension)" in str(error.value)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ImagesError, match=r"no images in .* \(it is empty\)"):
        images.gather(tmp_path)


@pytest.mark.parametrize("name", ["nowhere", "x" * 300])
def test_a_missing_folder_is_refused(tmp_path, name):
    with pytest.raises(ImagesError, match="cannot open the folder"):
        images.gather(tmp_path / name)


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"")

    with pytest.raises(ImagesError, match="a.png is a file"):
        images.gather(tmp_path / "a.png")


@pytest.mark.skipif(os.name != "posix", reason="needs file modes")
def test_an_unreadable_folder_is_refused_rather_than_skipped():
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)
        Path(root, "a.png").write_bytes(b"")
        Path(root, "locked").mkdir(mode=0o700)
        if os.geteuid() != 0:
            Path(root, "locked").chmod(0)

        with without_root(), pytest.raises(ImagesError, match="cannot list .*locked: Permission denied"):
            images.gather(Path(root))
