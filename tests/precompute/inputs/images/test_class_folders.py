"""Class folders: known by where the images lie, and named where the root says what its ids mean."""

from pathlib import Path

import pytest

from precompute.inputs import images
from precompute.inputs.images import Attribute, ImagesError


def folder_of(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def classes(root: Path, **options) -> tuple[dict[str, str], dict[str, str]]:
    """The class of each file; and where attributes are from."""
    gathered = images.gather(root, **options)
    assert {row.attribute for row in gathered.attributes} <= {"class"}
    return {row.relative: row.value for row in gathered.attributes}, gathered.origins


def test_folders_one_deep_are_classes(tmp_path):
    root = folder_of(tmp_path, "cat/a.png", "cat/b.png", "dog/a.png")

    found, origins = classes(root)

    assert found == {"cat/a.png": "cat", "cat/b.png": "cat", "dog/a.png": "dog"}
    assert origins == {"class": "2 folders"}


@pytest.mark.parametrize(
    "names",
    [
        ("cat/a.png", "cat/b.png"),
        ("cat/a.png", "dog/b.png", "loose.png"),
        ("cat/a.png", "dog/b.png", "dog/small/c.png"),
        ("train/cat/a.png", "train/dog/b.png"),
        ("a.png", "b.png"),
    ],
)
def test_other_folders_are_no_classes(tmp_path, names):
    assert classes(folder_of(tmp_path, *names)) == ({}, {})


def test_files_that_are_no_images_do_not_count(tmp_path):
    root = folder_of(tmp_path, "cat/a.png", "dog/b.png", "readme.txt", "notes/c.txt", ".hidden/x/d.png")

    assert classes(root)[0] == {"cat/a.png": "cat", "dog/b.png": "dog"}


def test_folders_are_not_classes_where_that_is_asked(tmp_path):
    assert classes(folder_of(tmp_path, "cat/a.png", "dog/b.png"), class_folders=False) == ({}, {})


def test_wordnet_ids_stay_as_they_are_and_a_person_is_told_what_would_name_them(tmp_path):
    found, origins = classes(folder_of(tmp_path, "n01440764/a.png", "n02012849/b.png"))

    assert set(found.values()) == {"n01440764", "n02012849"}
    assert "LOC_synset_mapping.txt" in origins["class"]


@pytest.mark.parametrize(
    "name, separator",
    [("LOC_synset_mapping.txt", " "), ("classes.txt", "\t"), ("words.txt", "\t"), ("synset_words.txt", " ")],
)
def test_the_first_name_of_an_id_is_used_where_a_file_gives_it(tmp_path, name, separator):
    root = folder_of(tmp_path, "n01440764/a.png", "n01484850/b.png")
    lines = ["n01440764 tench, Tinca tinca", "n01484850 great white shark, white shark", "n00000001 thing"]
    (root / name).write_text("\n".join(line.replace(" ", separator, 1) for line in lines))

    found, origins = classes(root)

    assert found == {"n01440764/a.png": "tench", "n01484850/b.png": "great white shark"}
    assert origins == {"class": f"2 folders, named by {name}"}


def test_two_ids_of_one_name_stay_two_classes(tmp_path):
    """The bird and the machine."""
    root = folder_of(tmp_path, "n02012849/a.png", "n03126707/b.png", "n01440764/c.png")
    (root / "classes.txt").write_text("n02012849 crane\nn03126707 crane\nn01440764 tench, Tinca tinca\n")

    assert classes(root)[0] == {
        "n02012849/a.png": "crane (n02012849)",
        "n03126707/b.png": "crane (n03126707)",
        "n01440764/c.png": "tench",
    }


def test_an_id_without_a_name_keeps_its_id_and_is_counted(tmp_path):
    root = folder_of(tmp_path, "n01440764/a.png", "n01484850/b.png")
    (root / "classes.txt").write_text("n01440764 tench\n")

    found, origins = classes(root)

    assert set(found.values()) == {"tench", "n01484850"}
    assert origins["class"] == "2 folders, named by classes.txt, 1 of them not in it"


def test_a_plain_list_of_class_names_changes_nothing(tmp_path):
    root = folder_of(tmp_path, "cat/a.png", "dog/b.png")
    (root / "classes.txt").write_text("cat\ndog\n")

    assert classes(root)[0] == {"cat/a.png": "cat", "dog/b.png": "dog"}


def test_an_id_with_two_names_is_refused(tmp_path):
    root = folder_of(tmp_path, "n1/a.png", "n2/b.png")
    (root / "classes.txt").write_text("n1 tench\nn2 shark\nn1 goldfish\n")

    with pytest.raises(ImagesError, match="line 3: n1 is 'goldfish', but was 'tench' above"):
        images.gather(root)


def test_metadata_that_gives_the_class_takes_the_place_of_folders(tmp_path):
    root = folder_of(tmp_path / "set", "n1/a.png", "n2/b.png")
    (tmp_path / "known.csv").write_text("path,class,color\nn1/a.png,tench,red\n")

    known = images.join_metadata(images.gather(root), tmp_path / "known.csv")

    assert known.attributes == [
        Attribute("n1/a.png", "class", "tench"),
        Attribute("n1/a.png", "color", "red"),
    ]
    assert known.origins == ("class, color from known.csv",)
    assert known.unlisted == 1


def test_metadata_without_a_class_leaves_the_folders_their_say(tmp_path):
    root = folder_of(tmp_path / "set", "cat/a.png", "dog/b.png")
    (tmp_path / "known.csv").write_text("path,color\ncat/a.png,red\n")

    known = images.join_metadata(images.gather(root), tmp_path / "known.csv")

    assert Attribute("dog/b.png", "class", "dog") in known.attributes and len(known.attributes) == 3
    assert known.origins == ("class from 2 folders", "color from known.csv")
