"""Classes of images, from folders named by id or name."""

import pytest

from precompute import clip
from precompute.inputs.images import ImageFile
from precompute.runtime.config import ConfigError
from precompute.tools.verify_paper import classes


def test_imagenets_folders_are_ids_or_names_of_one_class():
    imagenet = classes.imagenet()
    files = {
        folder: ImageFile(None, f"val/{folder}/1.jpg")
        for folder in ("n01443537", "goldfish", "great_white_shark", "sunglasses", "holiday")
    }

    image_class = classes.of_images(files, list(files), imagenet)

    assert image_class.tolist() == [1, 1, 2, classes.NONE, classes.NONE]  # two classes are sunglasses
    assert len(imagenet.prompts) == len(set(imagenet.class_index.values())) == 1000


def test_ids_have_the_order_of_open_clips_names():
    """Six WordNet ids with known names."""
    known = {"n01440764": "tench", "n02099601": "Golden Retriever", "n03977966": "police van"}
    known |= {"n07747607": "orange", "n15075141": "toilet paper", "n02123394": "Persian cat"}
    index = classes.imagenet().class_index

    assert {wordnet_id: clip.imagenet_names()[index[wordnet_id]] for wordnet_id in known} == known


def test_a_class_of_a_file_may_have_several_prompts(tmp_path, capsys):
    path = tmp_path / "classes.tsv"
    path.write_text("\ufeff# folder\tprompt\nRed_Things\ta red thing\nblue\ta blue thing\nred things\tred\n")

    assert classes.load(path) == ({"red things": 0, "blue": 1}, [["a red thing", "red"], ["a blue thing"]])
    assert "1 comment left out, the first '# folder\\tprompt'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "says"), [("red a red thing\n", "classes.tsv, line 1"), ("a\tb\n", "1 classes")]
)
def test_unusable_classes_are_refused(tmp_path, content, says):
    path = tmp_path / "classes.tsv"
    path.write_text(content)

    with pytest.raises(ConfigError, match=says):
        classes.load(path)
