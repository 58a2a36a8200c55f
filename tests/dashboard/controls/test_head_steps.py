"""One head is chosen by keys: the previous and the next one on every page, the four around it in the grid."""

import pytest

from dashboard.controls.head_steps import moved
from tests.support.pages import link, open_page
from tests.support.visitor import Visitor

PAGES_OF_A_HEAD = ["head", "image_neighbors", "text_neighbors", "compare"]


@pytest.fixture(autouse=True)
def _serve(two_models, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(two_models))


@pytest.mark.parametrize("page", [*PAGES_OF_A_HEAD, "topic_segmentation", "contrastive_segmentation"])
def test_a_key_leads_to_the_next_head_wherever_a_head_is_chosen(page):
    name = "head" if page in PAGES_OF_A_HEAD else "heads"
    app = open_page(page, **{name: "L1.H1"})
    keys = {button.proto.shortcut: button for button in app.button if button.proto.shortcut}

    assert {"p", "n"} <= keys.keys()
    keys["n"].click().run()

    assert link(app)[name] == "L2.H0"


def test_the_grid_is_walked_by_keys_and_opens_the_framed_head():
    visitor = Visitor("heads", head="L1.H0")
    keys = {node.proto.shortcut: node for node in visitor.buttons()}
    assert "shift+down" not in keys, "the lowest layer"

    visitor.click(keys["shift+up"])
    assert link(visitor.app)["head"] == "L2.H0"
    visitor.click({node.proto.shortcut: node for node in visitor.buttons()}["shift+right"])
    assert link(visitor.app)["head"] == "L2.H1"
    visitor.click({node.proto.shortcut: node for node in visitor.buttons()}["shift+enter"])

    assert visitor.app.title[0].value == "Head"
    assert link(visitor.app)["head"] == "L2.H1"


def test_a_head_chosen_elsewhere_has_the_frame_and_the_framed_head_goes_along():
    visitor = Visitor("text_neighbors")
    visitor.choose("w.head", 2)

    visitor.go("heads")
    assert link(visitor.app)["head"] == "L2.H0"
    visitor.click({node.proto.shortcut: node for node in visitor.buttons()}["shift+down"])
    visitor.go("head")

    assert link(visitor.app)["head"] == "L1.H0"


def test_a_move_ends_at_the_edge_and_leaps_over_what_is_not_stored():
    heads = [(1, 0), (1, 3), (4, 0), (4, 1)]

    assert moved(heads, (1, 0), (0, 1)) == (1, 3)
    assert moved(heads, (1, 3), (1, 0)) == (4, 1)
    assert moved(heads, (4, 1), (0, 1)) == (4, 1)
    assert moved(heads, (4, 0), (1, 0)) == (4, 0)
    assert moved(heads, (4, 0), (-1, 0)) == (1, 0)
