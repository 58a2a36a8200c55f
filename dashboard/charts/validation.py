"""Charts of validation scores and of mean-ablation: DataFrame in, Altair chart out. No Streamlit.

Every mark that has a color has a shape or a word of its own too. Shares come in as they are stored and are
drawn in per cent.
"""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from dashboard.charts import theme
from dashboard.images import shades

BEFORE, AFTER, CONTROL = "all heads in place", "without these heads", "without random heads"
ACCURACY = "zero-shot accuracy (%)"
LOSS = "accuracy lost (points)"
KEPT = "texts kept of every head"

PER_CENT = alt.Scale(domain=[0, 100])
AROUND = 165
"""Height of legend, axis and its title, pixels: on a phone the legend has three lines."""

# Without `labelOverlap` Vega omits every other name of close rows.
ROWS = alt.Axis(labelLimit=260, labelOverlap=False, grid=True)
LINES = [theme.BLUE, theme.ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7b5aa6", theme.GRAY]
KINDS = {"model": "model", "control": "its random-weights control"}
VERDICTS = {
    "right": ("#7fb8d8", "✓"),
    "wrong": ("#eaae7f", "✗"),
    "unsupported": ("#e2e2e2", "?"),
    "no effect": ("#f4f4f4", "–"),
    "no word": ("#f4f4f4", "–"),
}
"""Color of a cell, light enough for dark words, and its mark."""


def dumbbells(frame: pd.DataFrame, *, control: bool) -> theme.Layers:
    """Accuracy of every class before and after: columns class, images, before, after, control, lost, gained.

    In row order, in per cent; `control` draws the random heads too.
    """
    frame = frame.assign(name=[f"{row[0]} ({row[1]:,})" for row in frame[["class", "images"]].to_numpy()])
    kinds = {BEFORE: ("before", theme.BLUE, "circle"), AFTER: ("after", theme.ORANGE, "diamond")}
    if control:
        kinds[CONTROL] = ("control", theme.GRAY, "cross")
    points = pd.concat([frame.assign(kind=kind, accuracy=frame[kinds[kind][0]]) for kind in kinds])
    below = points["kind"] == CONTROL
    y = alt.Y("name:N", sort=theme.in_order(frame["name"]), title=None, axis=ROWS)
    tooltip = [alt.Tooltip("class:N"), alt.Tooltip("kind:N", title="heads")]
    tooltip += theme.numbers(".1f", accuracy=ACCURACY) + theme.numbers(
        "", lost="images lost", gained="images gained"
    )
    x = alt.X("accuracy:Q", title=ACCURACY, scale=PER_CENT, axis=alt.Axis(tickCount=10))
    _, colors, shapes = zip(*kinds.values(), strict=True)
    marks = theme.color_and_shape("kind:N", list(kinds), colors, shapes)
    lines = alt.Chart(frame).mark_rule(strokeWidth=2, color=theme.GRAY)
    # The control is a little below its line, where it hides nothing.
    beside = alt.Chart(points[below]).mark_point(filled=True, opacity=1, size=45, yOffset=9)
    pair = alt.Chart(points[~below]).mark_point(filled=True, opacity=1, size=130)
    return alt.layer(
        lines.encode(alt.X("before:Q", scale=PER_CENT), alt.X2("after"), y),
        beside.encode(x, y, *marks, tooltip=tooltip),
        pair.encode(x, y, *marks, tooltip=tooltip),
    ).properties(height=30 * len(frame) + AROUND)


def verdict_grid(frame: pd.DataFrame) -> theme.Layers:
    """Layer by head, the label over the attribute that the head acts on: columns of `head_verdicts`."""
    mark = frame["verdict"].map(lambda verdict: VERDICTS[verdict][1])
    label = frame["label"].fillna("no label")
    shown = frame.assign(
        tint=frame["verdict"].map(lambda verdict: VERDICTS[verdict][0]),
        title=mark + " " + label,
        acts="→ " + frame["acts_on"].fillna("nothing"),
        passes=True,
    )
    titles = {"name": "head", "label": "label", "acts_on": "acts on", "verdict": "verdict"}
    titles |= {"varies_with": "varies with"}
    words = [alt.Tooltip(f"{name}:N", title=title) for name, title in titles.items()]
    numbers = {"fall": "fall", "lead": "lead", "direct_fall": "direct fall", "selectivity": "selectivity"}
    cells = theme.head_cells(shown, words + theme.numbers(".3g", **numbers))
    return alt.layer(
        cells.mark_rect(cornerRadius=3).encode(alt.Color("tint:N", scale=None)),
        theme.cell_words(cells, "title", 1, color=theme.INK),
        theme.cell_words(cells, "acts", -1, color=theme.INK),
    ).properties(height=48 * frame["layer"].nunique() + 80)


def score_dots(frame: pd.DataFrame, *, title: str, share: bool = False) -> theme.Layers:
    """One measure of several subjects, a model above its control.

    Columns subject, kind (model or control), value, low, high, chance. A `share` is in per cent.
    """
    scale = PER_CENT if share else alt.Scale(zero=True, nice=True)
    frame = frame.assign(mark=frame["kind"].map(KINDS))
    names = list(KINDS.values())
    color, shape = theme.color_and_shape("mark:N", names, [theme.BLUE, theme.GRAY], ["circle", "cross"])
    # Row order: without the list, Vega begins with the rows of its first layer.
    y = alt.Y("subject:N", sort=theme.in_order(frame["subject"]), title=None, axis=ROWS)
    offset = alt.YOffset("mark:N", sort=names)
    tooltip = [alt.Tooltip("subject:N"), alt.Tooltip("mark:N", title="model")]
    tooltip += theme.numbers(".3f", value=title, **theme.ENDS, chance="chance")

    def along(name: str) -> alt.Chart:
        x = alt.X(f"{name}:Q", scale=scale, **theme.axis_title(title))
        return alt.Chart(frame.dropna(subset=[name])).encode(x, y, offset, tooltip=tooltip)

    return alt.layer(
        along("low").mark_rule(strokeWidth=2).encode(alt.X2("high"), color),
        along("chance").mark_tick(color=alt.expr(theme.PAGE_TEXT), thickness=1.5, size=14),
        along("value").mark_point(filled=True, size=90, opacity=1).encode(color, shape),
    ).properties(height=40 * frame["subject"].nunique() + AROUND)


def heat(
    frame: pd.DataFrame,
    *,
    rows: str,
    value: str,
    title: str,
    across: str = "attribute",
    axis: str | None = None,
) -> theme.Layers:
    """A table in color: one row per `rows` and one column per value of `across`, in row order, times 100.

    Every cell shows its number; negative numbers are as pale as zero.
    """
    columns = [name for name in ("value", "low", "high", "chance") if name in frame]
    shown = frame.dropna(subset=[value])[[rows, across, *columns]].assign(percent=100 * frame[value])
    shown["ink"] = theme.ink_on(shades(shown["percent"].to_numpy(float) / 100, (theme.PALE, theme.DARK)))
    y = alt.Y(
        f"{rows}:N",
        sort=theme.in_order(shown[rows]),
        title=None,
        axis=alt.Axis(labelLimit=260, labelOverlap=False),
    )
    top_axis = alt.Axis(labelAngle=0 if axis else -30, labelOverlap=False, orient="top")
    x = alt.X(f"{across}:N", sort=theme.in_order(shown[across]), title=axis, axis=top_axis)
    titles = {"value": title, **theme.ENDS, "chance": "chance"}
    tooltip = [alt.Tooltip(f"{rows}:N"), alt.Tooltip(f"{across}:N", title=axis or across)]
    tooltip += theme.numbers(".3f", **{name: titles[name] for name in columns})
    cells = alt.Chart(shown).encode(x, y, tooltip=tooltip)
    scale = alt.Scale(domain=[0, 100], range=[theme.PALE, theme.DARK], interpolate="rgb", clamp=True)
    grid = alt.layer(
        cells.mark_rect(cornerRadius=2).encode(alt.Color("percent:Q", scale=scale, legend=None)),
        cells.mark_text(fontSize=12).encode(
            alt.Text("percent:Q", format=".0f"), alt.Color("ink:N", scale=None)
        ),
    )
    # Words and cells have different colors; with one scale Vega draws nothing.
    grid = grid.resolve_scale(color="independent")
    above = alt.Title(title, fontSize=13, anchor="start")
    return grid.properties(height=26 * frame[rows].nunique() + 110, title=above)


def property_costs(frame: pd.DataFrame) -> theme.Layers:
    """Accuracy lost by mean-ablating each property's heads: columns row, attribute, points, kind, low, high.

    `row` names property and effect; `kind` is own (the attribute of that name) or other; low and high are the
    range of random sets for the own attribute.
    """
    marks = ["its own attribute", "other attributes", "its own, random heads"]
    y = alt.Y("row:N", sort=theme.in_order(frame["row"]), title=None, axis=ROWS)
    frame = frame.assign(mark=frame["kind"].map({"own": marks[0], "other": marks[1]}))
    bands = frame.dropna(subset=["low", "high"])[["row", "low", "high"]].assign(mark=marks[2])
    words = [alt.Tooltip("row:N", title="without"), alt.Tooltip("attribute:N")]
    tooltip = words + theme.numbers(".1f", points=LOSS)
    color, shape = theme.color_and_shape(
        "mark:N", marks, [theme.ORANGE, theme.BLUE, "#c4c4c4"], ["diamond", "circle", "square"]
    )
    ranges = alt.Chart(bands).mark_bar(height=16)
    data = frame[["row", "attribute", "points", "mark"]]
    points = alt.Chart(data).mark_point(filled=True, size=110, opacity=0.9)
    return alt.layer(
        ranges.encode(alt.X("low:Q", title=LOSS), alt.X2("high"), y, color),
        points.encode(alt.X("points:Q", title=LOSS), y, color, shape, tooltip=tooltip),
    ).properties(height=28 * frame["row"].nunique() + AROUND)


def kept_texts(frame: pd.DataFrame, steps: Sequence[str], *, title: str) -> theme.Layers:
    """Accuracy over the number of texts that replace every head: columns step, attribute, value.

    `steps` are the positions on the axis; the last is the unchanged model. More attributes than marks that
    differ are rows of a table.
    """
    if frame["attribute"].nunique() <= len(theme.SHAPES):
        return _curves(frame, steps, title=title)
    ordered = frame.assign(step=pd.Categorical(frame["step"], steps)).sort_values("step", kind="stable")
    ordered = ordered.astype({"step": str})
    title = f"{title}: {ACCURACY}"
    return heat(ordered, rows="attribute", value="value", title=title, across="step", axis=KEPT)


def _curves(frame: pd.DataFrame, steps: Sequence[str], *, title: str) -> theme.Layers:
    names = list(dict.fromkeys(frame["attribute"]))
    legend = alt.Legend(title=None)
    color, shape = theme.color_and_shape(
        "attribute:N", names, LINES[: len(names)], theme.SHAPES[: len(names)], legend
    )
    x = alt.X("step:O", sort=list(steps), title=KEPT, axis=alt.Axis(labelAngle=0))
    y = alt.Y("percent:Q", title=ACCURACY, scale=PER_CENT)
    tooltip = [alt.Tooltip("attribute:N"), alt.Tooltip("step:O"), *theme.numbers(".1f", percent=ACCURACY)]
    base = alt.Chart(frame.assign(percent=100 * frame["value"])).encode(x, y, color, tooltip=tooltip)
    return alt.layer(base.mark_line(), base.mark_point(filled=True, size=70).encode(shape)).properties(
        height=320, title=alt.Title(title, fontSize=13, anchor="start")
    )
