"""Controls of the pages Heads and Head."""

from typing import Any

import numpy as np
import streamlit as st

from dashboard.controls.shared import k_picker, redraw_button, segmented, select, text_picker
from dashboard.data import choices, label_text
from dashboard.data import heads as head_data
from dashboard.data import texts as text_data
from dashboard.data.types import Source
from dashboard.state.markdown import literal
from dashboard.state.url import init_text, init_widget
from dashboard.state.views import Head, HeadsView, HeadView, Labels, Range


def finder(source: Source, view: HeadsView) -> dict[str, Any]:
    """Returns the chosen filters of heads, by their names in the link."""
    left, middle, right = st.columns([3, 3, 4], vertical_alignment="bottom", gap="small")
    with left:
        labels = choices.labels(source)
        key = init_widget("labels", list(view.labels.names), labels, many=True)
        chosen = Labels(tuple(st.multiselect("Label", labels, key=key, placeholder="any label")))
    with middle:
        titles = {"all": "All", "supported": "Supported only"}
        help = (
            f"Supported: better than labels of {label_text.tested_against(source)} (q <= 0.05) and carried "
            "by two texts, or most draws of a language model agree, or a person gave the label."
        )
        over = segmented("over", "Show", titles, view.over, help)
    with right:
        words = st.text_input(
            "Text contains",
            key=init_text("words", view.words, one_spaced),
            placeholder="e.g. red cat",
            help="Finds heads with a text that has all of these words, or their plurals, in any order.",
        )
    filters = {"labels": chosen, "over": over, "words": words}
    return filters | metric_filter(source, view)


def one_spaced(text: str) -> str:
    """Returns words with one space between them."""
    return " ".join(text.split())


def metric_filter(source: Source, view: HeadsView) -> dict[str, Any]:
    """Returns a metric of heads and the range of values to show."""
    titles = choices.head_metric_titles(source)
    if not titles:
        return {"head_metric": "", "range": Range()}
    left, right = st.columns([3, 5], vertical_alignment="bottom", gap="medium")
    with left:
        metric = select("head_metric", "Metric", titles, view.head_metric)
    with right:
        start = view.range if metric == view.head_metric else Range()
        return {"head_metric": metric, "range": range_slider(source, metric, start)}


def range_slider(source: Source, metric: str, value: Range) -> Range:
    """Returns a range of one metric; the full range is no filter, so that heads without a value stay."""
    bounds = head_data.bounds(source, metric)
    info = head_data.measure(source, metric)
    if bounds is None:
        st.caption(f"{literal(info.title)} is the same for all heads of this model.")
        return Range()
    lowest, highest, step = bounds
    start = tuple(float(np.clip(end, lowest, highest)) for end in (value.low, value.high))
    chosen = st.slider(
        literal(f"{info.title} range ({info.unit})"),
        lowest,
        highest,
        # Other ends are another slider: the widget has no way to take them.
        key=init_widget(f"range.{source.key}.{metric}.{lowest:g}..{highest:g}", start),
        step=step,
        format="%g",
        help=literal(info.description),
    )
    low, high = (float(f"{end:.6g}") for end in np.array(chosen))  # the precision of the link
    return Range() if (low, high) == (lowest, highest) else Range(low, high)


def picture(source: Source, value: str) -> str:
    """Returns the image that is shown large, or an empty string; a tile of the page sets it."""
    key = init_widget("picture", value)
    if not choices.has_picture(source, st.session_state[key]):  # another model
        st.session_state[key] = ""
    return st.session_state[key]


def projection(source: Source, head: Head, view: HeadView) -> dict[str, Any]:
    """Returns text and attribute of the histogram, by their names in the link."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        onto = text_picker(source, "Along", view.onto, name="onto", head=head, empty="The text above")
        titles = choices.split_titles(source)
        split = select("split", "Split by", titles, view.split, width=260) if len(titles) > 2 else view.split
    return {"onto": "" if text_data.refusal(source, onto) else onto, "split": split}


def images_about(source: Source, head: Head, view: HeadView) -> dict[str, Any]:
    """Returns the chosen text, number of images and random draw, by their names in the link."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        titles = head_data.text_titles(source, head)
        position = select("position", "Sort images along", titles, view.position)
        k = k_picker(view.k, choices.max_of_each(source), "How many of each", width=200)
        drawn = redraw_button(view.seed, key="new_sample")
    return {"position": position, "k": k, "seed": drawn}
