"""Charts of validation scores and of mean-ablation: DataFrame in, Altair chart out. No Streamlit.

Every mark that has a color has a shape or a word of its own too. Shares come in as they are stored and are
drawn in per cent.
"""

from collections.abc import Sequence

import altair as alt
import pandas as pd

from dashboard.charts.maps import cell_words
from dashboard.charts.theme import BLUE, CELL_WIDTH, GRAY, INK, ORANGE, Layers

BEFORE, AFTER, CONTROL = "all heads in place", "without these heads", "without random heads"
ACCURACY = "zero-shot accuracy (%)"
LOSS = "accuracy lost (points)"

PER_CENT = alt.Scale(domain=[0, 100])
AROUND = 130
"""Height of what stands over and under the rows: legend, axis and its title, in pixels."""

# Without `labelOverlap` Vega leaves out every other name where rows are close.
ROWS = alt.Axis(labelLimit=260, labelOverlap=False, grid=True)
LINES = [BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7b5aa6", "#444444"]
SHAPES = ["circle", "square", "diamond", "cross", "triangle-up", "triangle-down", "triangle-left", "stroke"]
TWINS = {"model": "model", "control": "its random-weights control"}
VERDICTS = {
    "right": ("#7fb8d8", "✓"),
    "wrong": ("#eaae7f", "✗"),
    "unsupported": ("#e2e2e2", "?"),
    "no effect": ("#f4f4f4", "–"),
    "no word": ("#f4f4f4", "–"),
}
"""Color of a cell and the mark in it; dark words stand on all of them."""


def dumbbells(frame: pd.DataFrame, *, control: bool) -> Layers:
    """Accuracy of every class before and after: columns class, images, before, after, control, lost, gained.

    In the order given, in per cent; `control` draws the random heads too.
    """
    frame = frame.assign(name=[f"{row[0]} ({row[1]:,})" for row in frame[["class", "images"]].to_numpy()])
    kinds = {BEFORE: ("before", BLUE, "circle"), AFTER: ("after", ORANGE, "diamond")}
    if control:
        kinds[CONTROL] = ("control", GRAY, "cross")
    points = pd.concat([frame.assign(kind=kind, accuracy=frame[kinds[kind][0]]) for kind in kinds])
    below = points["kind"] == CONTROL
    y = alt.Y("name:N", sort=None, title=None, axis=ROWS)
    legend = alt.Legend(title=None, orient="top", symbolSize=130)
    colors = alt.Scale(domain=list(kinds), range=[color for _, color, _ in kinds.values()])
    shapes = alt.Scale(domain=list(kinds), range=[shape for _, _, shape in kinds.values()])
    seen = [alt.Tooltip("class:N"), alt.Tooltip("kind:N", title="heads")]
    seen += [alt.Tooltip("accuracy:Q", title=ACCURACY, format=".1f")]
    seen += [alt.Tooltip(f"{name}:Q", title=f"images {name}") for name in ("lost", "gained")]
    x = alt.X("accuracy:Q", title=ACCURACY, scale=PER_CENT, axis=alt.Axis(tickCount=10))
    marked = (
        alt.Color("kind:N", scale=colors, legend=legend),
        alt.Shape("kind:N", scale=shapes, legend=legend),
    )
    lines = alt.Chart(frame).mark_rule(strokeWidth=2, color=GRAY)
    # The control stands a little under its line, where it hides nothing.
    beside = alt.Chart(points[below]).mark_point(filled=True, opacity=1, size=45, yOffset=9)
    pair = alt.Chart(points[~below]).mark_point(filled=True, opacity=1, size=130)
    return alt.layer(
        lines.encode(alt.X("before:Q", scale=PER_CENT), alt.X2("after"), y),
        beside.encode(x, y, *marked, tooltip=seen),
        pair.encode(x, y, *marked, tooltip=seen),
    ).properties(height=30 * len(frame) + AROUND)


def verdict_grid(frame: pd.DataFrame) -> Layers:
    """Layer by head: is the label what the head acts on? Columns as of `validation_effects.head_verdicts`."""
    mark = frame["verdict"].map(lambda verdict: VERDICTS[verdict][1])
    label = frame["label"].fillna("no label")
    shown = frame.assign(
        tint=frame["verdict"].map(lambda verdict: VERDICTS[verdict][0]),
        said=mark + " " + label,
        acts="→ " + frame["acts_on"].fillna("nothing"),
    )
    gap = alt.Scale(paddingInner=0.05)
    seen = [alt.Tooltip(f"{name}:N") for name in ("name", "label", "acts_on", "verdict", "varies_with")]
    seen += [
        alt.Tooltip(f"{name}:Q", format=".3g") for name in ("fall", "lead", "direct_fall", "selectivity")
    ]
    cells = alt.Chart(shown).encode(
        x=alt.X("head:O", axis=alt.Axis(labelAngle=0, orient="top"), scale=gap),
        y=alt.Y("layer:O", sort="descending", scale=gap),
        tooltip=seen,
    )
    upper = cells.mark_text(dy=-8, fontSize=cell_words(1), color=INK, limit=CELL_WIDTH)
    lower = cells.mark_text(dy=9, fontSize=cell_words(-1), color=INK, limit=CELL_WIDTH)
    return alt.layer(
        cells.mark_rect(cornerRadius=3).encode(alt.Color("tint:N", scale=None)),
        upper.encode(alt.Text("said:N")),
        lower.encode(alt.Text("acts:N")),
    ).properties(height=48 * frame["layer"].nunique() + 80)


def score_dots(frame: pd.DataFrame, *, title: str, share: bool = False) -> Layers:
    """One measure of several things, a model above its control.

    Columns subject, kind, value, low, high, chance. `kind` is model or control;
    controls are gray crosses. A `share` is in per cent.
    """
    scale = PER_CENT if share else alt.Scale(zero=True, nice=True)
    frame = frame.assign(mark=frame["kind"].map(TWINS))
    names = list(TWINS.values())
    legend = alt.Legend(title=None, orient="top", labelLimit=400, symbolSize=110)
    color = alt.Color("mark:N", scale=alt.Scale(domain=names, range=[BLUE, GRAY]), legend=legend)
    shape = alt.Shape("mark:N", scale=alt.Scale(domain=names, range=["circle", "cross"]), legend=legend)
    # In the order given: without the list, Vega begins with the rows of its first layer.
    y = alt.Y("subject:N", sort=list(dict.fromkeys(frame["subject"])), title=None, axis=ROWS)
    offset = alt.YOffset("mark:N", sort=names)
    seen = [alt.Tooltip("subject:N"), alt.Tooltip("mark:N", title="model")]
    seen += [alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high", "chance")]

    def along(name: str) -> alt.Chart:
        x = alt.X(f"{name}:Q", title=title, axis=alt.Axis(tickCount=8), scale=scale)
        return alt.Chart(frame.dropna(subset=[name])).encode(x, y, offset, tooltip=seen)

    return alt.layer(
        along("low").mark_rule(strokeWidth=2).encode(alt.X2("high"), color),
        along("chance").mark_tick(color="#444444", thickness=1.5, size=14),
        along("value").mark_point(filled=True, size=90, opacity=1).encode(color, shape),
    ).properties(height=40 * frame["subject"].nunique() + AROUND)


def heat(frame: pd.DataFrame, *, rows: str, value: str, title: str, top: float = 100) -> Layers:
    """A table in color: one row per `rows` and one column per attribute, in the order given, times 100.

    The number stands in every cell; what is below zero is as pale as zero.
    """
    numbers = [name for name in ("value", "low", "high", "chance") if name in frame]
    shown = frame.dropna(subset=[value])[[rows, "attribute", *numbers]].assign(percent=100 * frame[value])
    y = alt.Y(f"{rows}:N", sort=None, title=None, axis=alt.Axis(labelLimit=260, labelOverlap=False))
    top_axis = alt.Axis(labelAngle=-30, labelOverlap=False, orient="top")
    x = alt.X("attribute:N", sort=None, title=None, axis=top_axis)
    seen = [alt.Tooltip(f"{rows}:N"), alt.Tooltip("attribute:N")]
    seen += [alt.Tooltip(f"{name}:Q", format=".3f") for name in numbers]
    cells = alt.Chart(shown).encode(x, y, tooltip=seen)
    scale = alt.Scale(domain=[0, top], range=["#f3f6f8", "#08519c"], interpolate="rgb", clamp=True)
    white = alt.condition(alt.datum.percent > 0.55 * top, alt.value("white"), alt.value(INK))
    return alt.layer(
        cells.mark_rect(cornerRadius=2).encode(alt.Color("percent:Q", scale=scale, legend=None)),
        cells.mark_text(fontSize=12).encode(alt.Text("percent:Q", format=".0f"), color=white),
    ).properties(height=26 * frame[rows].nunique() + 110, title=alt.Title(title, fontSize=13, anchor="start"))


def property_costs(frame: pd.DataFrame) -> Layers:
    """Accuracy lost by mean-ablating each property's heads: columns row, attribute, points, kind, low, high.

    `row` names property and effect; `kind` is own (the attribute of that name) or other; low and high are
    what random sets cost the own one.
    """
    marks = ["its own attribute", "other attributes", "its own, random heads"]
    colors = alt.Scale(domain=marks, range=[ORANGE, BLUE, "#c4c4c4"])
    shapes = alt.Scale(domain=marks, range=["diamond", "circle", "square"])
    legend = alt.Legend(title=None, orient="top", symbolSize=110)
    y = alt.Y("row:N", sort=list(dict.fromkeys(frame["row"])), title=None, axis=ROWS)
    frame = frame.assign(mark=frame["kind"].map({"own": marks[0], "other": marks[1]}))
    bands = frame.dropna(subset=["low", "high"])[["row", "low", "high"]].assign(mark=marks[2])
    seen = [alt.Tooltip("row:N", title="without"), alt.Tooltip("attribute:N")]
    seen += [alt.Tooltip("points:Q", title=LOSS, format=".1f")]
    color = alt.Color("mark:N", scale=colors, legend=legend)
    shape = alt.Shape("mark:N", scale=shapes, legend=legend)
    ranges = alt.Chart(bands).mark_bar(height=16)
    points = alt.Chart(frame[["row", "attribute", "points", "mark"]]).mark_point(
        filled=True, size=110, opacity=0.9
    )
    return alt.layer(
        ranges.encode(alt.X("low:Q", title=LOSS), alt.X2("high"), y, color),
        points.encode(alt.X("points:Q", title=LOSS), y, color, shape, tooltip=seen),
    ).properties(height=28 * frame["row"].nunique() + AROUND)


def curves(frame: pd.DataFrame, steps: Sequence[str], *, title: str) -> Layers:
    """Accuracy over the number of texts that replace every head: columns step, attribute, value.

    `steps` are the places along the axis; the last is the model as it is.
    """
    names = list(dict.fromkeys(frame["attribute"]))
    color = alt.Color("attribute:N", scale=alt.Scale(domain=names, range=LINES[: len(names)]), title=None)
    shape = alt.Shape("attribute:N", scale=alt.Scale(domain=names, range=SHAPES[: len(names)]), title=None)
    x = alt.X("step:O", sort=list(steps), title="texts kept of every head", axis=alt.Axis(labelAngle=0))
    y = alt.Y("percent:Q", title=ACCURACY, scale=PER_CENT)
    seen = [alt.Tooltip("attribute:N"), alt.Tooltip("step:O"), alt.Tooltip("percent:Q", format=".1f")]
    base = alt.Chart(frame.assign(percent=100 * frame["value"])).encode(x, y, color, tooltip=seen)
    return alt.layer(base.mark_line(), base.mark_point(filled=True, size=70).encode(shape)).properties(
        height=320, title=alt.Title(title, fontSize=13, anchor="start")
    )
