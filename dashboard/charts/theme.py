"""Colors, sizes and encodings of several charts."""

import json
from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

UNIT = "contribution to cosine similarity x 1000"
BLUE, ORANGE, PURPLE, GRAY = "#0072b2", "#e08214", "#7b5aa6", "#8c8c8c"

LABEL_COLORS = ["#7fb8d8", "#f2cf7f", "#7fceb9", "#e5bcd3", "#aad9f4", "#eaae7f", "#f7f1a0", "#ccccaa"]
"""Okabe and Ito: eight colors that differ without red-green vision; lightened for dark words."""

WEAK, EDGE = "#e9e9e9", "#d5dae0"
"""Cells of unsupported labels; the edge of cells, which makes white cells visible."""

INK = "#1c2530"
"""Words on a chart."""

CELL_WIDTH = alt.expr("max(24, bandwidth('x') - 4)")
"""Largest width of the words in a cell of a grid, pixels; longer words end in dots."""

Layers = alt.LayerChart | alt.FacetChart
"""Return type of `alt.layer`; no chart here has facets."""

AROUND = 110
"""Height of titles and scale above and below maps, pixels."""

LEGEND = alt.Legend(title=None, orient="top", labelLimit=400, symbolSize=110)

BARE: dict[str, Any] = {"grid": False, "ticks": False, "domain": False, "labelOverlap": False, "title": None}
"""Options of an axis that shows its labels alone."""

# Without `labelOverlap` Vega omits every other name of close rows; flush, the first name would slip down.
ROWS = alt.Axis(labelLimit=260, labelOverlap=False, labelFlush=False)


def color_and_shape(
    field: str, names: Sequence[str], colors: Sequence[str], shapes: Sequence[str], legend: Any = LEGEND
) -> tuple[alt.Color, alt.Shape]:
    """Returns color and shape of marks by one field, in one legend: color is never the only sign."""
    color, shape = (alt.Scale(domain=list(names), range=list(marks)) for marks in (colors, shapes))
    return alt.Color(field, scale=color, legend=legend), alt.Shape(field, scale=shape, legend=legend)


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


def head_cells(frame: pd.DataFrame, tooltip: list[alt.Tooltip]) -> alt.Chart:
    """Returns the cells of a grid, layer by head, the last layer at the top; marks are added to it."""
    gap = alt.Scale(paddingInner=0.05)
    return alt.Chart(frame).encode(
        x=alt.X("head:O", axis=alt.Axis(labelAngle=0, orient="top"), scale=gap),
        y=alt.Y("layer:O", sort="descending", scale=gap),
        tooltip=tooltip,
    )


def cell_words(cells: alt.Chart, field: str, line: int = 0, **mark: Any) -> alt.Chart:
    """Returns the words in cells: `line` 1 above the middle, -1 below it, 0 alone."""
    size = alt.expr(f"clamp(bandwidth('x') / 5.6, 8, 12) + {line}")
    text = cells.mark_text(dy={1: -8, 0: 0, -1: 9}[line], fontSize=size, limit=CELL_WIDTH, **mark)
    return text.encode(alt.Text(field))
