"""Charts of the report as SVG: the few kinds that it has. Knows nothing of bundles.

Places are per cent of the width, so that words keep their size on a phone; colors are classes of `style.css`,
which follow the light or dark page. Every word is escaped.
"""

from collections.abc import Sequence
from math import ceil, floor, isfinite, log10
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

WORDS, LINE, GAP = 18, 15, 9
"""Height of a row's words, of a line of marks, and between rows, pixels."""

AXIS = 40
STEPS = (1, 2, 2.5, 5, 10)


class Mark(NamedTuple):
    """A value with its interval; the kind is a class of the style sheet: model, control or rotated."""

    value: float
    low: float
    high: float
    kind: str = "model"
    chance: float = float("nan")
    words: str = ""


class DotRow(NamedTuple):
    """A row of dots: words at both ends of the line above the marks."""

    title: str
    note: str
    marks: Sequence[Mark]


class BarRow(NamedTuple):
    """A bar with an optional tick beside it, NaN for none."""

    title: str
    note: str
    value: float
    tick: float = float("nan")
    strong: bool = True


class StackRow(NamedTuple):
    """A bar of signed parts: values, and the index of the color of each."""

    title: str
    note: str
    parts: Sequence[tuple[float, int, str]]


SHAPES = {
    "model": Markup('<circle r="5"/>'),
    "control": Markup('<path d="M-4,-4 4,4M-4,4 4,-4"/>'),
    "rotated": Markup('<path d="M0,-5 5,0 0,5 -5,0Z"/>'),
}


def dots(rows: Sequence[DotRow], unit: str, alt: str, *, share: bool = False) -> Markup:
    """Returns values with intervals, a line of marks for each, below the words of its row."""
    values = [x for row in rows for m in row.marks for x in (m.value, m.low, m.high, m.chance) if isfinite(x)]
    low, high = domain(values, share)
    body, top = [], 0.0
    for row in rows:
        body.append(_words(row.title, row.note, top))
        for place, mark in enumerate(row.marks):
            body.append(_mark(mark, top + WORDS + LINE * (place + 0.5), low, high))
        top += WORDS + LINE * len(row.marks) + GAP
    return _chart(body, top, low, high, unit, alt)


def _mark(mark: Mark, y: float, low: float, high: float) -> Markup:
    parts = []
    if isfinite(mark.chance):
        x = _at(mark.chance, low, high)
        parts.append(_line(x, y - 7, x, y + 7, "tick"))
    if isfinite(mark.low) and isfinite(mark.high):
        parts.append(_line(_at(mark.low, low, high), y, _at(mark.high, low, high), y, "range"))
    if isfinite(mark.value):
        parts.append(
            Markup('<svg x="{:.3f}%" y="{:.1f}">{}</svg>').format(
                _at(mark.value, low, high), y, SHAPES[mark.kind]
            )
        )
    return Markup('<g class="{}"><title>{}</title>{}</g>').format(
        mark.kind, mark.words, Markup("").join(parts)
    )


def bars(rows: Sequence[BarRow], unit: str, alt: str, *, top: float | None = None) -> Markup:
    """Returns bars from zero, each below the words of its row, with ticks for comparison."""
    values = [x for row in rows for x in (row.value, row.tick) if isfinite(x)]
    low, high = domain(values, False) if top is None else (0.0, top)
    body, y = [], 0.0
    for row in rows:
        body.append(_words(row.title, row.note, y))
        body.append(_bar(0, row.value, y + WORDS + 2, low, high, "bar" if row.strong else "bar pale"))
        if isfinite(row.tick):
            x = _at(row.tick, low, high)
            body.append(_line(x, y + WORDS - 1, x, y + WORDS + 14, "tick"))
        y += WORDS + LINE + GAP
    return _chart(body, y, low, high, unit, alt)


def stacks(rows: Sequence[StackRow], unit: str, alt: str) -> Markup:
    """Returns bars of signed parts; negative parts are left of zero."""
    ends = [sum(min(0.0, part[0]) for part in row.parts) for row in rows]
    ends += [sum(max(0.0, part[0]) for part in row.parts) for row in rows]
    low, high = domain(ends, False)
    body, y = [], 0.0
    for row in rows:
        body.append(_words(row.title, row.note, y))
        left = right = 0.0
        for value, color, words in row.parts:
            start = right if value >= 0 else left
            bar = _bar(start, start + value, y + WORDS + 2, low, high, f"k{color}", words)
            body.append(bar)
            left, right = (left, right + value) if value >= 0 else (left + value, right)
        y += WORDS + LINE + GAP
    return _chart(body, y, low, high, unit, alt)


def histogram(counts: NDArray, edges: NDArray, unit: str, alt: str) -> Markup:
    """Returns the number of rows in bins of equal width."""
    low, high, height = float(edges[0]), float(edges[-1]), 110
    most = max(1, int(counts.max(initial=0)))
    body = [
        Markup('<rect class="bar" x="{:.3f}%" y="{:.1f}" width="{:.3f}%" height="{:.1f}"/>').format(
            _at(left, low, high), height * (1 - count / most), 96 / len(counts), height * count / most
        )
        for left, count in zip(edges, counts, strict=False)
    ]
    return _chart(body, height, low, high, unit, alt)


def domain(values: Sequence[float], share: bool) -> tuple[float, float]:
    """Returns the ends of an axis, zero among them; of shares 0 to 1 where all values fit."""
    low, high = min([0.0, *values]), max([0.0, *values])
    if share and low >= 0 and high <= 1:
        return 0.0, 1.0
    step = _step(low, high)
    return step * floor(low / step + 1e-9), step * ceil(high / step - 1e-9) or step


def ticks(low: float, high: float) -> list[float]:
    """Returns round numbers from one end of an axis to the other."""
    step = _step(low, high)
    return [step * i for i in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def _step(low: float, high: float) -> float:
    """Returns the distance of about four ticks."""
    rough = ((high - low) or 1.0) / 4
    power = 10.0 ** floor(log10(rough))
    return next(step * power for step in STEPS if step * power >= rough * (1 - 1e-9))


def _at(value: float, low: float, high: float) -> float:
    """Returns the place of a value, per cent of the width: 2 at the low end, 98 at the high one."""
    return 2 + 96 * float(np.clip((value - low) / (high - low), 0, 1))


def _words(title: str, note: str, top: float) -> Markup:
    return Markup(
        '<text class="row" x="0" y="{0:.1f}">{1}</text>'
        '<text x="100%" y="{0:.1f}" text-anchor="end">{2}</text>'
    ).format(top + 12, title, note)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{:.3f}%" y1="{:.1f}" x2="{:.3f}%" y2="{:.1f}"/>').format(
        kind, x1, y1, x2, y2
    )


def _bar(start: float, stop: float, y: float, low: float, high: float, kind: str, words: str = "") -> Markup:
    left, right = sorted((_at(start, low, high), _at(stop, low, high)))
    title = Markup("<title>{}</title>").format(words) if words else ""
    return Markup('<rect class="{}" x="{:.3f}%" y="{:.1f}" width="{:.3f}%" height="10">{}</rect>').format(
        kind, left, y, right - left, title
    )


def _chart(body: Sequence[Markup], top: float, low: float, high: float, unit: str, alt: str) -> Markup:
    """Returns the chart with its axis and the words of a screen reader."""
    axis = []
    places = ticks(low, high)
    for value in places:
        x = _at(value, low, high)
        anchor = "start" if x < 6 else "end" if x > 94 else "middle"
        axis.append(_line(x, 0, x, top + 4, "zero" if abs(value) < 1e-12 else "grid"))
        axis.append(
            Markup('<text x="{:.3f}%" y="{:.1f}" text-anchor="{}">{}</text>').format(
                x, top + 17, anchor, f"{value:.10g}".replace("-", "−")
            )
        )
    axis.append(
        Markup('<text class="unit" x="98%" y="{:.1f}" text-anchor="end">{}</text>').format(top + 34, unit)
    )
    return Markup(
        '<svg class="chart" role="img" aria-label="{}" width="100%" height="{:.0f}">{}{}</svg>'
    ).format(alt, top + AXIS, Markup("").join(axis), Markup("").join(body))
