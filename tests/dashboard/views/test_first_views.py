"""A page opened without a link shows the first view of the bundle; a link, or a choice, comes before it."""

import pytest

from tests.support.bundles import GALLERY, IMAGE_IDS, MODEL_KEY, TEXT_IDS, TEXTS
from tests.support.pages import link, open_page, said
from tests.support.places import changed_copy
from tests.support.visitor import Visitor

NAMES = list(TEXTS)
ROWS = {
    "head": "null, null, null, null, 2, 0, null",
    "image_neighbors": f"'{IMAGE_IDS[5]}', null, null, null, 2, 0, null",
    "text_neighbors": f"null, '{TEXT_IDS[4]}', null, null, 2, 0, null",
    "property_search": f"'{IMAGE_IDS[7]}', null, null, 'shape', null, null, null",
    "topic_segmentation": f"'{GALLERY[2]}', '{TEXT_IDS[5]}', null, 'shape', null, null, null",
    "contrastive_segmentation": (
        f"'{GALLERY[1]}', '{TEXT_IDS[1]}', '{TEXT_IDS[2]}', 'color', null, null, null"
    ),
    "mean_ablation": "null, null, null, 'shape', null, null, 'shape'",
}
SHOWN = {
    "head": {"head": "L2.H0"},
    "image_neighbors": {"image": IMAGE_IDS[5], "head": "L2.H0"},
    "text_neighbors": {"text": NAMES[4], "head": "L2.H0"},
    "property_search": {"image": IMAGE_IDS[7], "heads": "property:shape"},
    "topic_segmentation": {"image": GALLERY[2], "text": NAMES[5], "heads": "property:shape"},
    "contrastive_segmentation": {
        "image": GALLERY[1], "text": NAMES[1], "against": NAMES[2], "heads": "property:color"
    },
    "mean_ablation": {"attribute": "shape", "heads": "property:shape"},
}  # fmt: skip


@pytest.fixture(scope="module")
def bundle(two_models, tmp_path_factory):
    rows = ", ".join(f"('{MODEL_KEY}', '{page}', {row}, 0.5)" for page, row in ROWS.items())
    return changed_copy(
        two_models, tmp_path_factory.mktemp("first") / "tiny", f"insert into first_view values {rows}"
    )


def options(app, page: str) -> dict[str, str]:
    return {name: value for name, value in link(app).items() if name in SHOWN[page]}


@pytest.mark.parametrize("page", SHOWN)
def test_a_page_opens_with_its_first_view(page):
    app = open_page(page)

    assert options(app, page) == SHOWN[page]
    assert said(app) == ""


def test_every_page_opens_its_own_first_view_until_something_is_chosen():
    visitor = Visitor("topic_segmentation")

    for page in ("contrastive_segmentation", "property_search", "image_neighbors", "topic_segmentation"):
        visitor.go(page)
        assert options(visitor.app, page) == SHOWN[page]


def test_after_a_choice_what_a_page_shows_goes_along():
    visitor = Visitor("topic_segmentation")
    visitor.choose("w.text.pool", 3)

    visitor.go("contrastive_segmentation")

    assert options(visitor.app, "topic_segmentation") | {"heads": ""} == {
        "image": GALLERY[2], "text": NAMES[3], "heads": ""
    }  # fmt: skip


def test_a_link_that_names_an_image_opens_the_view_that_it_opened_before():
    app = open_page("topic_segmentation", image=IMAGE_IDS[0])

    assert options(app, "topic_segmentation") == {
        "image": IMAGE_IDS[0], "text": NAMES[0], "heads": "property:color"
    }  # fmt: skip


def test_a_link_that_names_the_model_alone_opens_its_first_view():
    assert options(open_page("head", model=MODEL_KEY), "head") == SHOWN["head"]


def test_without_a_first_view_of_two_texts_that_of_one_is_against_a_text_of_the_best_head(
    bundle, tmp_path, monkeypatch
):
    sql = "delete from first_view where page = 'contrastive_segmentation'"
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(changed_copy(bundle, tmp_path / "tiny", sql)))

    shown = options(open_page("contrastive_segmentation"), "contrastive_segmentation")

    assert shown == SHOWN["topic_segmentation"] | {"against": NAMES[0], "heads": "all"}


def test_a_first_view_of_a_label_that_was_replaced_is_not_opened(bundle, tmp_path, monkeypatch):
    relabel = (
        "update first_view set property = 'pattern' where page = 'property_search'"  # no head has this label
    )
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(changed_copy(bundle, tmp_path / "tiny", relabel)))

    app = open_page("property_search")

    assert options(app, "property_search") == {"image": GALLERY[0], "heads": "property:color"}
