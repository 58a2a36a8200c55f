"""Sources of `--images`: tars by folder, pattern or name, and errors for invalid sources."""

import gzip
from pathlib import Path

import pytest

from precompute.inputs import images
from precompute.inputs.images import Attribute, ImagesError
from tests.support.pictures import encoded, noise, tar

PNG = encoded(noise(9, 7))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three tars of one key each, with a file of another tool beside them."""
    root = tmp_path / "tars"
    (root / "more").mkdir(parents=True)
    for number, name in enumerate(["00.tar", "01.tar", "more/02.tar"]):
        tar(root / name, {"0.png": encoded(noise(9, 7, seed=number)), "0.cls": str(number)})
    (root / "00_stats.json").write_text("{}")
    return root


def names(listing: images.SourceListing) -> list[str]:
    return [file.relative for file in listing.files]


def test_a_folder_of_tars_gives_all_their_images(folder):
    listing = images.gather(folder)

    assert names(listing) == ["00.tar/0.png", "01.tar/0.png", "more/02.tar/0.png"]
    assert listing.attributes == [Attribute(name, "class", str(n)) for n, name in enumerate(names(listing))]
    assert (listing.name, listing.origins) == ("tars", {"class": ".cls members"})
    assert listing.others == {".json": 1}


def test_one_tar_gives_its_images(folder):
    listing = images.gather(folder / "01.tar")

    assert (names(listing), listing.name) == (["01.tar/0.png"], "01.tar")


@pytest.mark.parametrize(
    "pattern, expected",
    [
        ("*.tar", ["00.tar/0.png", "01.tar/0.png"]),
        ("**/*.tar", ["00.tar/0.png", "01.tar/0.png", "more/02.tar/0.png"]),
        ("{00..01}.tar", ["00.tar/0.png", "01.tar/0.png"]),
        ("{01,more/02}.tar", ["01.tar/0.png", "more/02.tar/0.png"]),
        ("{0?,01}.tar", ["00.tar/0.png", "01.tar/0.png"]),
    ],
)
def test_a_pattern_gives_the_tars_it_matches(folder, pattern, expected):
    listing = images.gather(folder / pattern)

    assert (names(listing), listing.name) == (expected, "tars")


def test_only_what_follows_an_existing_folder_is_a_pattern(folder):
    folder = folder.rename(folder.with_name("a[1]* {x,y}?"))

    assert names(images.gather(folder / "{00..01}.tar")) == ["00.tar/0.png", "01.tar/0.png"]


def test_a_pattern_may_be_relative_to_the_working_directory(folder, monkeypatch):
    monkeypatch.chdir(folder)

    assert names(images.gather(Path("*.tar"))) == ["00.tar/0.png", "01.tar/0.png"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path):
    tar(tmp_path / "a[1].tar", {"0.png": PNG})

    assert names(images.gather(tmp_path / "a[1].tar")) == ["a[1].tar/0.png"]


@pytest.mark.parametrize(
    "pattern, message",
    [
        ("{00..09}.tar", r".*02.tar, .*03.tar, .*04.tar and 5 more"),
        ("*.zip", r"nothing is called .*\*.zip"),
        ("*", r"00_stats.json .* no .tar"),
    ],
)
def test_a_pattern_that_matches_nothing_or_other_files_is_refused(folder, pattern, message):
    with pytest.raises(ImagesError, match=message):
        images.gather(folder / pattern)


def test_tars_beside_images_are_ignored_and_counted(folder):
    (folder / "a.png").write_bytes(PNG)

    listing = images.gather(folder)

    assert names(listing) == ["a.png"]
    assert listing.others == {".tar": 3, ".json": 1}


def test_a_compressed_tar_among_others_is_refused_rather_than_skipped(folder):
    (folder / "03.tar.gz").write_bytes(gzip.compress((folder / "00.tar").read_bytes()))

    with pytest.raises(ImagesError, match="03.tar.gz is compressed"):
        images.gather(folder)


def test_metadata_uses_the_image_names_of_the_bundle(folder, tmp_path):
    (tmp_path / "known.csv").write_text("path,class\n01.tar/0.png,goldfish\n")

    joined = images.join_metadata(images.gather(folder), tmp_path / "known.csv")

    assert joined.attributes == [Attribute("01.tar/0.png", "class", "goldfish")]
    assert (joined.origins, joined.unlisted) == (("class from known.csv",), 2)


@pytest.mark.parametrize(
    "members, message",
    [({}, "they are empty"), ({"a.npy": "x", "b.npy": "x"}, "2 files of other kinds: .npy")],
)
def test_tars_without_images_are_refused(tmp_path, members, message):
    tar(tmp_path / "a.tar", members)

    with pytest.raises(ImagesError, match=rf"no images in the tars of .* \({message}\)"):
        images.gather(tmp_path)


def test_an_unreadable_tar_is_refused_by_name(tmp_path):
    (tmp_path / "a.tar").mkdir()
    (tmp_path / "gone.tar").symlink_to(tmp_path / "nowhere.tar")

    with pytest.raises(ImagesError, match="gone.tar: No such file"):
        images.gather(tmp_path)


def test_the_error_for_an_empty_folder_names_the_sources(tmp_path):
    with pytest.raises(ImagesError, match=r"\(it is empty\).* PNG, .* .tar .* .csv"):
        images.gather(tmp_path)


def test_the_error_for_another_file_names_the_sources(tmp_path):
    (tmp_path / "photos.zip").write_bytes(b"")

    with pytest.raises(ImagesError, match=r"photos.zip is a file.* a .csv .* a .tar"):
        images.gather(tmp_path / "photos.zip")
