"""Part i of n of a run's work over images, which several processes divide among them.

Every process numbers the pieces of work in the same way, including finished ones, so that two parts never
overlap.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from db.errors import UserError


class PartError(UserError):
    """A part has invalid syntax or cannot be done; the message says what to do."""


class NotYet(PartError):
    """Other parts have not finished what this part needs: the same command works later."""


class Part(NamedTuple):
    """One of several equal parts."""

    number: int
    """From 1."""

    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def takes(self, place: int) -> bool:
        """Returns True if the piece of work at this place, from 0, belongs to the part."""
        return place % self.of == self.number - 1


WHOLE = Part(1, 1)


def parse(text: str) -> Part:
    """Returns the part written as number/parts, e.g. 3/8. Raises PartError."""
    match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise PartError(f"{text!r} is no part. Write number/parts, from 1/8 to 8/8 for eight.")
    return Part(int(match[1]), int(match[2]))


def lacking(places: Iterable[int], of: int) -> str:
    """Returns the parts of the pieces at these places as text: part 2/8 (3 pieces), part 5/8 (1 piece)."""
    counts = Counter(place % of + 1 for place in places)
    return ", ".join(
        f"part {Part(number, of)} ({count:,} piece{'s' if count > 1 else ''})"
        for number, count in sorted(counts.items())
    )
