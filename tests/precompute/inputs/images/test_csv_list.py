"""A CSV file as the list of images: its paths, its attributes, and what is said of wrong paths."""

import random
from pathlib import Path

import pytest

from precompute.inputs import images
from precompute.inputs.images import Attribute, ImagesError
from tests.support.pictures import mixed_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return mixed_folder(tmp_path / "set")


def listed(folder: Path, text: str) -> images.SourceListing:
    (folder / "list.csv").write_bytes(text.encode())
    return images.gather(folder / "list.csv")


def test_lists_paths_relative_to_the_file_and_absolute_ones_and_their_attributes(folder, tmp_path):
    (tmp_path / "outside.jpg").write_bytes(b"")
    rows = ["color,path", "red|blue,z.png", f",{folder / 'b' / 'a.jpg'}", f"green,{tmp_path / 'outside.jpg'}"]

    found = listed(folder, "\r\n".join(rows))

    names = [(tmp_path / "outside.jpg").as_posix(), "b/a.jpg", "z.png"]
    assert [file.relative for file in found.files] == names
    assert [file.path for file in found.files] == [
        tmp_path / "outside.jpg",
        folder / "b/a.jpg",
        folder / "z.png",
    ]
    assert found.attributes == [
        Attribute("z.png", "color", "red"),
        Attribute("z.png", "color", "blue"),
        Attribute(names[0], "color", "green"),
    ]
    assert (found.name, found.origins) == ("list.csv", {"color": "list.csv"})


def test_the_order_of_the_lines_leaves_no_trace(folder):
    rows = ["z.png,1", "b/a.jpg,2", "b/c/copy.PNG,3"]
    found = [
        listed(folder, "\n".join(["path,n", *random.Random(seed).sample(rows, 3)])).files for seed in range(4)
    ]

    assert [file.relative for file in found[0]] == ["b/a.jpg", "b/c/copy.PNG", "z.png"]
    assert all(files == found[0] for files in found)


def test_only_listed_files_are_taken_whatever_they_are_called(folder):
    (folder / "picture").write_bytes(b"")

    assert [file.relative for file in listed(folder, "path\npicture\n").files] == ["picture"]


def test_paths_of_other_systems_and_roundabout_ones_have_one_name(folder):
    found = listed(folder, "path\nb\\a.jpg\n./b/c/../broken.jpeg\nb/c/./copy.PNG\n")

    assert [file.relative for file in found.files] == ["b/a.jpg", "b/broken.jpeg", "b/c/copy.PNG"]


def test_a_listed_link_that_leads_nowhere_fails_later_as_in_a_folder(folder):
    (folder / "gone.png").symlink_to(folder / "nowhere.png")

    assert [file.relative for file in listed(folder, "path\ngone.png\n").files] == ["gone.png"]


@pytest.mark.parametrize(
    "text, message",
    [
        ("file,color\nz.png,red\n", r"no column path \(the first line has file, color\). Name the column"),
        ("path,color\n", "lists no image. Write one path a line"),
        ("path,color\n,red\n", "line 2: no path. Fill the cell"),
        ("path\nz.png\nb/a.jpg\n./z.png\n", "line 4: z.png stands in line 2 already"),
        (
            "path\nz.png\n1.png\n2.png\n3.png\n4.png\n",
            r"4 of the 5 paths in .*list.csv are not there: 1.png, 2.png, 3.png and 1 more. Correct or",
        ),
        ("path\n1.png\n", r"1 of the 1 paths in .*: 1.png. Correct .* relative to .*set, or absolute"),
    ],
)
def test_a_wrong_list_is_refused_with_what_to_do(folder, text, message):
    with pytest.raises(ImagesError, match=message):
        listed(folder, text)


def test_a_missing_list_is_refused(tmp_path):
    with pytest.raises(ImagesError, match=r"cannot open .*nowhere\.csv: No such file.* Check the path"):
        images.gather(tmp_path / "nowhere.csv")


def test_metadata_adds_to_a_list_and_may_repeat_it(folder):
    found = listed(folder, "path,color,shape\nz.png,red|blue,\nb/a.jpg,green,round\n")
    (folder / "more.csv").write_text("path,color,shape,count\nz.png,blue|red,square,2\n")

    known = images.join_metadata(found, folder / "more.csv")

    assert {(row.relative, row.attribute, row.value) for row in known.attributes} == {
        ("z.png", "color", "red"),
        ("z.png", "color", "blue"),
        ("z.png", "shape", "square"),
        ("z.png", "count", "2"),
        ("b/a.jpg", "color", "green"),
        ("b/a.jpg", "shape", "round"),
    }


def test_metadata_that_contradicts_a_list_is_refused(folder):
    found = listed(folder, "path,color\nz.png,red\n")
    (folder / "more.csv").write_text("path,color\nz.png,blue\n")

    with pytest.raises(ImagesError, match=r"color of z.png is red in .*list.csv, but blue in .*more.csv"):
        images.join_metadata(found, folder / "more.csv")
