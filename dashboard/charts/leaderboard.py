"""Charts of the leaderboard: DataFrame in, Altair chart out. Knows nothing of Streamlit or bundles.

A model is a blue circle, its controls are gray marks of another shape.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from dashboard.charts.theme import (
    AROUND,
    BLUE,
    ENDS,
    GRAY,
    LEGEND,
    ORANGE,
    PAGE_TEXT,
    ROWS,
    Layers,
    axis_title,
    color_and_shape,
    numbers,
)

PARTS = {"circle": BLUE, "cross": GRAY, "diamond": "#b4b4b4"}
"""Shape and color of the lines: model, random-weights control, rotated heads."""

SLOT = 19
"""Height of a line, pixels."""

MARGIN = 0.35
"""Space above the first and below the last line of a model, in lines."""

LIGHT_BLUE = "#8fc1de"
KIND_COLORS = (BLUE, LIGHT_BLUE, ORANGE, GRAY)


def standings(frame: pd.DataFrame, parts: Sequence[str], *, title: str) -> Layers:
    """One metric over models, best first, the controls below each: columns of `leaderboard.one_metric`.

    `parts` names model, random-weights control and rotated heads. A line with the model and its range of
    ranks stands above its marks, so that a phone has the whole width for these.
    """
    groups = list(dict.fromkeys(frame["under"]))
    frame = frame.assign(slot=frame.groupby("under").cumcount() + 1)
    slots = list(range(frame["slot"].max() + 1))  # the first is that of the words
    x_scale = share_scale(frame[["value", "low", "high", "chance"]].to_numpy(float))
    color, shape = marks(frame, parts)
    y = alt.Y("under:N", sort=groups, axis=None)
    offset = alt.YOffset(
        "slot:O", sort=slots, scale=alt.Scale(domain=slots, paddingInner=0, paddingOuter=MARGIN)
    )

    def along(name: str) -> alt.Chart:
        """Returns the rows with a number, placed by it."""
        x = alt.X(f"{name}:Q", scale=x_scale, **axis_title(title))
        return rows(f"isValid(datum.{name})").encode(x, y, offset, tooltip=tooltips(title))

    def words(text: str, place: str, **mark: Any) -> alt.Chart:
        """Returns a word for every group, with a value or without, at a place across the chart."""
        mark |= {"text": alt.expr(text), "x": alt.expr(place), "dy": -SLOT, "color": alt.expr(PAGE_TEXT)}
        return rows("datum.slot == 1").mark_text(fontSize=13, **mark).encode(y, offset)

    return alt.layer(
        words("datum.model", "0", align="left", fontWeight="bold"),
        words("datum.rank ? 'rank ' + datum.rank : ''", "width", align="right"),
        along("low").mark_rule(strokeWidth=2).encode(alt.X2("high"), color),
        along("chance").mark_tick(color=ORANGE, thickness=3, size=15),
        along("value").mark_point(filled=True, size=95, opacity=1).encode(color, shape),
        data=frame,
        height=(len(slots) * SLOT + 4) * len(groups) + AROUND + 20,
    )


def rows(which: str) -> alt.Chart:
    """Returns a layer over the rows that pass a filter.

    All layers share the data: a copy per layer, or properties added later, would make the chart slow.
    """
    return alt.Chart(transform=[alt.FilterTransform(which)])


def share_scale(values: np.ndarray) -> alt.Scale:
    """Returns a scale from 0 to 1 if it contains all numbers, so that all shares have one scale."""
    share = np.nanmin(values, initial=0) >= 0 and np.nanmax(values, initial=0) <= 1
    return alt.Scale(domain=[0, 1]) if share else alt.Scale(zero=True, nice=True)


def marks(frame: pd.DataFrame, parts: Sequence[str]) -> tuple[alt.Color, alt.Shape]:
    """Returns color and shape of the kinds of lines in the frame."""
    present = set(frame["part"])
    rows = [(name, *mark) for name, mark in zip(parts, PARTS.items(), strict=True) if name in present]
    names, shapes, colors = zip(*rows, strict=True)
    return color_and_shape("part:N", names, colors, shapes)


def tooltips(title: str) -> list[alt.Tooltip]:
    words = [alt.Tooltip("model:N"), alt.Tooltip("part:N", title="kind"), alt.Tooltip("rank:N")]
    return words + numbers(".3f", value=title, **ENDS, chance="chance")


def coverage_bars(parts: pd.DataFrame, kinds: Sequence[str]) -> Layers:
    """Share of every component, layer by layer: columns row, kind, name, label, percent.

    Negative shares are left of zero: a layer's sum is its right end minus its left end.
    """
    names = list(dict.fromkeys(parts["row"]))
    present = [kind for kind in kinds if kind in set(parts["kind"])]
    colors = [color for kind, color in zip(kinds, KIND_COLORS, strict=True) if kind in present]
    shown = parts.assign(order=parts["kind"].map({kind: place for place, kind in enumerate(kinds)}))
    zero = alt.Chart(pd.DataFrame({"percent": [0.0]})).mark_rule(color=alt.expr(PAGE_TEXT), strokeWidth=1)
    x = alt.X(
        "percent:Q", stack="zero", title="share of the embedding's covariance (%)", axis=alt.Axis(tickCount=8)
    )
    titles = {"row": "layer", "kind": "of", "name": "component", "label": "label"}
    tooltip = [alt.Tooltip(f"{name}:N", title=title) for name, title in titles.items()]
    tooltip += numbers("+.2f", percent="share (%)")
    bars = alt.Chart(shown).mark_bar(stroke="white", strokeWidth=0.6, height=alt.RelativeBandSize(0.75))
    return alt.layer(
        bars.encode(
            x,
            alt.Y("row:N", sort=names, title=None, axis=ROWS),
            alt.Color("kind:N", scale=alt.Scale(domain=present, range=colors), legend=LEGEND),
            alt.Order("order:Q"),
            tooltip=tooltip,
        ),
        zero.encode(alt.X("percent:Q")),
    ).properties(height=max(20, min(30, 600 // len(names))) * len(names) + AROUND)
