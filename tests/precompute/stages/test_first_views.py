"""First views of a model written by hand: heads of color and of shape, and images with one thing or two."""

from typing import Any

import pandas as pd
import torch

from precompute.inputs.prompts import ClassPrompt
from precompute.inputs.text_pool import text_id
from precompute.method.types import Label, Pool, TextSpan
from precompute.runtime import work_files
from precompute.stages import decompose_images, first_views
from precompute.stages.first_views import Maps, Model, Outputs

TEXTS = ("red", "orange", "yellow", "green", "blue", "pink", "a circle", "a square")
COLORS, SHAPES = TEXTS[:6], TEXTS[6:]
TAGS = torch.tensor([[text in COLORS, text in SHAPES] for text in TEXTS])
POOL = Pool("known", "en", None, TEXTS, ("color", "shape"), TAGS, 0, 0)
IMAGES, GRID = 24, (6, 6)
NAMES = [f"image {number:02}" for number in range(IMAGES)]
EACH = torch.arange(IMAGES)
COLOR, SHAPE = EACH % 6, EACH // 6 % 2
"""Index of the color and of the shape of each image."""

BOTH = 11
"""The image that is half pink and half red."""


def label(name: str, *, supported: bool) -> Label:
    return Label(name, "variance_share", 10, 2, 0.9, 0.5, None, 0.005, 0.01 if supported else 0.5)


def head_outputs() -> torch.Tensor:
    """Centered coordinates [image, head, rank]: an axis a color, and an axis a shape."""
    coordinates = torch.zeros(IMAGES, 2, 6).double()
    coordinates[EACH, 0, COLOR] = 1
    coordinates[EACH, 1, SHAPE] = 1
    coordinates[BOTH, 0, [0, 5]] = torch.tensor([0.7, 0.8]).double()
    return coordinates - coordinates.mean(dim=0)


def tokens() -> torch.Tensor:
    """Coordinates [image, head, patch, rank]: what an image has is in two by two patches."""
    patches = torch.zeros(IMAGES, 2, *GRID, 6)
    for image in range(IMAGES):
        row, column = 1 + image % 3, image // 6
        patches[image, 0, row : row + 2, column : column + 2, COLOR[image]] = 1
        patches[image, 1, row : row + 2, column : column + 2, SHAPE[image]] = 1
        patches[image, :, 5, 5] += 0.02 * image  # the later, the less of the map in one place
    patches[BOTH, 0, 4:, 4:, 0] = 1
    return patches.flatten(2, 3)


def model(*, color: bool = True, shape: bool = True) -> Model:
    """Returns the model; `color` and `shape` say whether the label of each head is supported."""
    basis = torch.zeros(2, 6, 8).double()
    basis[0, :, :6], basis[1, :2, 6:] = torch.eye(6), torch.eye(2)
    head = head_outputs()
    outputs = Outputs(NAMES, head, torch.einsum("nhr,hrd->nd", head, basis))
    picks = [TextSpan(torch.tensor(texts), *torch.zeros(3, 2)) for texts in ([1, 0], [7, 6])]
    labels = [label("color", supported=color), label("shape", supported=shape)]
    center, text = torch.zeros(8).double(), torch.eye(8).double()
    maps = Maps(outputs, tokens(), GRID)
    return Model(outputs, center, maps, basis, text, POOL, labels, picks, [(3, 0), (3, 1)])


def views(known: Model, **options: Any) -> pd.DataFrame:
    """Returns the first views by page."""
    prompts = [ClassPrompt("color", name, name) for name in COLORS]
    attributes = pd.DataFrame(
        {"image_id": NAMES, "attribute": "color", "value": [COLORS[place] for place in COLOR]}
    )
    attributes.loc[len(attributes)] = [NAMES[BOTH], "color", "red"]
    classes = known.text[:6]
    options = {"attributes": attributes} | options
    return first_views.rows(known, prompts, classes, **options).set_index("page")


def test_every_page_gets_a_view_of_its_own():
    found = views(model())

    assert set(found.index) == {
        "head",
        "image_neighbors",
        "text_neighbors",
        "property_search",
        "topic_segmentation",
        "contrastive_segmentation",
        "mean_ablation",
    }


def test_a_label_without_support_never_wins():
    found = views(model(color=False))

    assert set(found["property"].dropna()) == {"shape"}
    assert found.loc["head", ["layer", "head"]].tolist() == [3, 1]
    assert found.loc["text_neighbors", "text_id"] in map(text_id, SHAPES)


def test_without_any_supported_label_no_page_has_a_first_view():
    found = views(model(color=False, shape=False))

    assert found.empty
    assert list(found.reset_index().columns) == list(first_views.COLUMNS)


def test_the_map_is_of_a_text_that_its_image_has():
    row = views(model(shape=False)).loc["topic_segmentation"]

    assert row["image_id"] == NAMES[0]
    assert row["text_id"] == text_id("red")


def test_a_map_whose_label_finds_nothing_by_the_masks_never_wins():
    assert views(model())["property"]["topic_segmentation"] == "shape"

    found = views(model(), contrast={"color": 0.2, "shape": 0.0})

    assert found["property"]["topic_segmentation"] == "color"
    assert found["property"]["property_search"] == "shape"


def test_two_texts_are_contrasted_on_the_image_that_has_both():
    row = views(model()).loc["contrastive_segmentation"]

    assert row["image_id"] == NAMES[BOTH]
    assert [row["text_id"], row["against_id"]] == [text_id("red"), text_id("pink")]
    assert row["property"] == "color"


def test_no_map_is_of_an_image_without_the_attribute_that_the_label_names():
    colors = pd.DataFrame({"image_id": NAMES[6:8], "attribute": "color", "value": COLORS[:2]})

    found = views(model(shape=False), attributes=colors)

    assert found["image_id"]["topic_segmentation"] in NAMES[6:8]


def test_where_no_image_has_both_texts_the_best_map_is_set_against_another_text():
    colors = pd.DataFrame({"image_id": NAMES[6:8], "attribute": "color", "value": COLORS[:2]})

    found = views(model(shape=False), attributes=colors)

    both = found.loc[["topic_segmentation", "contrastive_segmentation"]]
    assert both["image_id"].nunique() == both["text_id"].nunique() == both["property"].nunique() == 1
    assert both["against_id"].iloc[1] in {text_id(color) for color in COLORS} - set(both["text_id"])


def test_the_ablation_is_of_the_label_that_the_accuracy_needs():
    row = views(model()).loc["mean_ablation"]

    assert (row["attribute"], row["property"]) == ("color", "color")
    assert row["value"] == 1


def test_two_runs_choose_the_same():
    pd.testing.assert_frame_equal(views(model()), views(model()))


def test_equal_images_have_no_first_view():
    known = model()
    same = Outputs(NAMES, 0 * known.images.head, 0 * known.images.embedding)

    assert views(known._replace(images=same, maps=None)).empty


def test_the_first_images_are_read_whatever_the_size_of_the_work_files(tmp_path):
    found = []
    for size in (3, 7):
        shards = decompose_images.cut(NAMES, tmp_path / str(size), size)
        for shard, part in zip(shards, torch.arange(IMAGES).split(size), strict=True):
            work_files.save_tensors(shard.path, {"head": part.clone()})
        parts = list(decompose_images.read_first(shards, ["head"], 10))
        found.append(
            (sum((ids for ids, _ in parts), []), torch.cat([each["head"] for _, each in parts]).tolist())
        )

    assert found[0] == found[1] == (NAMES[:10], list(range(10)))
