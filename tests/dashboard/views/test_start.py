"""The start page: the best model, its heads, one head, and the five analyses; over bundles that lack some."""

from urllib.parse import urlencode

import pytest

from dashboard.sections.start import TITLES
from db import citation
from tests.support import boards, extremes
from tests.support.bundles import CONTROL_KEY, MODEL_KEY, PAIRS
from tests.support.pages import galleries, link, open_page, open_tile, said, words
from tests.support.places import changed_copy
from tests.support.visitor import Visitor


def cards(app) -> list[dict[str, str]]:
    """The tiles of the analyses."""
    return galleries(app)[-1]


def random_button(visitor: Visitor):
    return next(button for button in visitor.buttons() if button.proto.label == "Random head")


def test_the_first_page_says_what_this_is_and_leads_on():
    app = open_page("start")

    assert said(app) == "" and not app.exception
    assert app.title[0].value == "Headlight"
    assert "what each attention head of a CLIP model reads" in words(app)
    assert [card["score"] for card in cards(app)] == list(TITLES.values())
    [paper] = app.get("link_button")
    assert paper.proto.url == citation.PAPER
    assert citation.bibtex().strip() in [code.value for code in app.code]


def test_every_head_of_the_grid_is_a_link_too():
    app = open_page("start")

    listed = next(html.proto.body for html in app.get("html") if "<summary>" in html.proto.body)
    assert listed.count("head?") == len(PAIRS)


def test_the_best_model_by_the_first_metric_is_shown(board, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(board))

    app = open_page("start")

    assert link(app)["model"] == boards.BETA, "alpha is the first of the bundle"
    assert "Rank 1–2 of 2 trained models by text consistency, cross-fitted." in words(app)
    assert link(open_page("heads"))["model"] == boards.ALPHA


def test_another_model_is_shown_if_it_is_chosen(board, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(board))

    app = open_page("start", model=boards.ALPHA)

    assert link(app)["model"] == boards.ALPHA
    assert "What the heads of alpha/one read" in [header.value for header in app.header]


def test_random_heads_come_once_each_and_are_in_the_link():
    visitor = Visitor("start")
    shown = []
    for _ in PAIRS:
        visitor.click(random_button(visitor))
        shown.append(link(visitor.app)["head"])
        if len(shown) == 1:
            assert visitor.drawn() == visitor.fresh().drawn()

    assert sorted(shown) == [f"L{layer}.H{head}" for layer, head in sorted(PAIRS)]


def test_a_chosen_head_goes_along():
    visitor = Visitor("start")
    visitor.click(random_button(visitor))
    head = link(visitor.app)["head"]

    visitor.go("text_neighbors")

    assert link(visitor.app)["head"] == head


@pytest.mark.parametrize("place", [1, 3])
def test_an_analysis_opens_with_the_view_of_its_picture(place):
    app = open_page("start")
    href = cards(app)[place]["href"]

    page = open_tile(app, place, gallery=-1)

    assert page == list(TITLES)[place]
    assert href == f"{page}?{urlencode(link(app))}"
    assert app.title[0].value == TITLES[page]
    assert said(app) == ""


def test_pictures_are_small_and_say_what_is_in_them():
    tiles = cards(open_page("start"))

    assert all(tile["picture"].startswith("data:image/webp") for tile in tiles)
    assert all(len(tile["picture"]) < 60_000 for tile in tiles)
    assert all(tile["note"] in tile["alt"] and len(tile["alt"]) > len(tile["note"]) for tile in tiles)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [{"thumbnails": False}, {"one_layer": True}, {"vectors": False}], ids=str)
def test_a_bundle_that_lacks_something_has_a_start(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(extremes.write(tmp_path / "tiny", **kind)))

    app = open_page("start")

    assert not app.exception and not app.error and not app.warning
    assert ("imported without vectors" in said(app)) == (kind == {"vectors": False})
    if "vectors" in kind:
        assert galleries(app) == []
        assert "Texts that describe it best" in words(app)
    if "thumbnails" in kind:
        pictures = {tile["id"]: bool(tile["picture"]) for tile in cards(app)}
        assert [page for page, is_there in pictures.items() if is_there] == [
            "topic_segmentation",
            "contrastive_segmentation",
        ], "maps need no thumbnail"


def test_a_bundle_without_labels_has_a_start(two_models, tmp_path, monkeypatch):
    bundle = changed_copy(two_models, tmp_path / "tiny", "delete from judgement; delete from head_label")
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(bundle))

    app = open_page("start")

    assert not app.exception and said(app) == ""
    assert "all heads" in cards(app)[0]["note"]


def test_maps_that_are_not_stored_do_not_ask_the_model(plain, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(plain))

    app = open_page("start")

    assert not app.exception and said(app) == ""
    assert all(tile["picture"] for tile in cards(app))


def test_imported_results_are_the_best_model_only_without_another(imported, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(imported))

    assert link(open_page("start"))["model"] == MODEL_KEY
    assert "imported without vectors" in said(open_page("start", model=CONTROL_KEY))
