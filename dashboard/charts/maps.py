"""Charts of maps and of signed parts: DataFrame in, Altair chart out. Knows nothing of Streamlit or bundles.

Contributions are in thousandths of cosine similarity: one head of sixty adds a few.
"""

from typing import NamedTuple

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard import images
from dashboard.charts import theme
from dashboard.images import DIVERGING

# Channels are objects, not strings: Altair needs milliseconds to parse each string.
VALUE = alt.Tooltip("value:Q", title="x 1000", format="+.3f")
PLACE = [alt.Tooltip("row:Q", title="patch row"), alt.Tooltip("column:Q", title="patch column")]

CLICK = "patch"
"""Name of the selection of a clicked patch."""


class Marks(NamedTuple):
    """Patches that are marked in a panel, for row and column from 0."""

    outliers: NDArray | None = None
    """Mask [row, column] of the patches that get a diamond."""

    chosen: tuple[int, int] | None = None
    """The patch that gets a frame."""


NO_MARKS = Marks()


def map_panel(
    url: str,
    grid: NDArray,
    *,
    limit: float,
    opacity: float,
    size: tuple[int, int],
    smooth: bool = False,
    marks: Marks = NO_MARKS,
    clickable: bool = False,
) -> theme.Layers:
    """A picture (data URL), a grid of contributions over it, and marks; a click selects a patch, if it can.

    `size` is width and height in pixels. Zero is the middle of the colors, and lets the picture through.
    `smooth` draws values between the centers of patches; the tooltips have those of the patches.
    """
    width, height = size
    x = alt.X("left:Q", scale=alt.Scale(domain=[0, 1], range=[0, width], round=True), axis=None)
    y = alt.Y("top:Q", scale=alt.Scale(domain=[0, 1], range=[0, height], round=True), axis=None)

    def picture(url: str) -> alt.Chart:
        image = alt.Chart(pd.DataFrame({"left": [0.0], "top": [0.0], "url": [url]})).mark_image(
            align="left", baseline="top", aspect=False, width=width, height=height
        )
        return image.encode(x, y, alt.Url("url:N"))

    cells = map_cells(grid, limit, opacity)
    layers = [picture(url)]
    if smooth and opacity:
        layers.append(picture(images.png_url(images.cover(images.smoothed(grid, size), limit, opacity))))
        cells["opacity"] = 0.0
    end = 1000 * limit
    scale = alt.Scale(domain=[-end, end], range=list(DIVERGING), interpolate="rgb", clamp=True)
    patches = (
        alt.Chart(cells)
        .mark_rect(cursor="pointer" if clickable else "default")
        .encode(
            *(x, y, alt.X2("right"), alt.Y2("bottom")),
            alt.Color("value:Q", scale=scale, legend=None),
            alt.Opacity("opacity:Q", scale=None),
            tooltip=[*PLACE, VALUE],
        )
    )
    layers.append(patches)
    layers += _mark_layers(cells.drop(columns=["opacity"]), marks, (x, y), min(size) / max(grid.shape))
    # Streamlit fits other charts to their container, whose height it takes for another one after a change.
    fixed = {"autosize": {"type": "none"}, "padding": dict.fromkeys(("left", "top", "right", "bottom"), 0)}
    chart = alt.layer(*layers).properties(width=width, height=height, **fixed)
    click = alt.selection_point(name=CLICK, fields=["row", "column"], empty=False)
    return chart.add_params(click) if clickable else chart


def _mark_layers(
    cells: pd.DataFrame, marks: Marks, edges: tuple[alt.X, alt.Y], side: float
) -> list[alt.Chart]:
    """Returns the marks of patches, each white on a wider dark mark: visible on any color."""
    layers = []
    if marks.outliers is not None and marks.outliers.any():
        centers = cells[marks.outliers.ravel()]
        for middle, ends in (("left", ("left", "right")), ("top", ("top", "bottom"))):
            centers = centers.assign(**{middle: centers[list(ends)].mean(axis=1)})
        for color, width in (("black", 4), ("white", 1.8)):
            diamond = alt.Chart(centers).mark_point(
                shape="diamond", filled=False, stroke=color, strokeWidth=width, size=side**2 / 5, opacity=1
            )
            layers.append(diamond.encode(*edges, tooltip=[*PLACE, VALUE]))
    if marks.chosen:
        row, column = marks.chosen
        cell = cells[(cells["row"] == row + 1) & (cells["column"] == column + 1)]
        for color, width in (("black", 5), ("white", 2)):
            frame = alt.Chart(cell).mark_rect(filled=False, stroke=color, strokeWidth=width)
            corners = *edges, alt.X2("right"), alt.Y2("bottom")
            layers.append(frame.encode(*corners, tooltip=[*PLACE, VALUE]))
    return layers


def map_cells(grid: NDArray, limit: float, opacity: float) -> pd.DataFrame:
    """Returns one row per patch: its edges, its value in thousandths, its opacity. Row 1 is the top."""
    rows, columns = grid.shape
    row, column = np.indices(grid.shape).reshape(2, -1)
    return pd.DataFrame(
        {
            "row": row + 1,
            "column": column + 1,
            "value": 1000 * grid.ravel(),
            "opacity": opacity * images.strength(grid, limit, opacity).ravel(),
            "left": column / columns,
            "right": (column + 1) / columns,
            "top": row / rows,
            "bottom": (row + 1) / rows,
        }
    )


def signed_bars(frame: pd.DataFrame, ends: tuple[float, float] | None = None) -> alt.Chart:
    """Signed parts and their sums, in row order: columns part, value (thousandths), total (sum or not).

    `ends` of the axis let several charts be compared.
    """
    scale = alt.Scale(domain=list(ends), nice=True) if ends else alt.Undefined
    signs = np.where(frame["total"], "total", np.where(frame["value"] >= 0, "adds", "subtracts"))
    colors = alt.Scale(domain=["adds", "subtracts", "total"], range=[theme.ORANGE, theme.PURPLE, theme.GRAY])
    return (
        alt.Chart(frame[["part", "value"]].assign(sign=signs))
        .mark_bar(height=alt.RelativeBandSize(0.7))
        .encode(
            x=alt.X("value:Q", title=theme.UNIT, axis=alt.Axis(tickCount=8), scale=scale),
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
