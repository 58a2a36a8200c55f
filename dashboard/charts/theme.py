"""Colors, sizes and encodings of several charts."""

import json
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

UNIT = "contribution to cosine similarity x 1000"
BLUE, ORANGE, PURPLE, GRAY = "#0072b2", "#e08214", "#7b5aa6", "#8c8c8c"

LABEL_COLORS = ["#7fb8d8", "#f2cf7f", "#7fceb9", "#e5bcd3", "#aad9f4", "#eaae7f", "#f7f1a0", "#ccccaa"]
"""Okabe and Ito: eight colors that differ without red-green vision; lightened for dark words."""

WEAK, EDGE = "#e9e9e9", "#d5dae0"
"""Cells of unsupported labels; the edge of cells, which makes white cells visible."""

DIM = 0.4
"""Opacity of heads that a filter leaves out."""

INK = "#0b1016"
"""Words on light cells, in both themes."""

PALE, DARK = "#eef3f7", "#08519c"
"""Ends of the colors of unsigned numbers."""

NARROW = 34
"""Width of a cell, pixels, below which words are cut to three letters: a phone has 20."""

SMALLEST = 9
"""Size of words in cells, pixels, below which they are cut rather than drawn smaller."""

LIGHT_TEXT, DARK_TEXT = "#c9d1d9", "#48515c"
"""Words around a chart on a dark and on a light page: a contrast of at least 4.5."""

# Streamlit tells Vega the color of the page, and draws axes too pale to read.
PAGE_TEXT = f"luminance(background) > 0.5 ? '{DARK_TEXT}' : '{LIGHT_TEXT}'"
_COLORS = {name: {"expr": PAGE_TEXT} for name in ("labelColor", "titleColor")}
CONFIG: dict[str, Any] = {
    "axis": _COLORS,
    "axisX": {"titleAnchor": "end"},  # a phone would cut a title in the middle
    "legend": _COLORS | {"columns": {"expr": "width < 440 ? 1 : 0"}},
    "title": {"color": {"expr": PAGE_TEXT}},
}
"""Options of every chart: readable words on both themes, and legends that a phone does not cut."""

ENDS = {"low": "95 % from", "high": "95 % to"}
"""Titles of the ends of an interval."""

HEAD_WORDS = [
    alt.Tooltip("name:N", title="head"),
    alt.Tooltip("shown:N", title="label"),
    alt.Tooltip("support:N", title="support"),
]
FIRST_TEXT = alt.Tooltip("first_text:N", title="first text")
"""Tooltips of a head, in the words of the pages."""

Layers = alt.LayerChart | alt.FacetChart
"""Return type of `alt.layer`; no chart here has facets."""

AROUND = 110
"""Height of titles and scale above and below maps, pixels."""

SHAPES = ["circle", "square", "diamond", "cross", "triangle-up", "triangle-down", "triangle-left", "stroke"]
"""Marks that differ without color."""

LEGEND = alt.Legend(title=None, orient="top", labelLimit=400, symbolSize=110)

# Without `labelOverlap` Vega omits every other name of close rows; flush, the first name would slip down.
ROWS = alt.Axis(labelLimit=260, labelOverlap=False, labelFlush=False)


def color_and_shape(
    field: str, names: Sequence[str], colors: Sequence[str], shapes: Sequence[str], legend: Any = LEGEND
) -> tuple[alt.Color, alt.Shape]:
    """Returns color and shape of marks by one field, in one legend: color is never the only sign."""
    color, shape = (alt.Scale(domain=list(names), range=list(marks)) for marks in (colors, shapes))
    return alt.Color(field, scale=color, legend=legend), alt.Shape(field, scale=shape, legend=legend)


def in_order(column: pd.Series) -> list[Any]:
    """Returns the values of a column in row order, for the axis that shows them.

    Without such a list Vega keeps the order of the former data when only the data change.
    """
    return column.drop_duplicates().tolist()


def numbers(form: str, *names: str, **titled: str) -> list[alt.Tooltip]:
    """Returns tooltips of numbers, with the names of their columns or other titles."""
    titles = dict(zip(names, names, strict=True)) | titled
    return [alt.Tooltip(f"{name}:Q", title=code_title(title), format=form) for name, title in titles.items()]


def code_title(title: str) -> str:
    """Returns a title of a channel or tooltip, which Vega-Lite writes into code; it escapes quotes alone.

    Titles that a tooltip would show as a picture or as a heading get a space.
    """
    escaped = json.dumps(title)[1:-1].replace(r"\"", '"')
    return f"{escaped} " if escaped in ("image", "title") else escaped


def axis_title(title: str) -> dict[str, Any]:
    """Returns the options of a channel that give it a title: as written at its axis, escaped in code."""
    return {"title": code_title(title), "axis": alt.Axis(tickCount=8, title=title)}


def luminance(rgb: NDArray) -> NDArray:
    """Returns the relative luminance of colors, as in WCAG 2."""
    share = np.asarray(rgb, float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def ink_on(rgb: NDArray) -> NDArray:
    """Returns black or white for words on colors, whichever has the higher contrast: it is above 4.5."""
    return np.where(luminance(rgb) < 0.179, "white", "black")


def head_cells(frame: pd.DataFrame, tooltip: list[alt.Tooltip]) -> alt.Chart:
    """Returns the cells of a grid, layer by head, the last layer at the top; marks are added to it.

    Heads that a filter leaves out, with a false `passes`, are dim; without such a column none is.
    """
    gap = alt.Scale(paddingInner=0.05)
    passes = frame.get("passes", pd.Series(True, frame.index))
    shown = frame.drop(columns="passes", errors="ignore").assign(opacity=passes.map({True: 1.0, False: DIM}))
    heads, layers = sorted(set(frame["head"])), sorted(set(frame["layer"]), reverse=True)
    return alt.Chart(shown).encode(
        x=alt.X(
            "head:O", sort=heads, axis=alt.Axis(labelAngle=0, orient="top", titleAnchor="middle"), scale=gap
        ),
        y=alt.Y("layer:O", sort=layers, scale=gap),
        opacity=alt.Opacity("opacity:Q", scale=None),
        tooltip=tooltip,
    )


def pale(color: str) -> str:
    """Returns a color halfway to white."""
    return "#" + "".join(f"{(int(color[i : i + 2], 16) + 255) // 2:02x}" for i in (1, 3, 5))


def cell_words(cells: alt.Chart, field: str, line: int = 0, **mark: Any) -> alt.Chart:
    """Returns the words in cells: `line` 1 above the middle, -1 below it, 0 alone.

    The longest word sets the size; one that would still not fit is broken in two, then ends in dots. In
    narrow cells names of heads are broken at their dot, and numbers are whole: a cut one would be another.
    """
    longest = cells.data[field].astype(str).str.len().max()
    word, wide = f"toString(datum.{field})", "bandwidth('x')"
    half, middle = f"floor(length({word}) / 2)", {1: -8, 0: 0, -1: 9}[line]
    narrow, long = f"{wide} < {NARROW}", f"{0.44 * SMALLEST} * length({word}) > {wide} - 2"
    broken = f"[slice({word}, 0, {half}) + '-', slice({word}, {half})]"
    is_head, is_number = f"test(/^L[0-9]+[.]H[0-9]+$/, {word})", f"test(/^[-−+]?[0-9.]+$/, {word})"
    whole = f"({is_number} || length({word}) <= 3)"
    short = f"{whole} ? {word} : {is_head} ? split({word}, '.') : slice({word}, 0, 3)"
    text = f"{narrow} ? ({short}) : {long} ? {broken} : {word}"
    two_lines = f"({narrow} ? {is_head} : {long})"
    size = f"clamp(({wide} - 2) / {0.52 * max(5, longest):.3g}, {SMALLEST}, {12 + line})"
    return cells.mark_text(
        dy=alt.expr(f"{two_lines} ? {middle} - {SMALLEST / 2} : {middle}"),
        text=alt.expr(text),
        fontSize=alt.expr(size),
        lineHeight=SMALLEST,
        limit=alt.expr(f"{is_number} ? 60 : max(20, {wide} - 2)"),
        **mark,
    )
