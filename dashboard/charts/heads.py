"""Charts of heads: DataFrame in, Altair chart out. Knows nothing of Streamlit or of bundles.

Numbers that have no sign run from pale to dark blue, signed ones from purple through white to orange: both
can be read without red-green vision, and the number stands in the cell.
"""

import altair as alt
import numpy as np
import pandas as pd

from dashboard.charts.maps import cell_words
from dashboard.charts.theme import BLUE, CELL_WIDTH, GRAY, INK, ORANGE, Layers
from dashboard.images import DIVERGING

CLICK = "cell"
"""Name of the selection that a click on a head makes."""

PALE, DARK = "#eef3f7", "#08519c"

# Flush, the first name would slip below its mark.
ROWS = alt.Axis(labelLimit=260, labelOverlap=False, labelFlush=False)


def clickable(chart: Layers) -> Layers:
    """The same grid of heads; a click on a cell selects its layer and head."""
    return chart.add_params(alt.selection_point(name=CLICK, fields=["layer", "head"], empty=False))


def value_grid(frame: pd.DataFrame, *, title: str, unit: str, signed: bool | None = None) -> Layers:
    """Layer by head, each cell a number over the head's label: columns as of `head_tables.cells`.

    Signed numbers have zero in the middle of their colors; where `signed` is None they are signed if one of
    them is below zero. Otherwise 0 is palest, and what is below it as pale.
    """
    values = frame["value"].to_numpy(float)
    signed = bool(np.nanmin(values, initial=0) < 0) if signed is None else signed
    top = scale_end(values, unit)
    finite = values[np.isfinite(values)]
    decimals = 0 if (finite % 1 == 0).all() else int(np.clip(2 - np.floor(np.log10(top)), 1, 6))
    strong = np.abs(values) > 0.65 * top
    shown = frame[
        ["layer", "head", "name", "shown", "value", "low", "high", "p_value", "q_value", "first_text"]
    ]
    shown = shown.assign(
        number=[_digits(value, decimals) for value in values],
        ink=np.where(strong, "white", INK),
    )
    gap = alt.Scale(paddingInner=0.05)
    cells = alt.Chart(shown).encode(
        x=alt.X("head:O", axis=alt.Axis(labelAngle=0, orient="top"), scale=gap),
        y=alt.Y("layer:O", sort="descending", scale=gap),
        tooltip=_seen(title),
    )
    upper = cells.mark_text(dy=-8, fontSize=cell_words(1), limit=CELL_WIDTH, cursor="pointer")
    lower = cells.mark_text(dy=9, fontSize=cell_words(-1), limit=CELL_WIDTH, cursor="pointer")
    ink = alt.Color("ink:N", scale=None)
    grid = alt.layer(
        cells.mark_rect(cornerRadius=3, cursor="pointer").encode(_color(f"{title} ({unit})", top, signed)),
        upper.encode(alt.Text("number:N"), ink),
        lower.encode(alt.Text("shown:N"), ink),
    )
    # Words have colors of their own; with one scale for all of it Vega draws nothing.
    return grid.resolve_scale(color="independent").properties(height=48 * frame["layer"].nunique() + 150)


def _digits(value: float, decimals: int) -> str:
    """A number as a cell shows it; nothing is -0.00."""
    return f"{value:z.{decimals}f}" if np.isfinite(value) else "–"


def scale_end(values: np.ndarray, unit: str) -> float:
    """Where colors end: the same for all shares that are not all small, and for counts of five texts."""
    largest = float(np.nanmax(np.abs(values), initial=0))
    if unit == "texts" and largest <= 5:
        return 5.0
    if unit in ("share", "epsilon squared") and 0.25 < largest <= 1:
        return 1.0
    return largest or 1.0


def _color(title: str, top: float, signed: bool) -> alt.Color:
    """Colors of numbers up to `top`, and down to its negative where they are signed."""
    ends, colors = ([-top, top], list(DIVERGING)) if signed else ([0, top], [PALE, DARK])
    legend = alt.Legend(
        title=title, orient="bottom", direction="horizontal", gradientLength=320, titleLimit=500, tickCount=5
    )
    scale = alt.Scale(domain=ends, range=colors, interpolate="rgb", clamp=True)
    return alt.Color("value:Q", scale=scale, legend=legend)


def _seen(title: str) -> list[alt.Tooltip]:
    number = {"value": title, "low": "from", "high": "to", "p_value": "p", "q_value": "q"}
    return [
        alt.Tooltip("name:N", title="head"),
        alt.Tooltip("shown:N", title="label"),
        *(alt.Tooltip(f"{name}:Q", title=shown, format=".3g") for name, shown in number.items()),
        alt.Tooltip("first_text:N", title="first text"),
    ]


def profile_bars(frame: pd.DataFrame, label: str | None) -> Layers:
    """Share of a head's first texts by property, the pool's share as a tick: columns as of `head_profile`.

    The bar of the head's label is dark.
    """
    shown = frame.assign(
        percent=100 * frame["share"],
        pool=100 * frame["pool_share"],
        tint=np.where(frame["property"] == label, BLUE, "#a9c9dd"),
    )
    y = alt.Y("property:N", sort=None, title=None, axis=ROWS)
    seen = [alt.Tooltip("property:N"), alt.Tooltip("texts:Q")]
    seen += [alt.Tooltip("percent:Q", title="of its texts (%)", format=".0f")]
    seen += [alt.Tooltip("pool:Q", title="of the pool (%)", format=".1f")]
    title = "of the head's first texts (%)"
    scale = alt.Scale(domain=[0, 100])
    base = alt.Chart(shown)
    return alt.layer(
        base.mark_bar(height=alt.RelativeBandSize(0.7)).encode(
            alt.X("percent:Q", title=title, scale=scale), y, alt.Color("tint:N", scale=None), tooltip=seen
        ),
        base.mark_tick(color=ORANGE, thickness=3, size=18).encode(
            alt.X("pool:Q", title=title), y, tooltip=seen
        ),
    ).properties(height=26 * len(frame) + 60)


def selectivity_dots(frame: pd.DataFrame) -> Layers:
    """Selectivity of one head by attribute, with intervals: columns attribute, value, low, high, images."""
    y = alt.Y("attribute:N", sort=frame["attribute"].tolist(), title=None, axis=ROWS)
    scale = alt.Scale(domain=[min(0.0, float(np.nanmin(frame[["value", "low"]].to_numpy(float)))), 1])
    seen = [alt.Tooltip("attribute:N")]
    seen += [alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high")]
    seen += [alt.Tooltip("images:Q", format=",")]

    def along(name: str) -> alt.Chart:
        x = alt.X(f"{name}:Q", title="selectivity (ε²)", scale=scale, axis=alt.Axis(tickCount=6))
        return alt.Chart(frame.dropna(subset=[name])).encode(x, y, tooltip=seen)

    zero = alt.Chart(pd.DataFrame({"value": [0.0]})).mark_rule(color=GRAY, strokeDash=[4, 3])
    return alt.layer(
        zero.encode(alt.X("value:Q")),
        along("low").mark_rule(strokeWidth=2, color=BLUE).encode(alt.X2("high")),
        along("value").mark_point(filled=True, size=90, opacity=1, color=BLUE),
    ).properties(height=28 * len(frame) + 60)
