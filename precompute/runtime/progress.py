"""Progress on the terminal: the current stage, its speed, and the time left of stage, model and study."""

import io
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from tqdm import tqdm

from precompute.runtime import eta

Item = TypeVar("Item")


class Turn(NamedTuple):
    """One model of a study, for the progress display."""

    name: str
    kind: str
    """Models of one kind take equally long."""

    cost: float | None
    """Cost of one image, in any unit; None if unknown."""


class _Study:
    """Times of the models of a run so far; every bar shown during a model's turn is one of its passes."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self.models = [eta.Model(turn.kind, turn.cost) for turn in turns]
        self.current = 0
        self.passes: list[eta.Pass] = []
        self.began = time.monotonic()

    def begin(self, number: int) -> None:
        self.current, self.passes, self.began = number, [], time.monotonic()

    def end(self) -> None:
        elapsed = time.monotonic() - self.began - sum(item.seconds for item in self.passes)
        self._keep(other_seconds=max(0.0, elapsed), ended=True)

    def record(self, place: int, state: eta.Pass) -> None:
        """Stores the state of a pass; a new pass has the next place."""
        self.passes[place : place + 1] = [state]
        self._keep()

    def left(self) -> eta.Left:
        return eta.left(self.models, self.current)

    def _keep(self, **changes: Any) -> None:
        self.models[self.current] = self.models[self.current]._replace(passes=tuple(self.passes), **changes)


_study: _Study | None = None
"""Study of the current run. Global, because the stages that show bars do not know the other models."""


class _Relay(NamedTuple):
    """Functions that get what this process would show, if another process shows it."""

    say: Callable[[str], None]
    state: Callable[[eta.Model], None]


_relay: _Relay | None = None


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
    """Prints one line to stderr; stdout is for results."""
    if _relay:
        _relay.say(message)
    else:
        tqdm.write(message, file=sys.stderr)


def in_turn(items: Iterable[Item], turns: Sequence[Turn]) -> Iterator[Item]:
    """Yields the models of a study one by one; prints the name of each and the time left of all.

    Bars shown before the next item is requested count as passes of the current model.
    """
    global _study
    study = _study = _Study(turns)
    try:
        for number, (item, turn) in enumerate(zip(items, turns, strict=True)):
            study.begin(number)
            say(f"model {number + 1} of {len(turns)}, {turn.name}{_study_left(study)}")
            yield item
            study.end()
    finally:
        # After a failed run this is executed late, when another run may have begun.
        if _study is study:
            _study = None


@contextmanager
def relayed(turn: Turn, say: Callable[[str], None], state: Callable[[eta.Model], None]) -> Iterator[None]:
    """Gives the lines and the times of one model to two functions instead of showing them."""
    global _study, _relay
    # tqdm's own lock has a semaphore, which would outlive a process that is ended by a signal.
    tqdm.set_lock(threading.RLock())
    _study, _relay = _Study([turn]), _Relay(say, state)
    try:
        yield
        _study.end()
        state(_study.models[0])
    finally:
        _study = _relay = None


class SideBySide:
    """Models at the same time in several processes: one bar, with what each is doing."""

    def __init__(self, turns: Sequence[Turn], count: int, models: "_Bar") -> None:
        self._turns, self._count, self._bar = turns, count, models
        self._models = [eta.Model(turn.kind, turn.cost) for turn in turns]
        self._running: list[int] = []
        self._begun = 0
        self._shown = time.monotonic()

    def begin(self, place: int) -> None:
        """Announces a model."""
        self._running.append(place)
        self._begun += 1
        left = eta.words(eta.left_side_by_side(self._models, self._count))
        name = self._turns[place].name
        say(f"model {self._begun} of {len(self._turns)}, {name}{left and f'; {left} left of all'}")

    def record(self, place: int, model: eta.Model) -> None:
        """Stores the times of a model so far."""
        self._models[place] = model

    def end(self, place: int) -> None:
        """Counts a model as completed."""
        self._running.remove(place)
        self._bar.update()

    def refresh(self) -> None:
        """Shows what has changed, at the intervals of all bars."""
        if time.monotonic() - self._shown < self._bar.mininterval:
            return
        left = eta.words(eta.left_side_by_side(self._models, self._count))
        current = [item for place in self._running for item in self._models[place].passes[-1:]]
        doing = [f"{item.name} {item.earlier + item.done}/{item.pieces}" for item in current]
        self._bar.aside = ", ".join(filter(None, [left and f"all {left}", *doing]))
        self._bar.refresh()
        self._shown = time.monotonic()


@contextmanager
def side_by_side(turns: Sequence[Turn], count: int) -> Iterator[SideBySide]:
    """Yields the display of models of which `count` run at the same time."""
    with bar("models", total=len(turns), unit="model") as models:
        # Its own forecast would be that of models in turn.
        models.bar_format = "{desc}:{percentage:4.0f}%|{bar}| {n}/{total} [{elapsed}{postfix}]"
        yield SideBySide(turns, count, models)


def track(items: Iterable[Item], what: str, *, total: int, unit: str = "it") -> Iterator[Item]:
    """Yields `items` and shows progress."""
    yield from _Bar(items, **_style(what, total, unit))


def bar(what: str, *, total: int, done: int = 0, unit: str = "image") -> "_Bar":
    """Returns a bar that the caller advances; an earlier run has finished `done` units."""
    return _Bar(initial=done, **_style(what, total, unit))


class _Bar(tqdm):
    """A bar that reports its state to the study, and shows the time left of model and study."""

    aside = ""
    """Additional text next to the bar."""

    _owner: _Study | None = None
    _place = 0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._owner = _study
        self._place = len(_study.passes) if _study else 0
        super().__init__(*arguments, **options)

    def display(self, *arguments: Any, **options: Any) -> Any:
        self._record()
        if _relay and _study:
            return _relay.state(_study.models[0])
        left = _left_text(self._owner.left()) if self._owner and self._owner is _study else None
        self.postfix = ", ".join(text for text in (self.aside, left) if text) or None
        return super().display(*arguments, **options)

    def close(self) -> None:
        if not self.disable:
            self._record()
        super().close()

    def _record(self) -> None:
        if self._owner is None or self._owner is not _study:
            return
        facts = self.format_dict
        initial = facts["initial"]
        name = facts["prefix"].strip(" :")
        self._owner.record(
            self._place, eta.Pass(name, facts["total"], initial, facts["n"] - initial, facts["elapsed"])
        )


def _study_left(study: _Study) -> str:
    """Returns the time left of the study as text, before a model begins."""
    words = eta.words(study.left().study)
    return f"; {words} left of all" if words else ""


def _left_text(left: eta.Left) -> str | None:
    texts = {"model": eta.words(left.model), "all": eta.words(left.study)}
    return ", ".join(f"{scope} {text}" for scope, text in texts.items() if text) or None


class Waiting(Iterator[Item]):
    """Iterator over `items` that measures the time spent waiting for them.

    If workers read images, this is the time that more workers or faster storage could save.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = iter(items)
        self._began = time.perf_counter()
        self.seconds = 0.0

    def __next__(self) -> Item:
        start = time.perf_counter()
        try:
            return next(self._items)
        finally:
            self.seconds += time.perf_counter() - start

    def text(self) -> str:
        """Returns the share of the time since construction spent waiting as text for a bar."""
        return f"waiting for images {self.seconds / max(time.perf_counter() - self._began, 1e-9):.0%}"


def _style(what: str, total: int, unit: str) -> dict:
    # A log file gets a line every ten seconds instead of a hundred redraws.
    interval = 0.2 if sys.stderr.isatty() else 10.0
    return {
        "desc": f"  {what:<22}",
        "total": total,
        "unit": f" {unit}",
        "mininterval": interval,
        "file": io.StringIO() if _relay else sys.stderr,
        "dynamic_ncols": True,
        "leave": True,
    }


_QUIET = 2.0
"""Seconds before a bar or line appears."""


_BETWEEN = 10.0
"""Seconds between two lines, if the total is unknown."""


@contextmanager
def counted(
    what: str, *, total: int | None = None, unit: str = "file", scale: int = 1
) -> Iterator[Callable[[int], None]]:
    """Yields a function to call after every step; a bar shows the progress, or lines if the total is unknown.

    `total` counts units of `scale` steps each.
    """
    progress_bar, done, next_line = None, 0, time.monotonic() + _QUIET

    def advance(steps: int) -> None:
        nonlocal progress_bar, done, next_line
        done += steps
        if progress_bar is not None:
            progress_bar.update(done // scale - progress_bar.n)
        elif time.monotonic() >= next_line:
            next_line += _BETWEEN
            if total is None:
                say(f"{what}: {done // scale:,} {unit}s so far")
            else:
                progress_bar = bar(what, total=total, done=done // scale, unit=unit)

    try:
        yield advance
    finally:
        if progress_bar is not None:
            progress_bar.close()
