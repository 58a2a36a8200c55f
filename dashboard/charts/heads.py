"""Charts of heads: DataFrame in, Altair chart out. Knows nothing of Streamlit or bundles.

Unsigned numbers run from pale to dark blue, signed numbers from purple through white to orange: readable
without red-green vision, and the number is in the cell.
"""

import altair as alt
import numpy as np
import pandas as pd

from dashboard.charts import theme
from dashboard.charts.theme import (
    BLUE,
    DARK,
    GRAY,
    ORANGE,
    PALE,
    ROWS,
    Layers,
    cell_words,
    head_cells,
    in_order,
    numbers,
)
from dashboard.images import DIVERGING, shades

FRAME = "#d1495b"
"""Color of the frame around one head, that of no cell."""

CLICK = "cell"
"""Name of the selection of a clicked head."""


def clickable(chart: Layers) -> Layers:
    """Returns the grid of heads with a selection of the clicked layer and head."""
    return chart.add_params(alt.selection_point(name=CLICK, fields=["layer", "head"], empty=False))


def framed(chart: Layers, head: tuple[int, int]) -> Layers:
    """Returns the grid of heads with a frame around one of them, in a color of no cell."""
    frame = chart.layer[0].copy()
    layer, number = head
    frame.mark = alt.MarkDef("rect", filled=False, stroke=FRAME, strokeWidth=3, cornerRadius=3)
    frame.encoding = alt.FacetedEncoding(x=frame.encoding.x, y=frame.encoding.y)
    return chart + frame.transform_filter(f"datum.layer === {layer} && datum.head === {number}")


def value_grid(frame: pd.DataFrame, *, title: str, unit: str, signed: bool | None = None) -> Layers:
    """Layer by head, each cell a number over the head's label: columns of `data.heads.cells`.

    Zero is the middle of the colors of signed numbers, and the palest color otherwise. If `signed` is None,
    numbers are signed if one of them is negative.
    """
    values = frame["value"].to_numpy(float)
    signed = bool(np.nanmin(values, initial=0) < 0) if signed is None else signed
    top = scale_end(values, unit)
    finite = values[np.isfinite(values)]
    decimals = 0 if (finite % 1 == 0).all() else _decimals(top)
    shares = np.nan_to_num(np.clip(values / top, -1, 1))
    rgb = shades((shares + 1) / 2, DIVERGING) if signed else shades(shares, (PALE, DARK))
    shown = frame[
        ["layer", "head", "name", "shown", "support", "value", "low", "high", "first_text", "passes"]
    ]
    shown = shown.assign(number=[_digits(value, decimals) for value in values], ink=theme.ink_on(rgb))
    cells = head_cells(shown, _tooltip(title))
    ink = alt.Color("ink:N", scale=None)
    grid = alt.layer(
        cells.mark_rect(cornerRadius=3, cursor="pointer").encode(_color(f"{title} ({unit})", top, signed)),
        cell_words(cells, "number", 1, cursor="pointer").encode(ink),
        cell_words(cells, "shown", -1, cursor="pointer").encode(ink),
    )
    # Words and cells have different colors; with one scale Vega draws nothing.
    return grid.resolve_scale(color="independent").properties(height=48 * frame["layer"].nunique() + 150)


def _decimals(top: float) -> int:
    """Returns the decimals of numbers up to `top`: two for shares that are not all small."""
    return int(np.clip(2 - np.floor(np.log10(top)), 1, 6 if top < 0.25 else 2))


def _digits(value: float, decimals: int) -> str:
    """Returns the text of a number, without a negative zero."""
    return f"{value:z.{decimals}f}" if np.isfinite(value) else "–"


def scale_end(values: np.ndarray, unit: str) -> float:
    """Returns the end of the color scale: the largest value, of counts of five texts always five."""
    largest = float(np.nanmax(np.abs(values), initial=0))
    return 5.0 if unit == "texts" and largest <= 5 else largest or 1.0


def _color(title: str, top: float, signed: bool) -> alt.Color:
    """Returns colors up to `top`, and down to -`top` for signed numbers."""
    ends, colors = ([-top, top], list(DIVERGING)) if signed else ([0, top], [PALE, DARK])
    legend = alt.Legend(
        title=title, orient="bottom", direction="horizontal", gradientLength=320, titleLimit=500, tickCount=5
    )
    scale = alt.Scale(domain=ends, range=colors, interpolate="rgb", clamp=True)
    return alt.Color("value:Q", scale=scale, legend=legend)


def _tooltip(title: str) -> list[alt.Tooltip]:
    return [*theme.HEAD_WORDS, *numbers(".3g", value=title, **theme.ENDS), theme.FIRST_TEXT]


def profile_bars(frame: pd.DataFrame, label: str | None) -> Layers:
    """Share of a head's first texts by property, the pool's share as a tick: columns of `head_profile`.

    The bar of the head's label is strong, on light and on dark pages.
    """
    shown = frame.assign(
        percent=100 * frame["share"],
        pool=100 * frame["pool_share"],
        strength=np.where(frame["property"] == label, 1.0, 0.5),
    )
    y = alt.Y("property:N", sort=in_order(frame["property"]), title=None, axis=ROWS)
    tooltip = [alt.Tooltip("property:N"), alt.Tooltip("texts:Q")]
    tooltip += [*numbers(".0f", percent="of its texts (%)"), *numbers(".1f", pool="of the pool (%)")]
    title = "of the head's first texts (%)"
    scale = alt.Scale(domain=[0, 100])
    base = alt.Chart(shown)
    return alt.layer(
        base.mark_bar(height=alt.RelativeBandSize(0.7), color=BLUE).encode(
            alt.X("percent:Q", title=title, scale=scale),
            y,
            alt.Opacity("strength:Q", scale=None),
            tooltip=tooltip,
        ),
        base.mark_tick(color=ORANGE, thickness=3, size=18).encode(
            alt.X("pool:Q", title=title), y, tooltip=tooltip
        ),
    ).properties(height=26 * len(frame) + 60)


def selectivity_dots(frame: pd.DataFrame) -> Layers:
    """Selectivity of one head by attribute, with intervals: columns attribute, value, low, high, images."""
    y = alt.Y("attribute:N", sort=in_order(frame["attribute"]), title=None, axis=ROWS)
    scale = alt.Scale(domain=[min(0.0, float(np.nanmin(frame[["value", "low"]].to_numpy(float)))), 1])
    titles = {"value": "selectivity", **theme.ENDS}
    tooltip = [alt.Tooltip("attribute:N"), *numbers(".3f", **titles), *numbers(",", "images")]

    def along(name: str) -> alt.Chart:
        x = alt.X(f"{name}:Q", title="selectivity (ε²)", scale=scale, axis=alt.Axis(tickCount=6))
        return alt.Chart(frame.dropna(subset=[name])).encode(x, y, tooltip=tooltip)

    zero = alt.Chart(pd.DataFrame({"value": [0.0]})).mark_rule(color=GRAY, strokeDash=[4, 3])
    return alt.layer(
        zero.encode(alt.X("value:Q")),
        along("low").mark_rule(strokeWidth=2, color=BLUE).encode(alt.X2("high")),
        along("value").mark_point(filled=True, size=90, opacity=1, color=BLUE),
    ).properties(height=28 * len(frame) + 60)
