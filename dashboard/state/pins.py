"""Pinned views, in an order, and their form in a link. Knows nothing of Streamlit, bundles or pages."""

import base64
import binascii
import json
import zlib
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

MAX_PINS = 100
MAX_NOTE = 500
"""Maximum number of letters of a note."""

MAX_LINK = 4000
"""Maximum number of letters of a collection in a link: browsers and servers cut longer ones."""

MAX_BYTES = 1_000_000
"""Maximum size of a collection, in a file or unpacked from a link."""


@dataclass(frozen=True)
class Pin:
    """A view of a page, as its link has it, and a note on it."""

    page: str
    """Name of the file of the page."""

    query: tuple[tuple[str, str], ...]
    """Parameters of the link, in the order of the page."""

    bundle_id: str
    """`input_id` of the bundle that the view was pinned in."""

    note: str = ""

    @property
    def options(self) -> dict[str, str]:
        return dict(self.query)

    @property
    def key(self) -> str:
        """A short name of the view: the same whatever its note says."""
        view = json.dumps([self.page, self.bundle_id, sorted(self.query)])
        return sha256(view.encode()).hexdigest()[:10]


@dataclass(frozen=True)
class Collection:
    """Pinned views in the order in which they are shown; no view twice."""

    pins: tuple[Pin, ...] = ()

    def __str__(self) -> str:
        """Returns the collection as the value of a link; empty if it is too long for one."""
        if not self.pins:
            return ""
        rows = [[pin.page, pin.bundle_id, pin.options, pin.note] for pin in self.pins]
        packed = zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), 9)
        value = base64.urlsafe_b64encode(packed).decode().rstrip("=")
        return value if len(value) <= MAX_LINK else ""

    def has(self, pin: Pin) -> bool:
        return any(other.key == pin.key for other in self.pins)

    def joined(self, *pins: Pin) -> "Collection":
        """Returns the collection with the views that it does not have yet, at its end."""
        by_key = {pin.key: pin for pin in self.pins}
        for pin in pins:
            by_key.setdefault(pin.key, pin)
        return Collection(tuple(by_key.values())[:MAX_PINS])

    def without(self, key: str) -> "Collection":
        return Collection(tuple(pin for pin in self.pins if pin.key != key))

    def moved(self, key: str, step: int) -> "Collection":
        """Returns the collection with one view some places later; an end stays an end."""
        place = next((place for place, pin in enumerate(self.pins) if pin.key == key), None)
        if place is None:
            return self
        others = list(self.pins)
        pin = others.pop(place)
        others.insert(max(0, place + step), pin)
        return Collection(tuple(others))

    def noted(self, key: str, note: str) -> "Collection":
        """Returns the collection with another note on one view."""
        return Collection(
            tuple(replace(pin, note=note[:MAX_NOTE]) if pin.key == key else pin for pin in self.pins)
        )


def rows_of_link(value: str) -> list[Any]:
    """Returns the unchecked rows of a collection in a link. Raises ValueError if there are none."""
    try:
        packed = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
        unpack = zlib.decompressobj()
        text = unpack.decompress(packed, MAX_BYTES)
        rows = json.loads(text)
    except (binascii.Error, zlib.error, ValueError, RecursionError) as error:
        raise ValueError("it is no collection, or a part of one.") from error
    if unpack.unconsumed_tail or not isinstance(rows, list):
        raise ValueError("it is no collection, or too large.")
    names = ("page", "bundle_id", "query", "note")
    return [
        dict(zip(names, row, strict=False)) if isinstance(row, list) and len(row) == len(names) else row
        for row in rows
    ]
