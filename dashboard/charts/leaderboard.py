"""Charts of the leaderboard: DataFrame in, Altair chart out. Knows nothing of Streamlit or of bundles.

A model is a blue circle, its controls are gray marks of another shape: color is never the only sign.
"""

import json
from collections.abc import Sequence
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd

from dashboard.charts.theme import AROUND, BLUE, GRAY, ORANGE, Layers

PARTS = {"circle": BLUE, "cross": GRAY, "diamond": "#b4b4b4"}
"""Shape and color of the parts of the board, in the order given: model, twin, rotated heads."""

SLOT = 19
"""Height of one mark and its room, pixels; a model and its controls stand under each other."""


MARGIN = 0.35
"""Over the first and under the last mark of a model, in marks."""

LIGHT_BLUE = "#8fc1de"
KIND_COLORS = (BLUE, LIGHT_BLUE, ORANGE, GRAY)
ROWS = alt.Axis(labelLimit=260, labelOverlap=False)


def standings(frame: pd.DataFrame, parts: Sequence[str], *, title: str) -> Layers:
    """One metric over models, best first, the controls under each: columns as of `board.one_metric`.

    `parts` names model, twin and rotated heads. The range of ranks stands at the right.
    """
    groups = list(dict.fromkeys(frame["under"]))
    frame = frame.assign(slot=frame.groupby("under").cumcount())
    slots = list(range(frame["slot"].max() + 1))
    own = frame.drop_duplicates("under").set_index("under")
    x_scale = share_scale(frame[["value", "low", "high", "chance"]].to_numpy(float))
    color, shape = marks(frame, parts)
    offset = alt.YOffset("slot:O", scale=alt.Scale(domain=slots, paddingInner=0, paddingOuter=MARGIN))
    up = -SLOT * (len(slots) - 1) / 2  # names stand beside the model, over its controls
    seen = tooltips(title)

    def along(name: str) -> alt.Chart:
        """The rows that have a number, placed by it."""
        x = alt.X(f"{name}:Q", title=title, scale=x_scale, axis=alt.Axis(tickCount=8))
        y = alt.Y("under:N", sort=groups, axis=None)
        return rows(f"isValid(datum.{name})").encode(x, y, offset, tooltip=seen)

    def words(axis: alt.Axis) -> alt.Chart:
        """An axis of its own, on marks that nobody sees: every group has one, with a value or without."""
        return (
            rows("datum.slot == 0")
            .mark_point(opacity=0)
            .encode(alt.Y("under:N", sort=groups, title=None, axis=axis))
        )

    return alt.layer(
        words(_words(own["model"], up)),
        words(_words(_rank_words(own), up, "right")),
        along("low").mark_rule(strokeWidth=2).encode(alt.X2("high"), color),
        along("chance").mark_tick(color=ORANGE, thickness=3, size=15),
        along("value").mark_point(filled=True, size=95, opacity=1).encode(color, shape),
        data=frame,
        resolve=alt.Resolve(axis=alt.AxisResolveMap(y="independent")),
        height=max(30, len(slots) * SLOT + 8) * len(groups) + AROUND,
    )


def rows(which: str) -> alt.Chart:
    """A layer over some rows of the data that all layers share.

    What is known of a chart is said where it is made: every later word copies all that was said before, and
    data written once for each layer would take as long.
    """
    return alt.Chart(transform=[alt.FilterTransform(which)])


def _rank_words(own: pd.DataFrame) -> pd.Series:
    return ("rank " + own["rank"]).where(own["rank"] != "", "")


def _words(words: pd.Series, offset: float, orient: Literal["left", "right"] = "left") -> alt.Axis:
    """An axis that shows other words than its values; its labels follow the page's theme."""
    return alt.Axis(
        orient=orient,
        labelOffset=offset,
        labelExpr=f"{json.dumps(words.to_dict())}[datum.value]",
        labelLimit=300,
        labelOverlap=False,
        labelFontWeight="bold" if orient == "left" else "normal",
        grid=False,
        ticks=False,
        domain=False,
        labelPadding=12,
        title=None,
    )


def share_scale(values: np.ndarray) -> alt.Scale:
    """From 0 to 1 wherever all numbers are between, so that shares are always seen on one scale."""
    share = np.nanmin(values, initial=0) >= 0 and np.nanmax(values, initial=0) <= 1
    return alt.Scale(domain=[0, 1]) if share else alt.Scale(zero=True, nice=True)


def marks(frame: pd.DataFrame, parts: Sequence[str]) -> tuple[alt.Color, alt.Shape]:
    """Color and shape of the parts that there are, in one legend."""
    there = set(frame["part"])
    kept = [(name, *mark) for name, mark in zip(parts, PARTS.items(), strict=True) if name in there]
    names, shapes, colors = (list(column) for column in zip(*kept, strict=True))
    legend = alt.Legend(title=None, orient="top", labelLimit=400, symbolSize=110)
    return (
        alt.Color("part:N", scale=alt.Scale(domain=names, range=colors), legend=legend),
        alt.Shape("part:N", scale=alt.Scale(domain=names, range=shapes), legend=legend),
    )


def tooltips(title: str) -> list[alt.Tooltip]:
    numbers = {"value": title, "low": "from", "high": "to", "chance": "chance"}
    words = [alt.Tooltip("model:N"), alt.Tooltip("part:N", title="is"), alt.Tooltip("rank:N")]
    return words + [alt.Tooltip(f"{name}:Q", title=said, format=".3f") for name, said in numbers.items()]


def coverage_bars(parts: pd.DataFrame, kinds: Sequence[str]) -> Layers:
    """Layer by layer, what its components account for: columns row, kind, name, label, percent; from zero.

    What is negative goes to the left of zero, so that a layer's sum is its right end less its left.
    """
    names = list(dict.fromkeys(parts["row"]))
    there = [kind for kind in kinds if kind in set(parts["kind"])]
    colors = [color for kind, color in zip(kinds, KIND_COLORS, strict=True) if kind in there]
    legend = alt.Legend(title=None, orient="top", labelLimit=300, symbolSize=110)
    shown = parts.assign(order=parts["kind"].map({kind: place for place, kind in enumerate(kinds)}))
    zero = alt.Chart(pd.DataFrame({"percent": [0.0]})).mark_rule(color="#444444", strokeWidth=1)
    x = alt.X(
        "percent:Q",
        stack="zero",
        title="share of the embedding's covariance (%)",
        axis=alt.Axis(tickCount=8),
    )
    bars = alt.Chart(shown).mark_bar(stroke="white", strokeWidth=0.6, height=alt.RelativeBandSize(0.75))
    return alt.layer(
        bars.encode(
            x,
            alt.Y("row:N", sort=names, title=None, axis=ROWS),
            alt.Color("kind:N", scale=alt.Scale(domain=there, range=colors), legend=legend),
            alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("row:N", title="layer"),
                alt.Tooltip("kind:N", title="of"),
                alt.Tooltip("name:N", title="component"),
                alt.Tooltip("label:N"),
                alt.Tooltip("percent:Q", title="share (%)", format="+.2f"),
            ],
        ),
        zero.encode(alt.X("percent:Q")),
    ).properties(height=max(20, min(30, 600 // len(names))) * len(names) + AROUND)
