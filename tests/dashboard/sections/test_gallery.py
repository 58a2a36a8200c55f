"""Galleries on the pages: what a tile says and where it leads; `test_browser.py` draws one."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from dashboard.data import picture_words
from tests.support.bundles import IMAGE_IDS
from tests.support.pages import galleries, link, open_page, open_tile


@pytest.fixture(autouse=True)
def _serve(two_models, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(two_models))


def test_a_picture_leads_to_its_neighbors_in_this_head():
    """In the same tab by a click, and by the address in another."""
    app = open_page("text_neighbors", head="L2.H1")
    tile = galleries(app)[-1][2]
    address = urlsplit(tile["href"])

    image_id = open_tile(app, 2, gallery=-1)

    assert app.title[0].value == "Image neighbors"
    assert (link(app)["image"], link(app)["head"]) == (image_id, "L2.H1")
    assert (address.path, dict(parse_qsl(address.query, keep_blank_values=True))) == (
        "image_neighbors",
        link(app),
    )


def test_a_tile_shows_a_picture_its_score_and_all_that_is_known_of_it():
    [most, *_] = galleries(open_page("head", head="L2.H0", k="3"))
    [first, *_] = most

    assert first["picture"].startswith("data:image/jpeg;base64,")
    assert first["id"] in IMAGE_IDS
    path, *attributes = first["title"].splitlines()
    assert (
        first["alt"] == f"{picture_words.seen(', '.join(attributes))}, score {first['score']}, most aligned"
    )
    assert path not in first["alt"], "what is seen, not where it lies"
    assert first["title"].splitlines()[0].endswith(first["name"].lstrip("…"))
