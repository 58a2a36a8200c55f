"""Charts of any table: bars, lines or points of columns that a person chose. DataFrame in, chart out."""

from typing import Any

import altair as alt
import pandas as pd

from dashboard.charts.theme import AROUND, BLUE, LEGEND, ROWS, SHAPES, Layers, code_title

MAX_MARKS = 2000
"""Number of rows that a chart shows: the first ones."""

MAX_BARS = 60
"""Number of names at the side of bars."""

HEIGHT = 420


def plotted_rows(rows: pd.DataFrame, kind: str, x: str) -> pd.DataFrame:
    """Returns the rows that a chart shows, from the first on."""
    if kind == "bars":
        names = rows[x].astype(str)
        rows = rows[names.isin(names.drop_duplicates()[:MAX_BARS])]
    return rows.head(MAX_MARKS)


def plot(rows: pd.DataFrame, kind: str, x: str, y: str, color: str = "") -> alt.Chart | Layers:
    """Returns a chart of the columns `x` and `y`, and of `color` if it is not empty.

    Bars are horizontal: `x` names them, and their length is the sum of `y`. Lines and points have `x` on the
    horizontal axis.
    """
    columns = {"x": rows[x], "y": rows[y], "color": rows[color] if color else ""}
    frame = pd.DataFrame(columns).reset_index(drop=True)
    tooltip = [
        alt.Tooltip(f"{name}:{scale_type(frame[name])}", title=code_title(title))
        for name, title in {"x": x, "y": y, "color": color}.items()
        if title
    ]
    chart = alt.Chart(frame).encode(tooltip=tooltip, **(color_channels(frame["color"], kind, color)))
    if kind == "bars":
        names = frame["x"].astype(str).drop_duplicates()
        return (
            chart.transform_calculate(name="toString(datum.x)")
            .mark_bar(**plain_color(color))
            .encode(
                alt.X("y:Q", title=code_title(y), axis=alt.Axis(title=y, tickCount=8)),
                alt.Y("name:N", sort=list(names), title=None, axis=ROWS),
            )
            .properties(height=19 * len(names) + AROUND)
        )
    marks: dict[str, Any] = {"lines": chart.mark_line, "points": chart.mark_point}
    options = {"point": True} if kind == "lines" else {"size": 60, "filled": True}
    return marks[kind](**options, **plain_color(color)).encode(channel("x", frame, x), channel("y", frame, y))


def channel(name: str, frame: pd.DataFrame, title: str) -> alt.X | alt.Y:
    """Returns an axis with the title of its column; numbers need not begin at zero."""
    kind = scale_type(frame[name])
    options: dict[str, Any] = {"title": code_title(title), "axis": alt.Axis(title=title, labelLimit=200)}
    options |= (
        {"scale": alt.Scale(zero=False)} if kind == "Q" else {"sort": list(frame[name].drop_duplicates())}
    )
    return (alt.X if name == "x" else alt.Y)(f"{name}:{kind}", **options)


def color_channels(values: pd.Series, kind: str, title: str) -> dict[str, Any]:
    """Returns the channels of a column: a scale of numbers, or the colors and shapes of a few names."""
    if not title:
        return {}
    if scale_type(values) == "Q":
        scale = alt.Scale(scheme="blues" if kind != "bars" else "viridis")
        return {"color": alt.Color("color:Q", title=code_title(title), scale=scale)}
    channels: dict[str, Any] = {"color": alt.Color("color:N", title=code_title(title), legend=LEGEND)}
    if kind == "points" and values.nunique() <= len(SHAPES):
        shape = alt.Scale(range=SHAPES)
        channels["shape"] = alt.Shape("color:N", title=code_title(title), scale=shape, legend=LEGEND)
    return channels


def plain_color(color: str) -> dict[str, Any]:
    return {} if color else {"color": BLUE}


def scale_type(values: pd.Series) -> str:
    """Returns Q for numbers, N for all else."""
    is_number = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return "Q" if is_number else "N"
