"""DataFrame in, Vega-Lite out. Knows nothing of Streamlit or of bundles.

Written out, for Altair takes a tenth of a second a chart to say the same; the tests hold every chart
against its schema.

Contributions are drawn in thousandths of cosine similarity: one head of sixty adds a few of them.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.pictures import DIVERGING

UNIT = "contribution to cosine similarity x 1000"
BLUE, ORANGE, PURPLE, GRAY = "#0072b2", "#e08214", "#7b5aa6", "#8c8c8c"
# Okabe and Ito: eight colors that stay apart without red-green vision.
# Mixed with white, for dark words stand on them.
LABEL_COLORS = ["#7fb8d8", "#f2cf7f", "#7fceb9", "#e5bcd3", "#aad9f4", "#eaae7f", "#f7f1a0", "#ccccaa"]

Panel = tuple[str, str, NDArray | None]
"""Picture (data URL), title, and a grid of contributions or none."""

PATCH_TOOLTIP = [
    {"field": "row", "type": "quantitative", "title": "patch row"},
    {"field": "column", "type": "quantitative", "title": "patch column"},
    {"field": "value", "type": "quantitative", "title": "x 1000", "format": "+.3f"},
]


def map_cells(grid: NDArray) -> pd.DataFrame:
    """One row per patch: its place and its value in thousandths. Row 0 is the top of the picture."""
    rows, columns = grid.shape
    return pd.DataFrame(
        {
            "row": [row for row in range(rows) for _ in range(columns)],
            "column": list(range(columns)) * rows,
            "value": 1000 * grid.ravel(),
            "right": list(range(1, columns + 1)) * rows,
            "bottom": [row + 1 for row in range(rows) for _ in range(columns)],
        }
    )


def map_panel(
    picture: str,
    grid: NDArray | None,
    title: str,
    *,
    limit: float,
    opacity: float,
    shape,
    width: int,
    legend: bool,
) -> dict:
    """A picture (data URL) with one map over it, as Vega-Lite; without a grid the picture alone."""
    rows, columns = shape
    height = round(width * rows / columns)
    x = {"type": "quantitative", "scale": {"domain": [0, columns], "nice": False}, "axis": None}
    y = {
        "type": "quantitative",
        "scale": {"domain": [rows, 0], "nice": False},
        "axis": None,
    }  # row 0 at the top
    below = {
        "data": {"values": [{"x": columns / 2, "y": rows / 2, "url": picture}]},
        "mark": {"type": "image", "width": width, "height": height, "aspect": False},
        "encoding": {
            "x": {"field": "x", **x},
            "y": {"field": "y", **y},
            "url": {"field": "url", "type": "nominal"},
        },
    }
    layers = [below]
    if grid is not None:
        places = {"x": {"field": "column", **x}, "y": {"field": "row", **y}, "x2": {"field": "right"}}
        layers.append(
            {
                "data": {"values": map_cells(grid).to_dict("records")},
                "mark": {"type": "rect", "opacity": opacity},
                "encoding": places
                | {"y2": {"field": "bottom"}, "color": map_color(limit, legend), "tooltip": PATCH_TOOLTIP},
            }
        )
    head = {"text": title, "anchor": "start", "fontSize": 13, "limit": width}
    return {"title": head, "width": width, "height": height, "layer": layers}


def map_color(limit: float, legend: bool) -> dict:
    """Zero in the middle, both ends alike, whatever the values are."""
    ends = [-1000 * limit, 1000 * limit]
    shown = {
        "title": UNIT,
        "orient": "bottom",
        "gradientLength": 320,
        "gradientOpacity": 1,
        "titleLimit": 400,
    }
    shown["labelExpr"] = "datum.value ? format(datum.value, '+.3~g') : '0'"
    shown["values"] = [ends[0], ends[0] / 2, 0, ends[1] / 2, ends[1]]
    return {
        "field": "value",
        "type": "quantitative",
        "scale": {"domain": ends, "range": list(DIVERGING), "interpolate": "rgb", "clamp": True},
        "legend": shown if legend else None,
    }


def maps(panels: list[Panel], *, limit: float, opacity: float, shape, width: int) -> dict:
    """Panels (picture, title, grid or None) side by side on one color scale."""
    first = next(place for place, (_, _, grid) in enumerate(panels) if grid is not None)
    drawn = [
        map_panel(
            url, grid, title, limit=limit, opacity=opacity, shape=shape, width=width, legend=place == first
        )
        for place, (url, title, grid) in enumerate(panels)
    ]
    return {"hconcat": drawn, "spacing": 18, "config": {"view": {"stroke": None}}}


def signed_bars(frame: pd.DataFrame) -> dict:
    """Signed parts that add up, in the order given: columns part, value (thousandths), total (a sum)."""
    signs = [
        "total" if total else "adds" if value >= 0 else "takes away"
        for value, total in zip(frame["value"], frame["total"], strict=True)
    ]
    color = {"domain": ["adds", "takes away", "total"], "range": [ORANGE, PURPLE, GRAY]}
    part, value = field("part", "nominal"), field("value", title="x 1000", format="+.3f")
    return {
        "data": {"values": records(frame.assign(sign=signs))},
        "mark": {"type": "bar", "height": {"band": 0.7}},
        "encoding": {
            "x": field("value", title=UNIT, axis={"tickCount": 8}),
            "y": part | {"sort": None, "title": None, "axis": {"labelLimit": 260}},
            "color": field("sign", "nominal", scale=color, legend=None),
            "tooltip": [part, value],
        },
        "height": 24 * len(frame) + 64,
    }


def dot_plot(frame: pd.DataFrame, *, title: str) -> dict:
    """One metric over models: columns model, value, low, high, chance, kind (model or control)."""
    numbers = frame[["value", "low", "high", "chance"]].to_numpy(float)
    share = np.nanmin(numbers) >= 0 and np.nanmax(numbers) <= 1  # the same scale for every share
    scale = {"domain": [0, 1]} if share else {"zero": True, "nice": True}
    y = field("model", "nominal", sort=None, title=None, axis={"labelLimit": 300})
    kinds = {"domain": ["model", "control"], "range": [BLUE, GRAY]}
    color = field("kind", "nominal", scale=kinds, legend={"title": None, "orient": "top"})
    seen = [field(name, "nominal") for name in ("model", "kind")]
    seen += [field(name, format=".3f") for name in ("value", "low", "high", "chance")]

    def x(name: str) -> dict:
        return field(name, title=title, scale=scale, axis={"tickCount": 8})

    def layer(needed: str, mark: dict, **encoding: dict) -> dict:
        rows = records(frame[frame[needed].notna()])
        return {"data": {"values": rows}, "mark": mark, "encoding": {"y": y, "tooltip": seen, **encoding}}

    return {
        "layer": [
            layer("low", {"type": "rule", "strokeWidth": 2}, x=x("low"), x2={"field": "high"}, color=color),
            layer("chance", {"type": "tick", "color": ORANGE, "thickness": 3, "size": 18}, x=x("chance")),
            layer(
                "value",
                {"type": "point", "filled": True, "size": 120, "opacity": 1},
                x=x("value"),
                color=color,
            ),
        ],
        "height": 36 * len(frame) + 110,
    }


def head_grid(frame: pd.DataFrame) -> dict:
    """Layer by head, each cell its label: columns layer, head, name, label, supported, first_text, q_value...

    The commonest labels have a color of their own, unsupported ones are gray; the label stands in the cell,
    so color is never the only sign. Cells are light in both themes, for their words are dark.
    """
    tints = dict(zip(frame["label"].value_counts().index, LABEL_COLORS, strict=False))
    weak = [value is False for value in frame["supported"]]
    labels = [label if isinstance(label, str) else "no label" for label in frame["label"]]
    shown = frame[
        ["layer", "head", "name", "label", "supported", "first_text", "q_value", "importance"]
    ].assign(
        tint=["#e9e9e9" if w else tints.get(label, "#d0d0d0") for label, w in zip(labels, weak, strict=True)],
        shown=[f"{label}?" if w else label for label, w in zip(labels, weak, strict=True)],
    )
    gap = {"paddingInner": 0.05}
    tooltip = [field(name, "nominal") for name in ("name", "label", "supported", "first_text")]
    tooltip += [field(name, format=".3g") for name in ("q_value", "importance")]
    return {
        "data": {"values": records(shown)},
        "encoding": {
            "x": field("head", "ordinal", axis={"labelAngle": 0, "orient": "top"}, scale=gap),
            "y": field("layer", "ordinal", sort="descending", scale=gap),
            "tooltip": tooltip,
        },
        "layer": [
            {
                "mark": {"type": "rect", "cornerRadius": 3},
                "encoding": {"color": field("tint", "nominal", scale=None)},
            },
            {
                "mark": {"type": "text", "fontSize": 12, "color": "#1c2530", "limit": 110},
                "encoding": {"text": field("shown", "nominal")},
            },
        ],
        "height": 36 * frame["layer"].nunique() + 60,
    }


def field(name: str, type: str = "quantitative", **more: Any) -> dict:
    """One channel of a chart: the column it shows, and how."""
    return {"field": name, "type": type, **more}


def records(frame: pd.DataFrame) -> list[dict]:
    """Rows as plain values; what is missing is null, which JSON knows and NaN is not."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")
