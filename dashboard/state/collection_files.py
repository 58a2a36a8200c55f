"""Collections of other people: files and links, checked field by field. Nothing in them is executed.

docs/collection.md documents the file.
"""

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from dashboard.state.markdown import cut
from dashboard.state.pins import MAX_BYTES, MAX_NOTE, MAX_PINS, Collection, Pin, rows_of_link
from dashboard.state.views import OF_PAGE

VERSION = 1
"""Version of the file. An earlier one is read as long as this table of versions can name it."""

MARK = "headlight_collection"
"""Name of the version in a file, which tells it from any other JSON."""

MAX_VALUE = 10_000
"""Maximum number of letters of a parameter."""

MAX_ID = 100
"""Maximum number of letters of the identity of a bundle."""


class NoCollection(ValueError):
    """A file that is no collection; the message gives the reason and the next step."""


def to_file(collection: Collection) -> bytes:
    """Returns the file of a collection."""
    views = [
        {"page": pin.page, "bundle_id": pin.bundle_id, "query": pin.options, "note": pin.note}
        for pin in collection.pins
    ]
    return json.dumps({MARK: VERSION, "views": views}, indent=1, ensure_ascii=False).encode()


def from_file(data: bytes) -> tuple[Collection, list[str]]:
    """Returns the collection in a file, and a note for each part that is left out. Raises NoCollection."""
    if len(data) > MAX_BYTES:
        raise NoCollection(f"it has {len(data):,} bytes; a collection has at most {MAX_BYTES:,}.")
    try:
        content = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise NoCollection("it is not JSON. Choose a file that this page saved.") from None
    version = content.get(MARK) if isinstance(content, dict) else None
    if type(version) is not int:
        raise NoCollection(f'it has no "{MARK}". Choose a file that this page saved.')
    if version != VERSION:
        reason = (
            "a newer Headlight saved it: update this one" if version > VERSION else "no Headlight saved it"
        )
        raise NoCollection(f"it has version {cut(str(version))}, and this page reads {VERSION}; {reason}.")
    if not isinstance(content.get("views"), list):
        raise NoCollection('it has no list "views". Choose a file that this page saved.')
    return from_rows(content["views"])


def from_link(value: str) -> tuple[Collection, list[str]]:
    """Returns the collection in a link, and a note for each part that is left out. Raises ValueError."""
    return from_rows(rows_of_link(value)) if value else (Collection(), [])


def from_rows(rows: Sequence[Any]) -> tuple[Collection, list[str]]:
    """Returns the views that the rows describe, and a note for each part that is left out."""
    pins, notes = [], []
    for place, row in enumerate(rows[:MAX_PINS], 1):
        try:
            pin, unknown = _pin(row)
        except ValueError as problem:
            notes.append(f"View {place} is left out: {problem}")
            continue
        if unknown:
            notes.append(f"View {place} had {cut(', '.join(unknown))}, which its page does not have.")
        pins.append(pin)
    if len(rows) > MAX_PINS:
        notes.append(f"It has {len(rows):,} views; a collection has at most {MAX_PINS}, the first ones.")
    return Collection().joined(*pins), notes


def _pin(row: Any) -> tuple[Pin, list[str]]:
    """Returns one view, and the parameters that its page does not have. Raises ValueError."""
    if not isinstance(row, dict):
        raise ValueError("it is no view.")
    page, query = row.get("page"), row.get("query")
    if not isinstance(page, str) or page not in OF_PAGE:
        raise ValueError(f'this Headlight has no page "{cut(str(page))}".')
    if not isinstance(query, dict):
        raise ValueError("it has no query.")
    known = [field.name for field in fields(OF_PAGE[page])]
    options = [(name, _text(query[name], name, MAX_VALUE)) for name in known if name in query]
    bundle_id = _text(row.get("bundle_id", ""), "bundle_id", MAX_ID)
    pin = Pin(page, tuple(options), bundle_id, _text(row.get("note", ""), "note", MAX_NOTE))
    return pin, sorted(str(name) for name in query.keys() - set(known))


def _text(value: Any, name: str, longest: int) -> str:
    """Returns a text that a page can show. Raises ValueError for anything else."""
    if not isinstance(value, str):
        raise ValueError(f"its {name} is not a text.")
    if len(value) > longest:
        raise ValueError(f"its {name} has more than {longest:,} letters.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"its {name} has letters that do not exist.") from None
    if any(ord(letter) < 32 and letter not in "\n\t" for letter in value):
        raise ValueError(f"its {name} has control characters.")
    return value
