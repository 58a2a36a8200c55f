"""Progress on the terminal: what is being done, how fast, and the time left."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def say(message: str) -> None:
    """One line about what happens next; on stderr, so that stdout stays free for results."""
    tqdm.write(message, file=sys.stderr)


def track(items: Iterable[Item], what: str, *, total: int, unit: str = "it") -> Iterator[Item]:
    """Pass `items` on while showing progress."""
    yield from tqdm(items, **_style(what, total, unit))


def bar(what: str, *, total: int, done: int = 0, unit: str = "image") -> tqdm:
    """A bar to be advanced by hand; `done` was finished by an earlier run."""
    return tqdm(initial=done, **_style(what, total, unit))


class Waiting(Iterator[Item]):
    """Passes items on and knows how much of its time went into waiting for them.

    Where images are read by workers, this is what more workers or faster storage could save.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = iter(items)
        self._began = time.perf_counter()
        self.seconds = 0.0

    def __next__(self) -> Item:
        asked = time.perf_counter()
        try:
            return next(self._items)
        finally:
            self.seconds += time.perf_counter() - asked

    @property
    def share(self) -> float:
        """Of the time since the first item was asked for, 0 to 1."""
        return self.seconds / max(time.perf_counter() - self._began, 1e-9)

    def said(self) -> str:
        """The share in words, beside a bar."""
        return f"waiting for images {self.share:.0%}"


def _style(what: str, total: int, unit: str) -> dict:
    # A log file gets a line every ten seconds instead of a hundred redraws.
    interval = 0.2 if sys.stderr.isatty() else 10.0
    return {
        "desc": f"  {what:<22}",
        "total": total,
        "unit": f" {unit}",
        "mininterval": interval,
        "file": sys.stderr,
        "dynamic_ncols": True,
        "leave": True,
    }
