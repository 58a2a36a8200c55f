"""A collection survives its link and its file; those of other people are checked part by part."""

import base64
import json
import random
import zlib
from dataclasses import fields

import pytest

from dashboard.state.collection_files import MARK, VERSION, NoCollection, from_file, from_link, to_file
from dashboard.state.pins import MAX_BYTES, MAX_LINK, MAX_NOTE, MAX_PINS, Collection, Pin
from dashboard.state.views import OF_PAGE, to_query
from tests.support.hostile import HOSTILE
from tests.support.pages import PINNED

HEAD, NEIGHBORS, BOARD = PINNED.pins
NOTE = '50 % & "quotes" <b>\\ 🦓\u202e'


def keys(collection: Collection) -> list[str]:
    return [pin.key for pin in collection.pins]


def file_of(*views, **more) -> bytes:
    return json.dumps({MARK: VERSION, "views": views} | more).encode()


def view_of(**changes) -> dict:
    return {"page": "head", "bundle_id": "two", "query": {"head": "L2.H0"}, "note": ""} | changes


def test_a_collection_survives_its_link_and_its_file():
    collection = PINNED.noted(HEAD.key, NOTE)

    assert from_link(str(collection)) == (collection, [])
    assert from_file(to_file(collection)) == (collection, [])
    assert from_link("") == (Collection(), [])


@pytest.mark.parametrize("page", OF_PAGE)
def test_a_view_of_every_page_can_be_pinned(page):
    pin = Pin(page, tuple(to_query(OF_PAGE[page]()).items()), "two")

    assert from_file(to_file(Collection((pin,)))) == (Collection((pin,)), [])
    assert set(pin.options) == {field.name for field in fields(OF_PAGE[page])}


def test_views_are_put_in_order_and_none_is_there_twice():
    assert keys(PINNED.moved(BOARD.key, -1)) == [HEAD.key, BOARD.key, NEIGHBORS.key]
    assert PINNED.moved(HEAD.key, -1) == PINNED.moved(BOARD.key, 1) == PINNED.moved("none", 1) == PINNED
    assert PINNED.without(HEAD.key).joined(HEAD, BOARD) == PINNED.moved(HEAD.key, 2)
    assert PINNED.joined(*PINNED.noted(HEAD.key, "another note").pins) == PINNED


def test_a_collection_that_is_too_long_for_a_link_has_none_but_a_file():
    letters = random.Random(0)
    notes = ["".join(letters.choices("abcdefghijklmnopqrstuvwxyz", k=MAX_NOTE)) for _ in range(20)]
    long = Collection(tuple(Pin("head", (("k", str(n)),), "two", note) for n, note in enumerate(notes)))

    assert str(long) == "" and 0 < len(str(PINNED)) < MAX_LINK
    assert from_file(to_file(long)) == (long, [])


def test_a_collection_has_an_end():
    many = Collection().joined(*(Pin("head", (("k", str(n)),), "two") for n in range(MAX_PINS + 9)))

    assert len(many.pins) == MAX_PINS


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[1]", 'it has no "headlight_collection"'),
        (b'{"views": []}', 'it has no "headlight_collection"'),
        (b'{"headlight_collection": true, "views": []}', 'it has no "headlight_collection"'),
        (file_of(**{MARK: VERSION + 1}), "a newer Headlight saved it"),
        (file_of(**{MARK: 0}), "no Headlight saved it"),
        (file_of(**{MARK: 10**400}), "a newer Headlight saved it"),
        (file_of(views={}), 'it has no list "views"'),
        (b" " * (MAX_BYTES + 1), "a collection has at most 1,000,000"),
    ],
    ids=range(11),
)
def test_a_file_that_is_no_collection_is_refused_with_a_reason(data, reason):
    with pytest.raises(NoCollection, match=reason) as problem:
        from_file(data)
    assert len(str(problem.value)) < 200


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (7, "it is no view"),
        (view_of(page="../../etc/passwd"), 'no page "../../etc/passwd"'),
        (view_of(page="collection"), 'no page "collection"'),
        (view_of(page=["head"]), "no page"),
        (view_of(query=[["head", "L2.H0"]]), "it has no query"),
        (view_of(query={"head": 3}), "its head is not a text"),
        (view_of(query={"head": "a\x00b"}), "its head has control characters"),
        (view_of(query={"head": "\ud800"}), "its head has letters that do not exist"),
        (view_of(query={"head": "L" * 10_001}), "its head has more than 10,000 letters"),
        (view_of(note=None), "its note is not a text"),
        (view_of(note="x" * (MAX_NOTE + 1)), "its note has more than 500 letters"),
        (view_of(bundle_id={}), "its bundle_id is not a text"),
    ],
    ids=range(12),
)
def test_a_view_that_cannot_be_opened_is_left_out_and_named_and_the_others_stay(view, reason):
    collection, [note] = from_file(file_of(view_of(note="first"), view, view_of(query={})))

    assert [pin.note for pin in collection.pins] == ["first", ""]
    assert note.startswith("View 2 is left out: ") and reason in note and len(note) < 200


def test_an_option_that_a_page_does_not_have_is_named():
    collection, notes = from_file(file_of(view_of(query={"head": "L2.H0", "zoom": "3", "<b>": ["x"]})))

    assert collection.pins[0].options == {"head": "L2.H0"}
    assert notes == ["View 1 had <b>, zoom, which its page does not have."]


def test_any_text_is_kept_as_it_is_or_named():
    for text in HOSTILE:
        collection, notes = from_file(file_of(view_of(query={"head": text}, note=text[:MAX_NOTE])))

        assert notes or collection.pins[0].options == {"head": text}
        assert from_link(str(collection)) == (collection, []) or str(collection) == ""


@pytest.mark.parametrize("value", [*HOSTILE[:1], *HOSTILE[2:], str(PINNED)[:-9], str(PINNED)[9:]])
def test_a_link_that_holds_no_collection_says_so(value):
    with pytest.raises(ValueError, match="it is no collection"):
        from_link(value)


def test_a_link_that_would_fill_the_memory_is_refused():
    bomb = (
        base64.urlsafe_b64encode(zlib.compress(b"[" + b" " * 10 * MAX_BYTES + b"]", 9)).decode().rstrip("=")
    )

    with pytest.raises(ValueError, match="it is no collection"):
        from_link(bomb)
