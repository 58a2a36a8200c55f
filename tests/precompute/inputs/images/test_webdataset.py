"""Tars as image sets: attributes of sidecars, and notes on what was dropped."""

from pathlib import Path

import pytest

from precompute.inputs import images
from precompute.inputs.images import Failed, webdataset
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


def test_class_numbers_get_names_from_a_file_beside_the_tars(folder):
    (folder / "classes.txt").write_text("0 tench, Tinca tinca\n1 goldfish\n2 great white shark\n")

    listing = images.gather(folder)

    assert [row.value for row in listing.attributes] == ["tench", "goldfish", "great white shark"]
    assert listing.origins == {"class": ".cls members, named by classes.txt"}


def test_a_damaged_tar_is_listed_and_noted(folder):
    data = (folder / "01.tar").read_bytes()
    (folder / "01.tar").write_bytes(data[:600])

    listing = images.gather(folder)

    assert len(listing.files) == 3  # the cut image too: it fails when it is read
    assert [failed.relative for failed in listing.failed] == ["01.tar"]
    assert "damaged tars: 1, the first 01.tar: cut off" in listing.notes[0]


def test_dropped_captions_and_unread_sidecars_are_noted(folder):
    tar(folder / "03.tar", {"0.png": PNG, "0.txt": "a fish", "0.json": "{"})

    unread, captions = images.gather(folder).notes

    assert unread == "sidecars not read: 1, the first 03.tar/0.json: not JSON"
    assert captions == "captions left out: 1 (--captions keeps them)"
    assert images.gather(folder, captions=True).notes == (unread,)


def test_a_field_with_too_many_values_is_no_attribute(folder, monkeypatch):
    monkeypatch.setattr(webdataset, "MAX_VALUES", 2)
    for number in range(4):
        fields = f'{{"url": "http://{number}", "color": "{["red", "blue"][number % 2]}"}}'
        tar(folder / f"1{number}.tar", {"0.png": encoded(noise(5, 5, seed=number)), "0.json": fields})

    listing = images.gather(folder)

    assert set(listing.origins) == {"class", "color"}
    assert [row.value for row in listing.attributes if row.attribute == "color"] == [
        "red",
        "blue",
        "red",
        "blue",
    ]
    assert not any(row.attribute == "url" for row in listing.attributes)
    assert listing.notes == ("over 2 values, so left out: url",)


def test_links_in_tars_are_listed_as_failures(folder):
    import tarfile

    with tarfile.open(folder / "03.tar", "w") as file:
        member = tarfile.TarInfo("soft.png")
        member.type, member.linkname = tarfile.SYMTYPE, "0.png"
        file.addfile(member)

    [failed] = images.gather(folder).failed

    assert isinstance(failed, Failed) and failed.relative == "03.tar/soft.png"
