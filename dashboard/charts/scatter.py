"""One metric against a fact of the models, every model with its name: DataFrame in, Altair chart out.

Names are placed for a plot of `WIDTH` pixels; in a wider plot marks only move apart.
Knows nothing of Streamlit or bundles.
"""

import json
from collections.abc import Sequence
from math import floor
from textwrap import wrap
from typing import NamedTuple

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.charts.label_layout import BESIDE, LETTER, Box, mark_box, name_places, side_by_side
from dashboard.charts.leaderboard import marks, rows, tooltips
from dashboard.charts.theme import PAGE_TEXT, Layers, code_title

WIDTH, HEIGHT = 540, 380
"""Smallest width of the plot, and its height, pixels."""

NAME = alt.expr(PAGE_TEXT)

LINES = 4
"""Maximum number of lines of a word under the axis."""


class Axis(NamedTuple):
    """The horizontal axis: a fact of the models."""

    low: float
    high: float
    at: list[float]
    """Positions of the ticks."""

    words: list[str]
    """Labels of the ticks."""

    places: NDArray[np.float64]
    """Position of every value."""

    @property
    def lines(self) -> list[list[str]]:
        """The labels, each wrapped to its share of the axis and cut after `LINES` lines."""
        letters = max(8, int(WIDTH / len(self.words) / LETTER))
        return [wrap(word, letters, max_lines=LINES, placeholder=" …") or [""] for word in self.words]


def scatter(
    frame: pd.DataFrame, parts: Sequence[str], *, x_title: str, y_title: str, log: bool = False
) -> Layers:
    """Chart of one metric against x, a number or a word: columns of `leaderboard_facts.beside`.

    `parts` names model, random-weights control and rotated heads; only models have a name in the plot. A line
    leads from a mark to a name that had to move.
    """
    axis = axis_of(frame["x"], log=log)
    bottom, top = value_ends(frame, parts[0])
    placed = place(frame, parts[0], axis, (bottom, top))
    words = f"{json.dumps(axis.lines)}[indexof({json.dumps(axis.at)}, datum.value)]"
    ticks = alt.Axis(values=axis.at, labelExpr=words, labelOverlap="greedy", labelAngle=0)
    x = alt.X("at:Q", title=x_title, scale=alt.Scale(domain=[axis.low, axis.high]), axis=ticks)
    y = alt.Y(
        "value:Q",
        title=code_title(y_title),
        axis=alt.Axis(title=y_title),
        scale=alt.Scale(domain=[bottom, top], nice=False),
    )
    number = is_number(frame["x"])
    fact = alt.Tooltip(f"x:{'Q' if number else 'N'}", title=x_title, format=".4~g" if number else "")
    color, shape = marks(frame, parts)
    is_model = f"datum.part == {json.dumps(parts[0])}"
    interval = rows(f"{is_model} && isValid(datum.low)").mark_rule(strokeWidth=2, opacity=0.7)
    leader = rows(f"{is_model} && datum.name_at != datum.value").mark_rule(strokeWidth=0.7, color=NAME)
    names = [
        rows(f"{is_model} && datum.side == {side}")
        .mark_text(
            align="left" if side > 0 else "right",
            dx=side * BESIDE,
            fontSize=alt.expr("width < 400 ? 9 : 12"),
            color=NAME,
        )
        .encode(x, alt.Y("name_at:Q"), alt.Text("model:N"))
        for side in (1, -1)
    ]
    points = alt.Chart().mark_point(filled=True, size=100, opacity=1)
    return alt.layer(
        points.encode(x, y, color, shape, tooltip=[*tooltips(y_title), fact]),
        interval.encode(x, alt.Y("low:Q"), alt.Y2("high"), color),
        leader.encode(x, y, alt.X2("name_from"), alt.Y2("name_at")),
        *names,
        data=placed.sort_values("part", key=lambda part: part == parts[0], kind="stable"),  # models on top
        height=HEIGHT,
    )


def is_number(x: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(x)


def axis_of(x: pd.Series, *, log: bool = False) -> Axis:
    """Returns ends, ticks and positions of an axis. Words stand side by side in alphabetical order."""
    if not is_number(x):
        words = sorted(set(map(str, x)))
        places = np.array([words.index(str(word)) for word in x], float)
        return Axis(-0.5, len(words) - 0.5, [float(at) for at in range(len(words))], words, places)
    places = np.log10(x.to_numpy(float)) if log else x.to_numpy(float)
    low, high = float(places.min()), float(places.max())
    room = max(0.15 * (high - low), 0.2) if log else 0.2 * (high - low) or max(1.0, 0.25 * high)
    low, high = low - room, high + room
    if not log:
        values = np.unique(places)
        return Axis(low, high, values.tolist(), [f"{value:g}" for value in values], places)
    steps = np.outer(10.0 ** np.arange(floor(low), floor(high) + 1), (1, 2, 5)).ravel()
    steps = steps[(np.log10(steps) >= low) & (np.log10(steps) <= high)]
    return Axis(low, high, np.log10(steps).tolist(), [f"{step:g}" for step in steps], places)


def value_ends(frame: pd.DataFrame, model: str) -> tuple[float, float]:
    """Returns the ends of the vertical axis: all values and the intervals of models, with a margin."""
    models = frame[frame["part"] == model]
    values = [*frame["value"], *models["low"], *models["high"]]
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.08 * (high - low) or max(0.05, 0.1 * abs(high))
    return low - room, high + room


def place(frame: pd.DataFrame, model: str, axis: Axis, ends: tuple[float, float]) -> pd.DataFrame:
    """Returns the frame with positions of marks and names in axis units; a control stands above its model.

    Adds `at`; `name_at`, the height of the name (NaN for controls); `side`, 1 right of the mark, -1 left, 0
    for no name; `name_from`, the end of the line to the name.
    """
    wide, high = (axis.high - axis.low) / WIDTH, (ends[1] - ends[0]) / HEIGHT
    across = pd.Series((axis.places - axis.low) / wide, index=frame.index)
    leaders = frame.drop_duplicates("under")  # the model, or a control that stands alone
    spread = side_by_side(across[leaders.index].to_numpy(), leaders["value"].tolist())
    px = frame["under"].map(dict(zip(leaders["under"], spread, strict=True)))
    down = (ends[1] - frame[["value", "low", "high"]].astype(float)) / high
    boxes = [mark_box(*mark) for mark in zip(px, down["value"], strict=True)]
    placed = frame.assign(at=axis.low + px * wide, name_at=np.nan, side=1, name_from=np.nan)
    named = frame["part"] == model
    x, y = px[named], down[named]
    bars = zip(x, y["high"], y["low"], strict=True)
    boxes += [Box(x - 2, upper, x + 2, lower) for x, upper, lower in bars if upper == upper]
    names = frame.loc[named, "model"].tolist()
    places = name_places(zip(x, y["value"], strict=True), boxes, names, WIDTH, HEIGHT)
    placed.loc[named, "side"] = np.array([name.side for name in places], int)
    # Rounded: a name at its mark must not get a line.
    moved = (np.array([name.y for name in places]) - y["value"]).round(6)
    placed.loc[named, "name_at"] = placed.loc[named, "value"] - moved * high
    placed.loc[named, "name_from"] = placed.loc[named, "at"] + 0.5 * BESIDE * wide * placed.loc[named, "side"]
    return placed
