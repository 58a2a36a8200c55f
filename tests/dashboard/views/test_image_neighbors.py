"""The page Image neighbors over the tiny bundle."""

from urllib.parse import parse_qsl

import numpy as np

from dashboard import images as drawing
from dashboard.controls import shared as controls
from dashboard.data import images
from db import queries
from tests.support import bundles
from tests.support.bundles import IMAGE_IDS
from tests.support.calls import count_calls
from tests.support.pages import (
    NUMBERS,
    PICKER,
    galleries,
    link,
    open_numbers,
    open_page,
    open_picker,
    open_tile,
    said,
)


def test_image_neighbors_come_best_first_and_leave_the_query_out():
    app = open_page("image_neighbors", image=IMAGE_IDS[4], head="L2.H0", k="5", opened=NUMBERS)

    table = app.dataframe[0].value
    y = bundles.coordinates()[:, 2]
    y = y - y.mean(axis=0)
    cosine = y @ y[4] / np.linalg.norm(y, axis=1) / np.linalg.norm(y[4])
    expected = [i for i in np.argsort(-cosine) if i != 4][:5]
    assert table["image_id"].tolist() == [IMAGE_IDS[i] for i in expected]
    np.testing.assert_allclose(table["score"], cosine[expected], atol=2e-3)


def test_the_papers_dot_product_is_one_click_away():
    app = open_page("image_neighbors", image=IMAGE_IDS[4], head="L2.H0", k="5")
    app.segmented_control(key="w.by").set_value("dot").run()
    open_numbers(app)

    y = bundles.coordinates()[:, 2]
    np.testing.assert_allclose(app.dataframe[0].value["score"], sorted(y @ y[4])[::-1][:6][-5:], atol=2e-5)
    assert link(app)["by"] == "dot"


def test_a_neighbor_becomes_the_next_query():
    app = open_page("image_neighbors", image=IMAGE_IDS[4], head="L2.H0", k="3")
    [neighbors] = galleries(app)

    image_id = open_tile(app, 1)

    assert link(app) == dict(parse_qsl(neighbors[1]["href"].removeprefix("?"), keep_blank_values=True)), (
        "as in another tab"
    )
    assert link(app)["image"] == image_id != IMAGE_IDS[4]
    assert not app.exception


def test_images_to_choose_from_are_drawn_only_while_one_chooses(monkeypatch):
    app = open_page("image_neighbors", k="3")
    assert [len(tiles) for tiles in galleries(app)] == [3]

    open_picker(app)
    decoded = count_calls(monkeypatch, drawing, "is_thumbnail")
    app.run()

    assert [len(tiles) for tiles in galleries(app)] == [len(IMAGE_IDS), 3]
    assert decoded == []  # again


def test_an_image_is_found_by_its_attributes():
    app = open_page("image_neighbors", opened=PICKER)
    app.text_input(key="w.search").set_value("RED square").run()
    choices = galleries(app)[0]

    assert {tile["id"] for tile in choices} == {IMAGE_IDS[n] for n in (3, 9)}

    assert open_tile(app, 1) == link(app)["image"] == choices[1]["id"]


def test_a_search_looks_through_the_images_once(monkeypatch):
    """Not a second time to count them."""
    app = open_page("image_neighbors", opened=PICKER)
    calls = count_calls(monkeypatch, queries, "query")

    app.text_input(key="w.search").set_value("png RED circle").run()

    assert [values["words"] for _, _, values in calls if "words" in values] == [["png", "RED", "circle"]]


def test_another_search_begins_at_its_first_page(monkeypatch):
    monkeypatch.setattr(controls, "PER_PAGE", 2)
    app = open_page("image_neighbors", opened=PICKER)
    app.session_state["w.page"] = 2
    app.run()
    assert app.session_state["w.page"] == 2

    app.text_input(key="w.search").set_value("red").run()

    assert app.session_state["w.page"] == 1
    assert not app.exception


def test_a_search_that_finds_nothing_says_what_to_do():
    app = open_page("image_neighbors", opened=PICKER)
    app.text_input(key="w.search").set_value("red circel").run()

    assert "No image has “circel”; spelled like it: circle." in said(app)


def test_a_page_of_words_is_not_looked_up_word_by_word(monkeypatch):
    app = open_page("image_neighbors", opened=PICKER)
    counts = count_calls(monkeypatch, images, "count")

    app.text_input(key="w.search").set_value('"" ' + " ".join(f"word{n}" for n in range(500))).run()

    assert "No image has “word0”. No image has “word1”. No image has “word2”." in said(app)
    assert len(counts) < 10


def test_an_unknown_head_in_the_link_is_named_and_nothing_else_is_lost():
    app = open_page("image_neighbors", head="L7.H7", image=IMAGE_IDS[3], by="dot", k="2")

    assert "head=L7.H7: this model has no such head" in said(app)
    assert [link(app)[name] for name in ("image", "by", "k")] == [IMAGE_IDS[3], "dot", "2"]


def test_more_neighbors_than_images_are_all_there_are():
    app = open_page("image_neighbors", k="500")

    assert "only 11 can be shown" in said(app)
    assert link(app)["k"] == "11"
