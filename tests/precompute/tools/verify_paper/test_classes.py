"""Classes of images, from folders named by id or name."""

import pytest

from precompute import clip
from precompute.inputs.images import ImageFile
from precompute.runtime.config import ConfigError
from precompute.tools.verify_paper import classes


def test_imagenets_folders_are_ids_or_names_of_one_class():
    known = classes.imagenet()
    files = {
        folder: ImageFile(None, f"val/{folder}/1.jpg")
        for folder in ("n01443537", "goldfish", "great_white_shark", "sunglasses", "holiday")
    }

    found = classes.of_images(files, list(files), known)

    assert found.tolist() == [1, 1, 2, classes.NONE, classes.NONE]  # two classes are sunglasses
    assert len(known.prompts) == 1000 and len({known.place[one] for one in known.place}) == 1000


def test_ids_stand_in_the_order_of_open_clips_names():
    """Each of ten ids, known by heart of WordNet, beside the name that open_clip has in its place."""
    known = {"n01440764": "tench", "n02099601": "Golden Retriever", "n03977966": "police van"}
    known |= {"n07747607": "orange", "n15075141": "toilet paper", "n02123394": "Persian cat"}
    place = classes.imagenet().place

    assert {one: clip.imagenet_names()[place[one]] for one in known} == known


def test_own_classes_have_as_many_prompts_as_they_like(tmp_path):
    path = tmp_path / "classes.tsv"
    path.write_text("# folder\tprompt\nRed_Things\ta red thing\nblue\ta blue thing\nred things\tred\n")

    assert classes.load(path) == (
        {"red things": 0, "blue": 1},
        [["a red thing", "red"], ["a blue thing"]],
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [("red a red thing\n", "line 1: write a folder name, a tab"), ("a\tb\n", "1 classes")],
)
def test_classes_that_are_none_are_refused(tmp_path, content, says):
    path = tmp_path / "classes.tsv"
    path.write_text(content)

    with pytest.raises(ConfigError, match=says):
        classes.load(path)
