"""Chart of heads of several models along one measure: DataFrame in, Altair chart out. No Streamlit."""

import altair as alt
import numpy as np
import pandas as pd

from dashboard.charts import theme

CLICK = "read"
"""Name of the selection of a clicked head."""

BEYOND, BY_CHANCE, PLAIN = "more than chance", "not more than chance", "head"


def model_strips(frame: pd.DataFrame, *, value: str, title: str, beyond: float) -> theme.Layers:
    """A row of dots per model, a dot per head; the best head of every model is named.

    A head with a p of at most `beyond` has a mark of its own.

    Columns model_key, model, layer, head, name, label, `value`, and p where chance is known.
    """
    order = theme.in_order(frame["model"])
    kinds = np.where(frame["p"] <= beyond, BEYOND, BY_CHANCE) if "p" in frame else PLAIN
    fields = ["model_key", "model", "layer", "head", "name", "label"]
    shown = frame[fields].assign(value=frame[value], kind=kinds)
    y = alt.Y("model:N", sort=order, title=None, axis=alt.Axis(labelLimit=190, labelOverlap=False))
    x = alt.X("value:Q", scale=alt.Scale(zero=True, nice=True), **theme.axis_title(title))
    colors, shapes = [theme.BLUE, theme.GRAY], ["circle", "cross"]
    legend, names = (theme.LEGEND, [BEYOND, BY_CHANCE]) if "p" in frame else (None, [PLAIN])
    marks = theme.color_and_shape("kind:N", names, colors[: len(names)], shapes[: len(names)], legend)
    tooltip = [alt.Tooltip("model:N"), alt.Tooltip("name:N", title="head"), alt.Tooltip("label:N")]
    tooltip += theme.numbers(".3g", value=title)
    dots = alt.Chart(shown).mark_point(filled=True, size=60, opacity=0.85, cursor="pointer")
    best = shown.sort_values("value", ascending=False, kind="stable").drop_duplicates("model")
    ink, name = alt.expr(theme.PAGE_TEXT), alt.expr("datum.name + ' · ' + datum.label")
    words = alt.Chart(best).mark_text(dy=-12, align="right", color=ink, text=name)
    selection = alt.selection_point(name=CLICK, fields=["model_key", "layer", "head"], empty=False)
    return alt.layer(
        dots.encode(x, y, *marks, tooltip=tooltip).add_params(selection), words.encode(x, y)
    ).properties(height=40 * len(order) + 90)
