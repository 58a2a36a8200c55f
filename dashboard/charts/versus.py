"""Charts of two sides of a comparison on one scale. DataFrame in, Altair chart out."""

import altair as alt
import pandas as pd

from dashboard.charts import theme

HEIGHT = 300


def scores_by_rank(frame: pd.DataFrame, *, unit: str) -> theme.Layers:
    """Scores of the images of both sides by rank: columns side, rank, score, image."""
    names = theme.in_order(frame["side"])
    color, shape = theme.color_and_shape("side:N", names, [theme.BLUE, theme.ORANGE], ["circle", "diamond"])
    tooltip = [
        alt.Tooltip("side:N"),
        alt.Tooltip("image:N", title="file"),
        *theme.numbers("d", "rank"),
        *theme.numbers(".4g", "score"),
    ]
    last = int(frame["rank"].max())
    across = alt.Axis(title="rank", tickMinStep=1, tickCount=min(last, 12), format="d")
    x = alt.X("rank:Q", axis=across, scale=alt.Scale(domain=[1, max(last, 2)], nice=False))
    y = alt.Y("score:Q", scale=alt.Scale(zero=False), **theme.axis_title(unit))
    chart = alt.Chart(frame).encode(x, y, color, tooltip=tooltip)
    return alt.layer(
        chart.mark_line(strokeWidth=1.5), chart.mark_point(filled=True, size=60, opacity=1).encode(shape)
    ).properties(height=HEIGHT)
