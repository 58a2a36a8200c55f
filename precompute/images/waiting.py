"""What is said while images are looked for: nothing for two seconds, then how far it is."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from precompute import progress

_QUIET = 2.0
"""Seconds."""

_BETWEEN = 10.0
"""Seconds between two lines, where the end is not known."""


@contextmanager
def counted(
    what: str, *, total: int | None = None, unit: str = "file", scale: int = 1
) -> Iterator[Callable[[int], None]]:
    """Hand out a function to be told of every step done; a bar shows it, or lines where no end is known.

    `total` counts units of `scale` steps each.
    """
    shown, done, due = None, 0, time.monotonic() + _QUIET

    def passed(steps: int) -> None:
        nonlocal shown, done, due
        done += steps
        if shown is not None:
            shown.update(done // scale - shown.n)
        elif time.monotonic() >= due:
            due += _BETWEEN
            if total is None:
                progress.say(f"{what}: {done // scale:,} {unit}s so far")
            else:
                shown = progress.bar(what, total=total, done=done // scale, unit=unit)

    try:
        yield passed
    finally:
        if shown is not None:
            shown.close()
