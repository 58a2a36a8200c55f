"""Controls of the pages Heads and Head."""

import numpy as np
import streamlit as st

from dashboard.controls.shared import OVER, redraw, segmented
from dashboard.data import choices
from dashboard.data import heads as head_data
from dashboard.data.types import Source
from dashboard.state.url import init_widget, set_widget
from dashboard.state.views import (
    Head,
    HeadsView,
    Labels,
    Range,
)


def color_picker(value: str, titles: dict[str, str]) -> str:
    key = init_widget("color", value, titles)
    return st.selectbox(
        "Color the heads by", list(titles), key=key, format_func=titles.__getitem__, width=420
    )


def finder(source: Source, view: HeadsView) -> dict:
    """Filters of heads; every choice is part of the link."""
    asked: dict = {}
    left, middle, right = st.columns([3, 3, 4], vertical_alignment="bottom", gap="small")
    with left:
        asked["labels"] = labels_picker(choices.labels(source), view.labels)
    with middle:
        asked["over"] = segmented(
            "over",
            "Labels",
            {name: title.replace(" heads", "") for name, title in OVER.items()},
            view.over,
            help="A supported label is beyond what rotated heads reach (q <= 0.05), or most draws of a "
            "language model agree on it, or a person gave it.",
        )
    with right:
        words = st.text_input(
            "Words in its texts",
            key=init_widget("words", view.words),
            placeholder="all in one text",
            help="Words that all stand in one of a head's texts, in any order.",
        )
    asked["words"] = " ".join(words.split())
    return asked | metric_filter(source, view)


def labels_picker(names: tuple[str, ...], value: Labels) -> Labels:
    key = init_widget("labels", [name for name in value.names if name in names])
    # The model may have changed since, and lack some of them.
    st.session_state[key] = [name for name in st.session_state[key] if name in names]
    return Labels(tuple(st.multiselect("Labeled", names, key=key, placeholder="any label")))


def metric_filter(source: Source, view: HeadsView) -> dict:
    """A metric of heads, and the values of it to show."""
    titles = choices.head_metric_titles(source)
    if not titles:
        return {"head_metric": "", "range": Range()}
    left, right = st.columns([3, 5], vertical_alignment="bottom", gap="medium")
    with left:
        key = init_widget("head_metric", view.head_metric, titles)
        metric = st.selectbox("Metric", list(titles), key=key, format_func=titles.__getitem__)
    with right:
        start = view.range if metric == view.head_metric else Range()
        return {"head_metric": metric, "range": range_slider(source, metric, start)}


def range_slider(source: Source, metric: str, value: Range) -> Range:
    """A range of one metric of this model's heads; all of it is no filter, so that heads without it stay."""
    bounds = head_data.bounds(source, metric)
    info = head_data.measure(source, metric)
    if bounds is None:
        st.caption(f"{info.title} is the same for all heads of this model.")
        return Range()
    start = tuple(float(np.clip(end, bounds.low, bounds.high)) for end in (value.low, value.high))
    chosen = st.slider(
        f"{info.title}, from and to ({info.unit})",
        bounds.low,
        bounds.high,
        key=init_widget(f"range.{source.key}.{metric}", start),
        step=bounds.step,
        format="%g",
        help=info.description,
    )
    low, high = (float(f"{end:.6g}") for end in np.array(chosen))  # as the link writes them
    return Range() if (low, high) == (bounds.low, bounds.high) else Range(low, high)


def head_stepper(source: Source, value: Head) -> Head:
    """Which head, with a step to either side of it."""
    titles = choices.head_names(source)
    heads = list(titles)
    key = init_widget("head", value, titles)
    place = heads.index(st.session_state[key])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Previous",
            icon=":material/arrow_back:",
            shortcut="P",
            disabled=place == 0,
            on_click=set_widget,
            args=("head", heads[max(0, place - 1)]),
        )
        st.button(
            "Next",
            icon=":material/arrow_forward:",
            shortcut="N",
            disabled=place == len(heads) - 1,
            on_click=set_widget,
            args=("head", heads[min(len(heads) - 1, place + 1)]),
        )
        return st.selectbox("Head", heads, key=key, format_func=titles.__getitem__, width=420)


def position_picker(source: Source, head: Head, value: int) -> int:
    """Which of the head's texts to sort images along; a click on a text chooses it too."""
    titles = head_data.text_titles(source, head)
    key = init_widget("position", value if value in titles else 0, titles)
    return st.selectbox("Sort images along", list(titles), key=key, format_func=titles.__getitem__)


def another_draw(value: int) -> int:
    """The seed of the random images, and a button for the next one."""
    key = init_widget("seed", value)
    st.button("Another draw", on_click=redraw, icon=":material/casino:", key="another_draw")
    return st.session_state[key]


def images_about(source: Source, head: Head, view) -> dict:
    """What images of one head to show."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        position = position_picker(source, head, view.position)
        most = choices.max_of_each(source)
        k = st.slider(
            "How many of each",
            1,
            most,
            key=init_widget("k", min(view.k, most), range(1, most + 1)),
            width=200,
        )
        drawn = another_draw(view.seed)
    return {"position": position, "k": k, "seed": drawn}
