"""Charts of the leaderboard: DataFrame in, Altair chart out. Knows nothing of Streamlit or bundles.

A model is a blue circle, its controls are gray marks of another shape.
"""

import json
from collections.abc import Sequence
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd

from dashboard.charts.theme import (
    AROUND,
    BARE,
    BLUE,
    GRAY,
    LEGEND,
    ORANGE,
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

    `parts` names model, random-weights control and rotated heads. The range of ranks is at the right.
    """
    groups = list(dict.fromkeys(frame["under"]))
    frame = frame.assign(slot=frame.groupby("under").cumcount())
    slots = list(range(frame["slot"].max() + 1))
    leaders = frame.drop_duplicates("under").set_index("under")
    x_scale = share_scale(frame[["value", "low", "high", "chance"]].to_numpy(float))
    color, shape = marks(frame, parts)
    offset = alt.YOffset("slot:O", scale=alt.Scale(domain=slots, paddingInner=0, paddingOuter=MARGIN))
    up = -SLOT * (len(slots) - 1) / 2  # names are beside the model, above its controls
    ranks = ("rank " + leaders["rank"]).where(leaders["rank"] != "", "")

    def along(name: str) -> alt.Chart:
        """Returns the rows with a number, placed by it."""
        x = alt.X(f"{name}:Q", scale=x_scale, **axis_title(title))
        y = alt.Y("under:N", sort=groups, axis=None)
        return rows(f"isValid(datum.{name})").encode(x, y, offset, tooltip=tooltips(title))

    def words(axis: alt.Axis) -> alt.Chart:
        """Returns an axis on invisible marks, one for every group, with a value or without."""
        return (
            rows("datum.slot == 0")
            .mark_point(opacity=0)
            .encode(alt.Y("under:N", sort=groups, title=None, axis=axis))
        )

    return alt.layer(
        words(_words(leaders["model"], up)),
        words(_words(ranks, up, "right")),
        along("low").mark_rule(strokeWidth=2).encode(alt.X2("high"), color),
        along("chance").mark_tick(color=ORANGE, thickness=3, size=15),
        along("value").mark_point(filled=True, size=95, opacity=1).encode(color, shape),
        data=frame,
        resolve=alt.Resolve(axis=alt.AxisResolveMap(y="independent")),
        height=max(30, len(slots) * SLOT + 8) * len(groups) + AROUND,
    )


def rows(which: str) -> alt.Chart:
    """Returns a layer over the rows that pass a filter.

    All layers share the data: a copy per layer, or properties added later, would make the chart slow.
    """
    return alt.Chart(transform=[alt.FilterTransform(which)])


def _words(words: pd.Series, offset: float, orient: Literal["left", "right"] = "left") -> alt.Axis:
    """Returns an axis with words in place of its values; its labels follow the page's theme."""
    return alt.Axis(
        orient=orient,
        labelOffset=offset,
        labelExpr=f"{json.dumps(words.to_dict())}[datum.value]",
        labelLimit=300,
        labelFontWeight="bold" if orient == "left" else "normal",
        labelPadding=12,
        **BARE,
    )


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
    return words + numbers(".3f", value=title, low="from", high="to", chance="chance")


def coverage_bars(parts: pd.DataFrame, kinds: Sequence[str]) -> Layers:
    """Share of every component, layer by layer: columns row, kind, name, label, percent.

    Negative shares are left of zero: a layer's sum is its right end minus its left end.
    """
    names = list(dict.fromkeys(parts["row"]))
    there = [kind for kind in kinds if kind in set(parts["kind"])]
    colors = [color for kind, color in zip(kinds, KIND_COLORS, strict=True) if kind in there]
    shown = parts.assign(order=parts["kind"].map({kind: place for place, kind in enumerate(kinds)}))
    zero = alt.Chart(pd.DataFrame({"percent": [0.0]})).mark_rule(color="#444444", strokeWidth=1)
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
            alt.Color("kind:N", scale=alt.Scale(domain=there, range=colors), legend=LEGEND),
            alt.Order("order:Q"),
            tooltip=tooltip,
        ),
        zero.encode(alt.X("percent:Q")),
    ).properties(height=max(20, min(30, 600 // len(names))) * len(names) + AROUND)
