"""A CSV file as the list of images: its paths, its attributes, and errors for wrong paths."""

import random
from pathlib import Path

import pytest

from precompute.inputs import images
from precompute.inputs.images import Attribute, ImagesError
from tests.support.pictures import mixed_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return mixed_folder(tmp_path / "set")


def gather_list(folder: Path, text: str) -> images.SourceListing:
    (folder / "list.csv").write_bytes(text.encode())
    return images.gather(folder / "list.csv")


def test_lists_relative_and_absolute_paths_with_their_attributes(folder, tmp_path):
    (tmp_path / "outside.jpg").write_bytes(b"")
    rows = ["color,path", "red|blue,z.png", f",{folder / 'b' / 'a.jpg'}", f"green,{tmp_path / 'outside.jpg'}"]

    listing = gather_list(folder, "\r\n".join(rows))

    names = [(tmp_path / "outside.jpg").as_posix(), "b/a.jpg", "z.png"]
    assert [file.relative for file in listing.files] == names
    assert [file.path for file in listing.files] == [
        tmp_path / "outside.jpg",
        folder / "b/a.jpg",
        folder / "z.png",
    ]
    assert listing.attributes == [
        Attribute("z.png", "color", "red"),
        Attribute("z.png", "color", "blue"),
        Attribute(names[0], "color", "green"),
    ]
    assert (listing.name, listing.origins) == ("list.csv", {"color": "list.csv"})


def test_the_order_of_the_lines_does_not_matter(folder):
    rows = ["z.png,1", "b/a.jpg,2", "b/c/copy.PNG,3"]
    listings = [
        gather_list(folder, "\n".join(["path,n", *random.Random(seed).sample(rows, 3)])).files
        for seed in range(4)
    ]

    assert [file.relative for file in listings[0]] == ["b/a.jpg", "b/c/copy.PNG", "z.png"]
    assert all(files == listings[0] for files in listings)


def test_a_listed_file_may_have_any_extension(folder):
    (folder / "picture").write_bytes(b"")

    assert [file.relative for file in gather_list(folder, "path\npicture\n").files] == ["picture"]


def test_paths_of_other_systems_and_with_dots_are_normalized(folder):
    listing = gather_list(folder, "path\nb\\a.jpg\n./b/c/../broken.jpeg\nb/c/./copy.PNG\n")

    assert [file.relative for file in listing.files] == ["b/a.jpg", "b/broken.jpeg", "b/c/copy.PNG"]


def test_a_broken_link_is_listed_as_in_a_folder(folder):
    (folder / "gone.png").symlink_to(folder / "nowhere.png")

    assert [file.relative for file in gather_list(folder, "path\ngone.png\n").files] == ["gone.png"]


def test_a_listed_name_may_have_spaces_and_accents_of_either_form(folder):
    names = [" cafe\N{COMBINING ACUTE ACCENT}.png", "cre\N{COMBINING GRAVE ACCENT}me.png"]
    for name in names:
        (folder / name).write_bytes(b"")

    files = gather_list(folder, "path\n" + "\n".join(names)).files

    assert [file.path.name for file in files] == names


@pytest.mark.parametrize(
    "text, message",
    [
        ("file,color\nz.png,red\n", r"no column path \(.*'file,color'\)"),
        ("z.png,red\n", "first line must name the columns, one of them path"),
        (f"path\n{'1' * 5000}.png\n", "^.{,900}$"),
        ("path,color\n", "lists no image"),
        ("path,color\n,red\n", "line 2: no path"),
        ("path\nz.png\nb/a.jpg\n./z.png\n", "line 4: z.png .* line 2"),
        (
            "path\nz.png\n1.png\n2.png\n3.png\n4.png\n",
            r"4 of the 5 paths in .*list.csv .* '1.png', '2.png', '3.png' and 1 more",
        ),
        ("path\n1.png\n", r"1 of the 1 paths in .*: '1.png'. .* relative to .*set, or absolute"),
    ],
)
def test_an_invalid_list_is_refused(folder, text, message):
    with pytest.raises(ImagesError, match=message):
        gather_list(folder, text)


def test_a_missing_list_is_refused(tmp_path):
    with pytest.raises(ImagesError, match=r"nowhere\.csv: No such file"):
        images.gather(tmp_path / "nowhere.csv")


def test_metadata_adds_attributes_to_a_list_and_may_repeat_its_values(folder):
    listing = gather_list(folder, "path,color,shape\nz.png,red|blue,\nb/a.jpg,green,round\n")
    (folder / "more.csv").write_text("path,color,shape,count\nz.png,blue|red,square,2\n")

    joined = images.join_metadata(listing, folder / "more.csv")

    assert {(row.relative, row.attribute, row.value) for row in joined.attributes} == {
        ("z.png", "color", "red"),
        ("z.png", "color", "blue"),
        ("z.png", "shape", "square"),
        ("z.png", "count", "2"),
        ("b/a.jpg", "color", "green"),
        ("b/a.jpg", "shape", "round"),
    }


def test_metadata_that_contradicts_a_list_is_refused(folder):
    listing = gather_list(folder, "path,color\nz.png,red\n")
    (folder / "more.csv").write_text("path,color\nz.png,blue\n")

    with pytest.raises(ImagesError, match=r"z.png is red in .*list.csv, but blue in .*more.csv"):
        images.join_metadata(listing, folder / "more.csv")


def test_cells_that_stand_for_a_missing_value_are_dropped_and_counted(folder):
    """A program writes nan, NULL or None where it has no value; people write none for a value."""
    rows = ["path,class,hat", "z.png,nan,None", "b/a.jpg,NULL,none", "b/c/copy.PNG,cat|N/A,red"]
    listing = gather_list(folder, "\n".join(rows))
    (folder / "more.csv").write_text("path,hat,size\nz.png,blue,n/a\n")

    joined = images.join_metadata(listing, folder / "more.csv")

    assert [(row.attribute, row.value) for row in joined.attributes] == [
        ("hat", "none"),
        ("class", "cat"),
        ("hat", "red"),
        ("hat", "blue"),
    ]
    assert joined.origins[-3:] == (
        "class: 3 missing (nan, NULL, N/A); rename it if it is a value",
        "hat: 1 missing (None); rename it if it is a value",
        "size: 1 missing (n/a); rename it if it is a value",
    )
