"""Class folders: detected from the folder structure, and named by a file of class names."""

from pathlib import Path

import pytest

from precompute.inputs import images
from precompute.inputs.images import Attribute, ImagesError
from tests.support.pictures import tar


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
        ("a.png", "b.png"),
        ("cat/a.png", "cat/small/b.png"),
        ("00000/000000000.png", "00001/000010000.png"),  # img2dataset
        ("00000/a.png", "00001/b.png", "extra/c.png"),
        ("2023-05-01/a.png", "2023-05-02/b.png"),
        ("2023/05/a.png", "2024/01/b.png"),
        ("100CANON/a.png", "101APPLE/b.png"),
        ("train2017/a.png", "val2017/b.png"),
        ("train/a.png", "test/b.png"),
        ("images/train/a.png", "images/val/b.png"),
        ("trainA/a.png", "trainB/b.png"),
        ("images/a.png", "masks/a.png"),
        ("JPEGImages/a.png", "SegmentationClass/a.png"),
        ("part-00000/a.png", "part-00001/b.png"),
        ("images_001/images/a.png", "images_002/images/b.png"),
        ("scene1/a.png", "scene2/b.png"),
        ("cars_train/a.png", "cars_test/b.png"),
        ("VG_100K/a.png", "VG_100K_2/b.png"),
        ("ISIC-2017_Training_Data/a.png", "ISIC-2017_Test_v2_Data/b.png"),
        ("0a/0a12.png", "fe/fe01.png"),
        ("3f2a9c1e/a.png", "beadfeed/b.png"),
        ("A/a.png", "B/b.png", "C/c.png", "space/d.png"),
        ("0/a.png", "1/b.png"),
        ("animals/cats/a.png", "animals/dogs/b.png", "cars/bus/c.png", "cars/taxi/d.png"),
        ("dog/a.png", "cat/b.png", "c.png", "d.png", "e.png"),
        ("flickr30k_images/a.png", "results/b.png"),
        ("img_align_celeba/a.png", "Anno/b.png", "Eval/c.png"),
        ("CelebA-HQ-img/a.png", "CelebAMask-HQ-mask-anno/b.png"),
        ("val_large/a.png", "test_256x256/b.png"),
        ("dog/indoor/a.png", "dog/outdoor/b.png", "cat/indoor/c.png", "cat/outdoor/d.png"),
        ("photo/dog/a.png", "sketch/cat/b.png"),  # nothing shows that these are domains
        ("real/dog/a.png", "fake/dog/b.png", "real/cat/a.png", "fake/cat/b.png"),
    ],
)
def test_folders_of_storage_or_of_doubtful_meaning_are_no_classes(tmp_path, names):
    assert classes(folder_of(tmp_path, *names)) == ({}, {})


@pytest.mark.parametrize(
    "names, expected",
    [
        (("train/cat/a.png", "train/dog/b.png", "val/cat/c.png"), ["cat", "dog", "cat"]),
        (("set/images/cat/a.png", "set/images/dog/b.png"), ["cat", "dog"]),
        (("101_ObjectCategories/ant/a.png", "101_ObjectCategories/ox/b.png"), ["ant", "ox"]),
        (("a/abbey/1.png", "a/airfield/1.png", "b/beach/1.png"), ["abbey", "airfield", "beach"]),  # Places
        (  # SUN397, Places365
            (
                "train/a/abbey/1.png",
                "train/a/apse/indoor/1.png",
                "train/c/cabin/images/01/1.png",
                "val/2.png",
            ),
            ["abbey", "apse indoor", "cabin", None],
        ),
        (("data_large/a/abbey/1.png", "data_large/b/bar/1.png", "val_large/2.png"), ["abbey", "bar", None]),
        (
            ("photo/dog/a.png", "art_painting/dog/b.png", "sketch/cow/c.png", "photo/cow/d.png"),
            "dog dog cow cow",
        ),
        (("amazon/images/mug/a.png", "dslr/images/mug/b.png", "dslr/images/pen/b.png"), "mug mug pen"),
        (
            ("Art/Bed/a.png", "Real World/Bed/b.png", "Real World/Alarm_Clock/b.png"),
            ["Bed", "Bed", "Alarm Clock"],
        ),
        (  # Intel's scenes, as they are unpacked
            ("seg_train/seg_train/sea/a.png", "seg_test/seg_test/ice/b.png", "seg_pred/seg_pred/c.png"),
            ["sea", "ice", None],
        ),
        (("fog/1/n01440764/a.png", "fog/2/n01443537/b.png"), "n01440764 n01443537"),  # ImageNet-C
        (  # ADE20K
            ("images/a/abbey/1.png", "images/misc/2.png", "images/b/bar/3.png", "annotations/a/abbey/1.png"),
            ["abbey", None, "bar", None],
        ),
        (("photos/dog/a.png", "photos/cow/a.png", "sketches/dog/b.png"), "dog cow dog"),
        (("photo/a.png", "sketch/b.png", "results/c.png"), ["photo", "sketch", None]),
        (("with_mask/a.png", "without_mask/b.png"), ["with mask", "without mask"]),
        (("00000/cat/a.png", "00001/dog/b.png"), ["cat", "dog"]),
        (("001.Black_footed_Albatross/a.png", "002.Auk/b.png"), ["Black footed Albatross", "Auk"]),  # CUB
        (("n02085620-Chihuahua/a.png", "n02112018-Pomeranian/b.png"), ["Chihuahua", "Pomeranian"]),
        (("apple_pie/a.png", "baklava/b.png"), ["apple pie", "baklava"]),  # Food-101
        (
            ("1_cat/a.png", "2_cat/b.png", "3_dog/c.png", "4_emu/d.png", "5_owl/e.png"),
            ["cat (1_cat)", "cat (2_cat)", "dog", "emu", "owl"],
        ),
        (
            ("boeing_747-400 old/a.png", "airbus_320-200 new/b.png"),
            ["boeing 747-400 old", "airbus 320-200 new"],
        ),
        (("train/a.png", "bus/b.png", "car/c.png"), ["train", "bus", "car"]),
        (("toy_train/a.png", "toy_car/b.png"), ["toy train", "toy car"]),
        (("bee/a.png", "ant/b.png"), ["bee", "ant"]),
        (("ace/a.png", "two/b.png", "10/c.png"), ["ace", "two", "10"]),
    ],
)
def test_a_class_is_told_from_the_way_of_storing(tmp_path, names, expected):
    by_file, _ = classes(folder_of(tmp_path, *names))

    expected = expected.split() if isinstance(expected, str) else expected
    assert [by_file.get(name) for name in names] == expected


def test_tiny_imagenet_has_classes_in_its_training_set_alone(tmp_path):
    names = [f"train/{id_}/images/{id_}_0.png" for id_ in ("n01443537", "n01629819")] + ["val/images/v.png"]

    by_file, _ = classes(folder_of(tmp_path, *names))

    assert by_file == {names[0]: "n01443537", names[1]: "n01629819"}


def test_a_stray_picture_beside_wrapped_class_folders_has_no_class(tmp_path):
    by_file, _ = classes(folder_of(tmp_path, "set/daisy/a.png", "set/rose/b.png", "set/c.png"))

    assert by_file == {"set/daisy/a.png": "daisy", "set/rose/b.png": "rose"}


def test_spellings_of_one_class_are_one_class(tmp_path):
    """Splits often differ in case; a model cannot tell a photo of a NORMAL from one of a normal."""
    names = [
        "train/NORMAL/a.png",
        "train/NORMAL/b.png",
        "val/Normal/c.png",
        "val/VIRUS/d.png",
        "val/virus /e.png",
    ]

    by_file, _ = classes(folder_of(tmp_path, *names))

    assert [by_file[name] for name in names] == ["NORMAL", "NORMAL", "NORMAL", "VIRUS", "VIRUS"]


def test_the_background_of_caltech_101_is_no_class(tmp_path):
    by_file, _ = classes(folder_of(tmp_path, "BACKGROUND_Google/a.png", "ant/b.png", "wrench/c.png"))

    assert by_file == {"ant/b.png": "ant", "wrench/c.png": "wrench"}


def test_a_stray_picture_in_a_shard_has_no_class(tmp_path):
    by_file, _ = classes(folder_of(tmp_path, "00000/cat/a.png", "00001/dog/b.png", "00000/c.png"))

    assert by_file == {"00000/cat/a.png": "cat", "00001/dog/b.png": "dog"}


@pytest.mark.parametrize("stray", ["loose.png", "dog/small/c.png"])
def test_a_stray_picture_has_no_class_and_is_counted(tmp_path, stray):
    listing = images.gather(folder_of(tmp_path, "cat/a.png", "dog/b.png", stray))

    assert {row.value for row in listing.attributes} == {"cat", "dog"}
    assert len(listing.attributes) == 2
    assert listing.class_note.startswith("1 of 3 files")


def test_folders_that_are_no_classes_are_named_with_the_reason(tmp_path):
    listing = images.gather(folder_of(tmp_path, "00000/a.png", "00001/b.png"))

    assert "00000, 00001" in listing.class_note and "say nothing" in listing.class_note


def test_the_note_says_what_a_line_of_class_names_must_hold(tmp_path):
    root = folder_of(tmp_path, "0/a.png", "1/b.png")
    (root / "classes.txt").write_text("airplane\nbird\n")

    assert "each line a folder, a space and its name" in images.gather(root).class_note


def test_numbers_that_a_file_names_are_classes(tmp_path):
    root = folder_of(tmp_path, "train/0/a.png", "train/1/b.png", "train/2/c.png")
    (root / "classes.txt").write_text("0 airplane\n1 automobile\n2 bird\n")

    assert set(classes(root)[0].values()) == {"airplane", "automobile", "bird"}


def test_folders_inside_tars_are_classes_unless_sidecars_give_them(tmp_path):
    tar(tmp_path / "00.tar", {"cat/a.png": b"", "dog/b.png": b""})

    assert classes(tmp_path)[0] == {"00.tar/cat/a.png": "cat", "00.tar/dog/b.png": "dog"}
    assert classes(tmp_path, class_folders=False) == ({}, {})

    tar(tmp_path / "01.tar", {"cat/a.png": b"", "cat/a.cls": "tabby"})

    assert classes(tmp_path)[0] == {"01.tar/cat/a.png": "tabby"}


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
