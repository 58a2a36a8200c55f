"""Charts of two models side by side: DataFrame in, Altair chart out. No Streamlit, no bundles."""

import altair as alt
import pandas as pd

from dashboard.charts import theme
from dashboard.images import shades

KINDS = {True: "surely differ", False: "may be equal"}
"""What is said of the two heads of a pair."""

ROW = 30
"""Height of a metric, pixels."""

SIDE = 380
"""Height of the plot of pairs, pixels."""


def difference_dots(frame: pd.DataFrame, *, title: str) -> theme.Layers:
    """Differences of metrics with their intervals, beside a line at 0.

    Columns title, value, other_value, difference, low, high, in row order.
    """
    y = alt.Y("title:N", sort=theme.in_order(frame["title"]), title=None, axis=theme.ROWS)
    titles = {"value": "this model", "other_value": "the other", "difference": "difference", **theme.ENDS}
    tooltip = [alt.Tooltip("title:N", title="metric"), *theme.numbers(".3f", **titles)]

    def along(name: str) -> alt.Chart:
        x = alt.X(f"{name}:Q", **theme.axis_title(title))
        return alt.Chart(frame.dropna(subset=[name])).encode(x, y, tooltip=tooltip)

    zero = alt.Chart(pd.DataFrame({"difference": [0.0]})).mark_rule(color=alt.expr(theme.PAGE_TEXT))
    return alt.layer(
        zero.encode(alt.X("difference:Q")),
        along("low").mark_rule(strokeWidth=2, color=theme.BLUE).encode(alt.X2("high")),
        along("difference").mark_point(filled=True, size=95, opacity=1, color=theme.BLUE),
    ).properties(height=ROW * len(frame) + 60)


def pair_scatter(frame: pd.DataFrame, *, unit: str, names: tuple[str, str]) -> theme.Layers:
    """A metric of both heads of every pair; equal ones lie on the diagonal.

    Columns name, shown, other_name, other_shown, value, other_value, difference, low, high, sure.
    """
    low = float(frame[["value", "other_value"]].min(axis=None))
    high = float(frame[["value", "other_value"]].max(axis=None))
    scale = alt.Scale(domain=[min(low, 0.0), high if high > low else low + 1], nice=True)
    color, shape = theme.color_and_shape(
        "kind:N", list(KINDS.values()), [theme.ORANGE, theme.BLUE], ["diamond", "circle"]
    )
    words = {"name": "head", "shown": "label", "other_name": "other head", "other_shown": "its label"}
    tooltip = [alt.Tooltip(f"{name}:N", title=title) for name, title in words.items()]
    titles = {"value": "this head", "other_value": "the other", "difference": "difference", **theme.ENDS}
    columns = [*words, *titles]
    points = alt.Chart(frame[columns].assign(kind=frame["sure"].map(KINDS)))
    x, y = (
        channel(f"{field}:Q", scale=scale, **theme.axis_title(f"{name} ({unit})"))
        for channel, field, name in zip((alt.X, alt.Y), ("value", "other_value"), names, strict=True)
    )
    ends = pd.DataFrame({"value": scale.domain, "other_value": scale.domain})
    diagonal = alt.Chart(ends).mark_line(color=theme.GRAY, strokeDash=[4, 3], strokeWidth=1)
    return alt.layer(
        diagonal.encode(alt.X("value:Q"), alt.Y("other_value:Q")),
        points.mark_point(filled=True, size=90, opacity=0.85).encode(
            x, y, color, shape, tooltip=tooltip + theme.numbers(".3g", **titles)
        ),
    ).properties(height=SIDE)


def attribute_counts(frame: pd.DataFrame) -> theme.Layers:
    """Number of pairs in which this head, or its partner, varies more with an attribute.

    Columns attribute, pairs, more, less, value, other_value, in row order. Bars to the right: this model's
    head; to the left: the other.
    """
    names = ["this model's head varies more", "the other varies more"]
    rows = [
        frame.assign(side=name, count=sign * frame[column], shown=frame[column])
        for name, sign, column in zip(names, (1, -1), ("more", "less"), strict=True)
    ]
    bars = pd.concat(rows, ignore_index=True).query("shown > 0")
    most = max(1, int(frame[["more", "less"]].max(axis=None)))
    color = alt.Color(
        "side:N", scale=alt.Scale(domain=names, range=[theme.BLUE, theme.ORANGE]), legend=theme.LEGEND
    )
    title = "number of pairs whose 95 % intervals of selectivity do not overlap"
    axis = alt.Axis(title=title, tickMinStep=1, format="d", labelExpr="abs(datum.value)")
    x = alt.X(
        "count:Q", title=theme.code_title(title), scale=alt.Scale(domain=[-most, most], nice=False), axis=axis
    )
    y = alt.Y("attribute:N", sort=theme.in_order(frame["attribute"]), title=None, axis=theme.ROWS)
    tooltip = [alt.Tooltip("attribute:N"), alt.Tooltip("side:N", title="which")]
    tooltip += theme.numbers("d", shown="in pairs", pairs="of pairs")
    tooltip += theme.numbers(".3f", value="mean of this model", other_value="mean of the other")
    zero = alt.Chart(pd.DataFrame({"count": [0]})).mark_rule(color=alt.expr(theme.PAGE_TEXT))
    return alt.layer(
        alt.Chart(bars).mark_bar().encode(x, y, color, tooltip=tooltip), zero.encode(alt.X("count:Q"))
    ).properties(height=22 * frame["attribute"].nunique() + 120)


def transitions(frame: pd.DataFrame, *, names: tuple[str, str]) -> theme.Layers:
    """Number of pairs by the labels of both heads: columns label, other_label, pairs, in row order.

    Pairs with the same label are on cells with a frame.
    """
    labels = sorted({*frame["label"], *frame["other_label"]})
    top = int(frame["pairs"].max())
    ink = theme.ink_on(shades(frame["pairs"].to_numpy(float) / top, (theme.PALE, theme.DARK)))
    shown = frame.assign(ink=ink, same=frame["label"].eq(frame["other_label"]))
    axis = alt.Axis(labelLimit=160, labelOverlap=False, title=names[0])
    top_axis = alt.Axis(labelLimit=160, labelOverlap=False, labelAngle=-40, orient="top", title=names[1])
    cells = alt.Chart(shown).encode(
        alt.X("other_label:N", sort=labels, title=theme.code_title(names[1]), axis=top_axis),
        alt.Y("label:N", sort=labels, title=theme.code_title(names[0]), axis=axis),
        tooltip=[
            alt.Tooltip("label:N"),
            alt.Tooltip("other_label:N", title="its label"),
            alt.Tooltip("pairs:Q"),
        ],
    )
    scale = alt.Scale(domain=[0, top], range=[theme.PALE, theme.DARK], interpolate="rgb")
    frame_width = alt.condition("datum.same", alt.value(2), alt.value(0))
    grid = alt.layer(
        cells.mark_rect(stroke=theme.ORANGE).encode(
            alt.Color("pairs:Q", scale=scale, legend=None), strokeWidth=frame_width
        ),
        cells.mark_text(fontSize=12).encode(alt.Text("pairs:Q"), alt.Color("ink:N", scale=None)),
    )
    # Words and cells have different colors; with one scale Vega draws nothing.
    return grid.resolve_scale(color="independent").properties(height=26 * frame["label"].nunique() + 110)
