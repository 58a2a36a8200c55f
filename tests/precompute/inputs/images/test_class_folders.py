"""Class folders: detected from the folder structure, and named by a file of class names."""

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
    """Returns the class of each file, and the origins of the attributes."""
    listing = images.gather(root, **options)
    assert {row.attribute for row in listing.attributes} <= {"class"}
    return {row.relative: row.value for row in listing.attributes}, listing.origins


def test_folders_one_level_deep_are_classes(tmp_path):
    root = folder_of(tmp_path, "cat/a.png", "cat/b.png", "dog/a.png")

    by_file, origins = classes(root)

    assert by_file == {"cat/a.png": "cat", "cat/b.png": "cat", "dog/a.png": "dog"}
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
def test_other_folders_are_not_classes(tmp_path, names):
    assert classes(folder_of(tmp_path, *names)) == ({}, {})


def test_files_that_are_not_images_do_not_count(tmp_path):
    root = folder_of(tmp_path, "cat/a.png", "dog/b.png", "readme.txt", "notes/c.txt", ".hidden/x/d.png")

    assert classes(root)[0] == {"cat/a.png": "cat", "dog/b.png": "dog"}


def test_class_folders_can_be_switched_off(tmp_path):
    assert classes(folder_of(tmp_path, "cat/a.png", "dog/b.png"), class_folders=False) == ({}, {})


def test_wordnet_ids_are_kept_and_the_origin_names_the_missing_file(tmp_path):
    by_file, origins = classes(folder_of(tmp_path, "n01440764/a.png", "n02012849/b.png"))

    assert set(by_file.values()) == {"n01440764", "n02012849"}
    assert "LOC_synset_mapping.txt" in origins["class"]


@pytest.mark.parametrize(
    "name, separator",
    [("LOC_synset_mapping.txt", " "), ("classes.txt", "\t"), ("words.txt", "\t"), ("synset_words.txt", " ")],
)
def test_an_id_gets_its_first_name_from_a_file(tmp_path, name, separator):
    root = folder_of(tmp_path, "n01440764/a.png", "n01484850/b.png")
    lines = ["n01440764 tench, Tinca tinca", "n01484850 great white shark, white shark", "n00000001 thing"]
    (root / name).write_text("\n".join(line.replace(" ", separator, 1) for line in lines))

    by_file, origins = classes(root)

    assert by_file == {"n01440764/a.png": "tench", "n01484850/b.png": "great white shark"}
    assert origins == {"class": f"2 folders, named by {name}"}


def test_two_ids_of_one_name_stay_two_classes(tmp_path):
    """A crane is a bird and a machine."""
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

    by_file, origins = classes(root)

    assert set(by_file.values()) == {"tench", "n01484850"}
    assert origins["class"] == "2 folders, named by classes.txt, 1 of them not in it"


def test_a_list_of_class_names_without_ids_is_ignored(tmp_path):
    root = folder_of(tmp_path, "cat/a.png", "dog/b.png")
    (root / "classes.txt").write_text("cat\ndog\n")

    assert classes(root)[0] == {"cat/a.png": "cat", "dog/b.png": "dog"}


def test_an_id_with_two_names_is_refused(tmp_path):
    root = folder_of(tmp_path, "n1/a.png", "n2/b.png")
    (root / "classes.txt").write_text("n1 tench\nn2 shark\nn1 goldfish\n")

    with pytest.raises(ImagesError, match="line 3: n1 .* 'goldfish', .* 'tench'"):
        images.gather(root)


def test_a_class_from_metadata_replaces_the_class_folders(tmp_path):
    root = folder_of(tmp_path / "set", "n1/a.png", "n2/b.png")
    (tmp_path / "known.csv").write_text("path,class,color\nn1/a.png,tench,red\n")

    joined = images.join_metadata(images.gather(root), tmp_path / "known.csv")

    assert joined.attributes == [
        Attribute("n1/a.png", "class", "tench"),
        Attribute("n1/a.png", "color", "red"),
    ]
    assert joined.origins == ("class, color from known.csv",)
    assert joined.unlisted == 1


def test_metadata_without_a_class_keeps_the_class_folders(tmp_path):
    root = folder_of(tmp_path / "set", "cat/a.png", "dog/b.png")
    (tmp_path / "known.csv").write_text("path,color\ncat/a.png,red\n")

    joined = images.join_metadata(images.gather(root), tmp_path / "known.csv")

    assert Attribute("dog/b.png", "class", "dog") in joined.attributes and len(joined.attributes) == 3
    assert joined.origins == ("class from 2 folders", "color from known.csv")
