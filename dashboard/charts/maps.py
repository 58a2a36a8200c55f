"""Charts of maps and of signed parts: DataFrame in, Altair chart out. Knows nothing of Streamlit or bundles.

Contributions are in thousandths of cosine similarity: one head of sixty adds a few.
"""

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.charts import theme
from dashboard.images import DIVERGING, strength

# Channels are objects, not strings: Altair needs milliseconds to parse each string.
VALUE = alt.Tooltip("value:Q", title="x 1000", format="+.3f")


def map_panel(
    url: str, grid: NDArray | None, *, limit: float, opacity: float, size: tuple[int, int]
) -> theme.Layers:
    """A picture (data URL) and a grid of contributions over it, if there is one.

    `size` is width and height in pixels. Zero is the middle of the colors, and lets the picture through.
    """
    width, height = size
    x = alt.X("left:Q", scale=alt.Scale(domain=[0, 1], range=[0, width], round=True), axis=None)
    y = alt.Y("top:Q", scale=alt.Scale(domain=[0, 1], range=[0, height], round=True), axis=None)
    picture = alt.Chart(pd.DataFrame({"left": [0.0], "top": [0.0], "url": [url]})).mark_image(
        align="left", baseline="top", aspect=False, width=width, height=height
    )
    layers = [picture.encode(x, y, alt.Url("url:N"))]
    if grid is not None:
        end = 1000 * limit
        scale = alt.Scale(domain=[-end, end], range=list(DIVERGING), interpolate="rgb", clamp=True)
        tooltip = [
            alt.Tooltip("row:Q", title="patch row"),
            alt.Tooltip("column:Q", title="patch column"),
            VALUE,
        ]
        patches = alt.Chart(map_cells(grid, limit, opacity)).mark_rect()
        edges = x, y, alt.X2("right"), alt.Y2("bottom")
        color = alt.Color("value:Q", scale=scale, legend=None)
        layers.append(patches.encode(*edges, color, alt.Opacity("opacity:Q", scale=None), tooltip=tooltip))
    return alt.layer(*layers).properties(width=width, height=height)


def map_cells(grid: NDArray, limit: float, opacity: float) -> pd.DataFrame:
    """Returns one row per patch: its edges, its value in thousandths, its opacity. Row 1 is the top."""
    rows, columns = grid.shape
    row, column = np.indices(grid.shape).reshape(2, -1)
    return pd.DataFrame(
        {
            "row": row + 1,
            "column": column + 1,
            "value": 1000 * grid.ravel(),
            "opacity": opacity * strength(grid, limit).ravel(),
            "left": column / columns,
            "right": (column + 1) / columns,
            "top": row / rows,
            "bottom": (row + 1) / rows,
        }
    )


def signed_bars(frame: pd.DataFrame) -> alt.Chart:
    """Signed parts and their sums, in row order: columns part, value (thousandths), total (sum or not)."""
    signs = np.where(frame["total"], "total", np.where(frame["value"] >= 0, "adds", "subtracts"))
    colors = alt.Scale(domain=["adds", "subtracts", "total"], range=[theme.ORANGE, theme.PURPLE, theme.GRAY])
    return (
        alt.Chart(frame[["part", "value"]].assign(sign=signs))
        .mark_bar(height=alt.RelativeBandSize(0.7))
        .encode(
            x=alt.X("value:Q", title=theme.UNIT, axis=alt.Axis(tickCount=8)),
            y=alt.Y("part:N", sort=theme.in_order(frame["part"]), title=None, axis=alt.Axis(labelLimit=260)),
            color=alt.Color("sign:N", scale=colors, legend=None),
            tooltip=[alt.Tooltip("part:N"), VALUE],
        )
        .properties(height=24 * len(frame) + 64)
    )


def head_grid(frame: pd.DataFrame) -> theme.Layers:
    """Layer by head, each cell its label: columns of `data.heads.cells` without a number.

    The most frequent supported labels have a color, pale if their support is weak; other labels are white,
    unsupported labels gray. Cells are light in both themes: their words are dark.
    """
    unsupported = frame["grade"].eq("unsupported")
    common = frame["label"].mask(unsupported).value_counts().index
    tints = dict(zip(common, theme.LABEL_COLORS, strict=False))
    tint = frame["label"].map(tints).fillna("#ffffff").mask(unsupported, theme.WEAK)
    shown = frame[["layer", "head", "name", "shown", "support", "first_text", "importance", "passes"]].assign(
        tint=tint.mask(frame["grade"].eq("weak"), tint.map(theme.pale))
    )
    cells = theme.head_cells(
        shown, [*theme.HEAD_WORDS, *theme.numbers(".3g", "importance"), theme.FIRST_TEXT]
    )
    return alt.layer(
        cells.mark_rect(cornerRadius=3, stroke=theme.EDGE).encode(alt.Color("tint:N", scale=None)),
        theme.cell_words(cells, "shown", color=theme.INK),
    ).properties(height=36 * frame["layer"].nunique() + 60)
