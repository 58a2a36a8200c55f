"""Histogram of the images along a text: DataFrame in, Altair chart out. Knows no Streamlit and no bundles.

Groups are told apart by color and lightness, in the order of the legend; one picture is marked by a line.
"""

import altair as alt
import pandas as pd

from dashboard.charts.theme import BLUE, GRAY, ORANGE, PAGE_TEXT, Layers, numbers

HIGH, LOW = [ORANGE, "#f2c185"], ["#86bfe0", BLUE]
"""Colors of the groups with the highest and with the lowest means, from the highest down."""

TITLE = "standard deviations along the text (0: average)"


def colors_of(groups: list[str], others: str) -> list[str]:
    """Returns the color of each group; `others` is gray."""
    named = [group for group in groups if group != others]
    high = -(-len(named) // 2)
    shades = HIGH[:high] + LOW[len(LOW) - (len(named) - high) :]
    return [GRAY if group == others else shades[named.index(group)] for group in groups]


def histogram(
    bars: pd.DataFrame, groups: list[str], *, others: str, mark: float | None = None, height: int = 320
) -> Layers:
    """Number of images by position, stacked by group: columns group, begin, end, bottom, top, images.

    Without named groups the bars are blue. `mark` is the position of one picture.
    """
    one = groups == [others]
    scale = alt.Scale(domain=groups, range=[BLUE] if one else colors_of(groups, others))
    legend = None if one else alt.Legend(title=None, orient="top", labelLimit=200)
    tooltip = [alt.Tooltip("group:N")] * (not one) + [
        *numbers(",", "images"),
        *numbers("+.2f", begin="from (s.d.)", end="to (s.d.)"),
    ]
    shown = (
        alt.Chart(bars)
        .mark_rect()
        .encode(
            alt.X("begin:Q", title=TITLE, axis=alt.Axis(tickCount=10, grid=False)),
            alt.X2("end"),
            alt.Y("bottom:Q", title="images", axis=alt.Axis(tickCount=5, tickMinStep=1, format=",d")),
            alt.Y2("top"),
            alt.Color("group:N", scale=scale, legend=legend, sort=groups),
            tooltip=tooltip,
        )
    )
    layers = [shown]
    if mark is not None:
        top = int(bars["top"].max())
        at = alt.Chart(
            pd.DataFrame({"begin": [mark], "bottom": [0], "top": [top], "words": ["this picture"]})
        )
        ink = alt.expr(PAGE_TEXT)
        end = mark > bars["begin"].quantile(0.6)
        layers += [
            at.mark_rule(color=ink, strokeWidth=2).encode(alt.X("begin:Q"), alt.Y("bottom:Q"), alt.Y2("top")),
            at.mark_text(
                color=ink, align="right" if end else "left", dx=-5 if end else 5, baseline="top"
            ).encode(alt.X("begin:Q"), alt.Y("top:Q"), alt.Text("words:N")),
        ]
    return alt.layer(*layers).properties(height=height)
