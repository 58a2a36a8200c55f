"""One metric against a fact of the models, every model with its name: DataFrame in, Altair chart out.

Places are reckoned for a plot of `WIDTH` pixels: on a wider one what stands side by side only moves apart.
Knows nothing of Streamlit or of bundles.
"""

import json
from collections.abc import Sequence
from itertools import product
from math import floor, log10
from textwrap import wrap
from typing import NamedTuple

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.charts.label_layout import (
    BESIDE,
    LETTER,
    Box,
    mark_box,
    name_places,
    side_by_side,
)
from dashboard.charts.leaderboard import marks, rows, tooltips
from dashboard.charts.theme import Layers

WIDTH, HEIGHT = 540, 380
"""The narrowest plot that names are placed for, and its height, pixels."""


NAME = "#2a7fbf"
"""Between the blue of the marks and white: names are read on a light page and on a dark one."""

LINES = 4
"""Of words under the axis."""


class Ticks(NamedTuple):
    """The axis of what the models differ in."""

    low: float
    high: float
    at: list[float]
    words: list[str]

    @property
    def lines(self) -> list[list[str]]:
        """The words, each broken to fit its share of the axis, the end of long ones left out."""
        letters = max(8, int(WIDTH / len(self.words) / LETTER))
        return [wrap(word, letters, max_lines=LINES, placeholder=" …") or [""] for word in self.words]


def scatter(
    frame: pd.DataFrame, parts: Sequence[str], *, x_title: str, y_title: str, log: bool = False
) -> Layers:
    """One metric against x, which is a number or a word: columns as of `board_facts.Beside`.

    `parts` names model, twin and rotated heads; models alone are written out. A line leads to a name that
    had to move.
    """
    ticks = ticks_of(frame["x"], log=log)
    bottom, top = value_ends(frame, parts[0])
    placed = place(frame, parts[0], places_of(frame["x"], ticks, log=log), ticks, (bottom, top))
    y_scale = alt.Scale(domain=[bottom, top], nice=False)
    x = alt.X("at:Q", title=x_title, scale=alt.Scale(domain=[ticks.low, ticks.high]), axis=_axis(ticks))
    y = alt.Y("value:Q", title=y_title, scale=y_scale)
    seen = [*tooltips(y_title), _x_tooltip(frame["x"], x_title)]
    color, shape = marks(frame, parts)
    own = f"datum.part == {json.dumps(parts[0])}"
    between = rows(f"{own} && isValid(datum.low)").mark_rule(strokeWidth=2, opacity=0.7)
    moved = rows(f"{own} && datum.name_at != datum.value").mark_rule(strokeWidth=0.7)

    def written(side: int) -> alt.Chart:
        """The names on one side of their marks."""
        text = rows(f"{own} && datum.side == {side}").mark_text(
            align="left" if side > 0 else "right", dx=side * BESIDE, fontSize=12
        )
        return text.encode(x, alt.Y("name_at:Q"), alt.Text("model:N"), alt.ColorValue(NAME))

    return alt.layer(
        alt.Chart().mark_point(filled=True, size=100, opacity=1).encode(x, y, color, shape, tooltip=seen),
        between.encode(x, alt.Y("low:Q"), alt.Y2("high"), color),
        moved.encode(x, y, alt.X2("name_from"), alt.Y2("name_at"), alt.ColorValue(NAME)),
        written(1),
        written(-1),
        data=placed.sort_values("part", key=lambda part: part == parts[0], kind="stable"),  # models on top
        height=HEIGHT,
    )


def _axis(ticks: Ticks) -> alt.Axis:
    words = f"{json.dumps(ticks.lines)}[indexof({json.dumps(ticks.at)}, datum.value)]"
    return alt.Axis(values=ticks.at, labelExpr=words, labelOverlap="greedy", labelAngle=0)


def _x_tooltip(x: pd.Series, title: str) -> alt.Tooltip:
    return alt.Tooltip("x:Q", title=title, format=".4~g") if is_number(x) else alt.Tooltip("x:N", title=title)


def is_number(x: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(x)


def ticks_of(x: pd.Series, *, log: bool = False) -> Ticks:
    """Where the axis ends, and what is written on it. Words stand one beside the other, by the alphabet."""
    if not is_number(x):
        words = sorted(set(map(str, x)))
        return Ticks(-0.5, len(words) - 0.5, [float(at) for at in range(len(words))], words)
    values = np.unique(x.to_numpy(float))
    if log:
        low, high = np.log10(values[[0, -1]]).tolist()
        room = max(0.15 * (high - low), 0.2)
        powers = range(floor(low - room), floor(high + room) + 1)
        steps = [step * 10.0**power for power, step in product(powers, (1, 2, 5))]
        kept = [one for one in steps if low - room <= log10(one) <= high + room]
        return Ticks(low - room, high + room, [log10(one) for one in kept], [f"{one:g}" for one in kept])
    low, high = float(values[0]), float(values[-1])
    room = 0.2 * (high - low) or max(1.0, 0.25 * high)
    return Ticks(low - room, high + room, values.tolist(), [f"{one:g}" for one in values])


def places_of(x: pd.Series, ticks: Ticks, *, log: bool = False) -> NDArray[np.float64]:
    """Where values of x stand on the axis."""
    if not is_number(x):
        return np.array([ticks.words.index(str(one)) for one in x], dtype=float)
    return np.log10(x.to_numpy(float)) if log else x.to_numpy(float)


def value_ends(frame: pd.DataFrame, model: str) -> tuple[float, float]:
    """Ends of the vertical axis: all values, and the intervals of models, with a little room."""
    own = frame["part"] == model
    values = [*frame["value"], *frame.loc[own, "low"], *frame.loc[own, "high"]]
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.08 * (high - low) or max(0.05, 0.1 * abs(high))
    return low - room, high + room


def place(
    frame: pd.DataFrame, model: str, at: NDArray[np.float64], ticks: Ticks, ends: tuple[float, float]
) -> pd.DataFrame:
    """Where marks and names stand, in the units of the axes; a control stands over its model.

    Adds `at`; `name_at`, the height of the name (nothing for controls); `side`, 1 where it stands right of
    its mark and -1 left; `name_from`, where the line to it ends.
    """
    wide, high = (ticks.high - ticks.low) / WIDTH, (ends[1] - ends[0]) / HEIGHT
    across = pd.Series((at - ticks.low) / wide, index=frame.index)
    leaders = frame.drop_duplicates("under")  # the model, or a control that stands alone
    spread = side_by_side(across[leaders.index].to_numpy(), leaders["value"].tolist())
    px = frame["under"].map(dict(zip(leaders["under"], spread, strict=True)))
    down = (ends[1] - frame[["value", "low", "high"]].astype(float)) / high
    own = frame["part"] == model
    spots = [*zip(px[own], down.loc[own, "value"], strict=True)]
    taken = [mark_box(*spot) for spot in zip(px, down["value"], strict=True)]
    bars = zip(px[own], down.loc[own, "high"], down.loc[own, "low"], strict=True)
    taken += [Box(x - 2, upper, x + 2, lower) for x, upper, lower in bars if upper == upper]
    names = name_places(spots, taken, frame.loc[own, "model"].tolist(), WIDTH, HEIGHT)
    found = frame.assign(at=ticks.low + px * wide, name_at=np.nan, side=1, name_from=np.nan)
    found.loc[own, "side"] = np.array([name.side for name in names], dtype=int)
    moved = np.array([name.y for name in names]) - down.loc[own, "value"]
    # Exactly at its mark unless it had to move: rounding would draw a line to it.
    found.loc[own, "name_at"] = found.loc[own, "value"] - moved.round(6) * high
    found.loc[own, "name_from"] = found.loc[own, "at"] + 0.5 * BESIDE * wide * found.loc[own, "side"]
    return found
