"""Charts of maps and of signed parts: DataFrame in, Altair chart out. Knows nothing of Streamlit or bundles.

Contributions are in thousandths of cosine similarity: one head of sixty adds a few.
"""

import json

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.charts import theme
from dashboard.images import DIVERGING

Panel = tuple[str, str, NDArray | None]
"""Picture (data URL), title, and a grid of contributions or None."""

STRIDE = 1.08
"""Distance of two panels, in widths of a panel."""

# Channels are objects, not strings: Altair needs milliseconds to parse each string.
VALUE = alt.Tooltip("value:Q", title="x 1000", format="+.3f")


def maps(
    panels: list[Panel], *, limit: float, opacity: float, shape: tuple[int, int], width: int
) -> theme.Layers:
    """Panels side by side on one color scale.

    One chart, in which a panel is 1 wide and 1 high: all shrink if the page has less than `width` pixels
    each.
    """
    rows, columns = shape
    span = STRIDE * (len(panels) - 1) + 1
    # `width` in an expression is the width of the whole chart, which only the browser knows.
    across = f"min({width}, width / {span})"
    down = f"{rows / columns} * {across}"
    x_scale = alt.Scale(domain=[0, span], range=[0, alt.ExprRef(f"{span} * {across}")], round=True)
    y_scale = alt.Scale(domain=[0, 1], range=[0, alt.ExprRef(down)], round=True)  # 0 at the top
    x = alt.X("left:Q", scale=x_scale, axis=panel_titles([title for _, title, _ in panels], across))
    y = alt.Y("top:Q", scale=y_scale, axis=None)
    picture = alt.Chart(map_pictures(panels)).mark_image(
        align="left", baseline="top", aspect=False, width=alt.ExprRef(across), height=alt.ExprRef(down)
    )
    patches = alt.Chart(map_cells(panels)).mark_rect(opacity=opacity)
    tooltip = [alt.Tooltip("row:Q", title="patch row"), alt.Tooltip("column:Q", title="patch column"), VALUE]
    return alt.layer(
        picture.encode(x, y, alt.Url("url:N")),
        patches.encode(x, y, alt.X2("right"), alt.Y2("bottom"), map_color(limit, down), tooltip=tooltip),
    ).properties(height=round(width * rows / columns) + theme.AROUND)


def panel_titles(titles: list[str], width: str) -> alt.Axis:
    """Returns the panel titles as labels of an axis, which follow the page's theme, unlike text marks."""
    return alt.Axis(
        orient="top",
        values=[STRIDE * place for place in range(len(titles))],
        description="; ".join(titles),  # for screen readers
        labelExpr=f"{json.dumps(titles)}[round(datum.value / {STRIDE})]",
        labelAlign="left",
        labelLimit=alt.ExprRef(width),
        labelFlush=False,
        labelPadding=8,
        labelFontSize=13,
        labelFontWeight=600,
        **theme.BARE,
    )


def map_pictures(panels: list[Panel]) -> pd.DataFrame:
    """Returns one row per panel: the left edge of its picture."""
    lefts = [STRIDE * place for place in range(len(panels))]
    return pd.DataFrame({"left": lefts, "top": 0.0, "url": [url for url, _, _ in panels]})


def map_cells(panels: list[Panel]) -> pd.DataFrame:
    """Returns one row per patch of every map: its edges and its value in thousandths. Row 0 is the top."""
    cells = []
    for place, (_, _, grid) in enumerate(panels):
        if grid is None:
            continue
        rows, columns = grid.shape
        row, column = np.indices(grid.shape).reshape(2, -1)
        start = STRIDE * place
        edges = {"left": start + column / columns, "right": start + (column + 1) / columns}
        edges |= {"top": row / rows, "bottom": (row + 1) / rows}
        cells.append(pd.DataFrame({"row": row, "column": column, "value": 1000 * grid.ravel(), **edges}))
    return pd.concat(cells, ignore_index=True)


def map_color(limit: float, under: str) -> alt.Color:
    """Returns colors with zero in the middle and symmetric ends, and the scale below the maps."""
    end = 1000 * limit
    legend = alt.Legend(
        title=theme.UNIT,
        orient="none",
        direction="horizontal",
        legendX=0,
        legendY=alt.ExprRef(f"{under} + 14"),
        gradientLength=320,
        gradientOpacity=1,
        titleLimit=400,
        values=[-end, -end / 2, 0, end / 2, end],
        labelExpr="datum.value ? format(datum.value, '+.3~g') : '0'",
    )
    scale = alt.Scale(domain=[-end, end], range=list(DIVERGING), interpolate="rgb", clamp=True)
    return alt.Color("value:Q", scale=scale, legend=legend)


def signed_bars(frame: pd.DataFrame) -> alt.Chart:
    """Signed parts and their sums, in row order: columns part, value (thousandths), total (sum or not)."""
    signs = np.where(frame["total"], "total", np.where(frame["value"] >= 0, "adds", "subtracts"))
    colors = alt.Scale(domain=["adds", "subtracts", "total"], range=[theme.ORANGE, theme.PURPLE, theme.GRAY])
    return (
        alt.Chart(frame[["part", "value"]].assign(sign=signs))
        .mark_bar(height=alt.RelativeBandSize(0.7))
        .encode(
            x=alt.X("value:Q", title=theme.UNIT, axis=alt.Axis(tickCount=8)),
            y=alt.Y("part:N", sort=None, title=None, axis=alt.Axis(labelLimit=260)),
            color=alt.Color("sign:N", scale=colors, legend=None),
            tooltip=[alt.Tooltip("part:N"), VALUE],
        )
        .properties(height=24 * len(frame) + 64)
    )


def head_grid(frame: pd.DataFrame) -> theme.Layers:
    """Layer by head, each cell its label: columns layer, head, name, label, supported, first_text, q_value...

    The most frequent supported labels have a color, other labels are white, unsupported labels gray. Cells
    are light in both themes: their words are dark.
    """
    labels = frame["label"].fillna("no label")
    weak = [value is False for value in frame["supported"]]
    common = frame["label"].mask(weak).value_counts().index
    tints = dict(zip(common, theme.LABEL_COLORS, strict=False))
    shown = frame[
        ["layer", "head", "name", "label", "supported", "first_text", "q_value", "importance"]
    ].assign(
        tint=labels.map(tints).fillna("#ffffff").mask(weak, theme.WEAK), shown=labels.mask(weak, labels + "?")
    )
    words = [alt.Tooltip(f"{name}:N") for name in ("name", "label", "supported", "first_text")]
    cells = theme.head_cells(shown, [*words, *theme.numbers(".3g", "q_value", "importance")])
    return alt.layer(
        cells.mark_rect(cornerRadius=3, stroke=theme.EDGE).encode(alt.Color("tint:N", scale=None)),
        theme.cell_words(cells, "shown", color=theme.INK),
    ).properties(height=36 * frame["layer"].nunique() + 60)
