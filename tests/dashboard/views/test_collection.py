"""The collection: views of any page are pinned; its own page puts them in order, saves and opens them."""

import json
from html.parser import HTMLParser
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.data import collection as collection_data
from dashboard.data import option_words
from dashboard.sections import printed
from dashboard.state.collection_files import MARK, to_file
from tests.support.bundles import GALLERY, MODEL_KEY
from tests.support.pages import PAGES, PINNED, link, open_page, plain, said, words
from tests.support.visitor import PINS, Visitor

HEAD, NEIGHBORS, BOARD = PINNED.pins


def pin(app: AppTest, note: str = "") -> AppTest:
    """Pins the view of a page by the button in the sidebar."""
    app.text_input(key="w.note").set_value(note)
    return press(app, "Pin this view")


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def open_collection(app: AppTest) -> AppTest:
    app.query_params.clear()
    return app.switch_page("views/collection.py").run()


def titles(app: AppTest) -> list[str]:
    """The titles of the pinned views, which lead to them."""
    return [plain(node.proto.label).strip("*") for node in app.main.get("page_link")]


def load(app: AppTest, data: bytes, name: str = "mine.json") -> AppTest:
    app.file_uploader(key="collection.file").upload(name, data, "application/json").run()
    assert not app.exception
    return app


def test_a_pinned_view_goes_along_and_opens_again_as_it_was():
    app = pin(open_page("image_neighbors", head="L2.H1", k="3", by="dot"), "  look   here ")
    there = link(app)
    app.query_params.clear()
    app.switch_page("views/heads.py").run()

    open_collection(app)

    assert titles(app) == [f"1. Images like {file_name(app, there['image'])} in L2.H1 · count?"]
    assert app.main.text_input[0].value == "look here"
    [opened] = app.main.get("page_link")
    assert opened.proto.page == "image_neighbors"
    assert open_page("image_neighbors", **query_of(opened)).title[0].value == "Image neighbors"
    assert query_of(opened) == there


def file_name(app: AppTest, image_id: str) -> str:
    return option_words.image_words(app.session_state["source"], image_id)


def query_of(page_link) -> dict[str, str]:
    return dict(parse_qsl(page_link.proto.query_string, keep_blank_values=True))


@pytest.mark.parametrize("page", [page for page in PAGES if page != "collection"])
def test_every_page_can_be_pinned_and_says_that_it_is(page):
    app = open_page(page)
    assert popover(app) == "Pin"

    pin(app)

    assert popover(app) == "Pinned"
    assert app.session_state[PINS].pins[0].options == link(app)
    assert "–" not in collection_data.title(app.session_state["source"], app.session_state[PINS].pins[0])
    assert popover(press(app, "Remove this view")) == "Pin"


def popover(app: AppTest) -> str:
    """The name of the box that pins: the only one of the sidebar."""
    return next(block.proto.popover.label for block in blocks(app.sidebar) if block.proto.HasField("popover"))


def blocks(block):
    for child in getattr(block, "children", {}).values():
        if hasattr(child, "children") and getattr(child, "proto", None) is not None:
            yield child
        yield from blocks(child)


def test_a_page_that_ends_early_can_be_pinned_too():
    app = pin(open_page("text_neighbors", text=""))

    assert "The text is empty" in said(app)
    assert popover(app) == "Pinned"


def test_the_link_of_the_page_holds_the_collection_and_the_order_notes_and_views_of_the_page():
    visitor = Visitor("collection", pinned=PINNED)
    assert [title[0] for title in titles(visitor.app)] == ["1", "2", "3"]
    steps = [("Move 3 up", [0, 2, 1]), ("Move 1 down", [2, 0, 1]), ("Remove 3", [2, 0])]

    for label, order in steps:
        visitor.click(next(node for node in visitor.buttons() if node.proto.label == label))
        assert visitor.app.session_state[PINS].pins == tuple(PINNED.pins[place] for place in order)
        assert visitor.drawn() == visitor.fresh().drawn()
    visitor.set(visitor.widget(f"w.notes.{HEAD.key}"), "another *note*")

    assert visitor.app.session_state[PINS].pins[1].note == "another *note*"
    assert visitor.drawn() == visitor.fresh().drawn()
    assert link(visitor.fresh().app) == link(visitor.app)


def test_a_link_adds_to_what_is_pinned_here_and_takes_nothing_away():
    app = pin(open_page("about"))

    app.query_params.clear()
    app.query_params["pins"] = str(PINNED)
    app.switch_page("views/collection.py").run()

    assert [pin.page for pin in app.session_state[PINS].pins] == ["about", *(pin.page for pin in PINNED.pins)]
    assert len(titles(app)) == 4


def test_a_saved_file_is_opened_again_and_adds_what_is_not_here():
    app = load(open_page("collection", session={PINS: PINNED.without(BOARD.key)}), to_file(PINNED))

    assert app.session_state[PINS] == PINNED
    assert "mine.json: 1 added. 2 were here already, or have no room." in said(app)


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (b"<script>", "cannot be opened: it is not JSON"),
        (json.dumps({MARK: 9, "views": []}).encode(), "it has version 9, and this page reads 1; a newer"),
        (
            json.dumps({MARK: 1, "views": [{"page": "![x](y)", "query": {}}]}).encode(),
            'View 1 is left out: this Headlight has no page "![x](y)"',
        ),
    ],
    ids=["no JSON", "newer", "no page"],
)
def test_a_file_that_cannot_be_opened_is_explained_and_changes_nothing(data, answer):
    app = load(open_page("collection", session={PINS: PINNED}), data, "<b>.json")

    assert answer in said(app)
    assert app.session_state[PINS] == PINNED


def test_a_view_of_another_bundle_says_so():
    others = [("tiny", "other build"), ("elsewhere", "two-2"), ("tiny", "two")]
    pins = [
        HEAD.__class__("head", (("bundle", name), ("model", "gone")), identity) for name, identity in others
    ]

    app = open_page("collection", session={PINS: PINNED.__class__(tuple(pins))})

    build, elsewhere, model = (box.value for box in app.main.warning)
    assert "Pinned in another build of this bundle" in build
    assert "which is not here" in plain(elsewhere)
    assert "This bundle has no model gone" in model


class Tags(HTMLParser):
    """The tags and words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)


def test_the_printed_page_names_bundle_model_and_link_of_every_view_and_runs_nothing():
    source = open_page("collection").session_state["source"]
    hostile = PINNED.noted(HEAD.key, '<script>alert("x")</script>')
    views = [collection_data.shown(source, pin) for pin in hostile.pins]

    html = Tags()
    html.feed(printed.page(views, base="http://host/a", bundle="tiny", identity="two").decode())

    kinds = {tag for tag, _ in html.tags}
    assert not kinds & {"script", "link", "iframe", "object", "form"}
    links = [attrs["href"] for tag, attrs in html.tags if tag == "a"]
    assert [address.partition("?")[0] for address in links] == [
        f"http://host/a/{page}" for page in ("head", "image_neighbors", "leaderboard")
    ]
    assert all(attrs["src"].startswith("data:image/") for tag, attrs in html.tags if tag == "img")
    printed_words = " ".join(html.words)
    assert '<script>alert("x")</script>' in printed_words
    assert printed_words.count("identity two") == 3 and source.info.model in printed_words


def test_views_show_a_picture_where_one_is_at_hand():
    app = open_page("collection", session={PINS: PINNED})

    assert len(app.main.get("image")) == 2  # of the head, and of the image
    assert "L2.H0 is labeled" in words(app)
    assert GALLERY[0] in dict(NEIGHBORS.query).values() and MODEL_KEY in BOARD.options.values()
