"""Progress on the terminal: what is being done, how fast, and the time left of stage, model and study."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from tqdm import tqdm

from precompute.runtime import eta

Item = TypeVar("Item")


class Turn(NamedTuple):
    """A model of a study, as progress knows it."""

    name: str
    kind: str
    """Models of one kind take as long."""

    cost: float | None
    """Of one image, in any unit; None where it is not known."""


class _Study:
    """What the models of a run have taken so far; every bar shown in a model's turn is a pass of it."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self.models = [eta.Model(turn.kind, turn.cost) for turn in turns]
        self.current = 0
        self.passes: list[eta.Pass] = []
        self.began = time.monotonic()

    def begin(self, number: int) -> None:
        self.current, self.passes, self.began = number, [], time.monotonic()

    def end(self) -> None:
        spent = time.monotonic() - self.began - sum(one.seconds for one in self.passes)
        self._keep(beside=max(0.0, spent), ended=True)

    def record(self, place: int, seen: eta.Pass) -> None:
        """Take note of how far a pass is; a new one has the next place."""
        self.passes[place : place + 1] = [seen]
        self._keep()

    def left(self) -> eta.Left:
        return eta.left(self.models, self.current)

    def _keep(self, **changes: Any) -> None:
        self.models[self.current] = self.models[self.current]._replace(passes=tuple(self.passes), **changes)


_study: _Study | None = None
"""Of the run that is under way. Bars are shown by stages that know nothing of other models."""


class StageTimes(dict[str, tuple[datetime, float]]):
    """Start and seconds of each stage."""

    @contextmanager
    def measure(self, stage: str, message: str = "") -> Iterator[None]:
        """Times a stage; prints `message` first."""
        if message:
            say(message)
        started, clock = datetime.now(UTC), time.perf_counter()
        yield
        self[stage] = (started, time.perf_counter() - clock)


def say(message: str) -> None:
    """One line about what happens next; on stderr, so that stdout stays free for results."""
    tqdm.write(message, file=sys.stderr)


def in_turn(items: Iterable[Item], turns: Sequence[Turn]) -> Iterator[Item]:
    """Pass the models of a study on, one after the other; say which is next and how long all will take.

    What is shown while an item is out is known to be of that model.
    """
    global _study
    study = _study = _Study(turns)
    try:
        for number, (item, turn) in enumerate(zip(items, turns, strict=True)):
            study.begin(number)
            say(f"model {number + 1} of {len(turns)}, {turn.name}{_of_all(study)}")
            yield item
            study.end()
    finally:
        # Of a run that failed this comes late, when another may be under way.
        if _study is study:
            _study = None


def track(items: Iterable[Item], what: str, *, total: int, unit: str = "it") -> Iterator[Item]:
    """Pass `items` on while showing progress."""
    yield from _Bar(items, **_style(what, total, unit))


def bar(what: str, *, total: int, done: int = 0, unit: str = "image") -> tqdm:
    """A bar to be advanced by hand; `done` was finished by an earlier run."""
    return _Bar(initial=done, **_style(what, total, unit))


def load_or_compute_each(
    keep: Callable[[Path, Callable[[], Item]], Item],
    paths: Sequence[Path | None],
    compute: Sequence[Callable[[], Item]],
    what: str,
    *,
    unit: str,
) -> Iterator[Item]:
    """Results in order, each kept at its path where it has one; what was there does not count as done."""
    there = [path is not None and path.exists() for path in paths]
    with bar(what, total=len(paths), done=sum(there), unit=unit) as shown:
        for path, one, was_there in zip(paths, compute, there, strict=True):
            result = keep(path, one) if path else one()
            shown.update(not was_there)
            yield result


class _Bar(tqdm):
    """A bar that tells the study how far it is, and shows what that says of model and study."""

    aside = ""
    """What else is said beside the bar."""

    _of: _Study | None = None
    _place = 0

    def __init__(self, *given: Any, **options: Any) -> None:
        self._of = _study
        self._place = len(_study.passes) if _study else 0
        super().__init__(*given, **options)

    def display(self, *given: Any, **options: Any) -> Any:
        self._note()
        left = _both(self._of.left()) if self._of and self._of is _study else None
        self.postfix = ", ".join(said for said in (self.aside, left) if said) or None
        return super().display(*given, **options)

    def close(self) -> None:
        if not self.disable:
            self._note()
        super().close()

    def _note(self) -> None:
        if self._of is None or self._of is not _study:
            return
        facts = self.format_dict
        found = facts["initial"]
        name = facts["prefix"].strip(" :")
        self._of.record(
            self._place, eta.Pass(name, facts["total"], found, facts["n"] - found, facts["elapsed"])
        )


def _of_all(study: _Study) -> str:
    """What is known of the time left before a model begins."""
    said = eta.words(study.left().study)
    return f"; {said} left of all" if said else ""


def _both(left: eta.Left) -> str | None:
    said = {"model": eta.words(left.model), "all": eta.words(left.study)}
    return ", ".join(f"{what} {words}" for what, words in said.items() if words) or None


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
                say(f"{what}: {done // scale:,} {unit}s so far")
            else:
                shown = bar(what, total=total, done=done // scale, unit=unit)

    try:
        yield passed
    finally:
        if shown is not None:
            shown.close()
