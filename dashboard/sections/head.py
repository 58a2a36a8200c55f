"""Sections of the page Head: its texts, the images along them, and links to other pages."""

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.data import defaults, label_text, projections
from dashboard.data import heads as head_data
from dashboard.data import images as image_data
from dashboard.data.heads import Sorted
from dashboard.data.label_grades import STRONG, UNSUPPORTED, UNTESTED, WEAK
from dashboard.data.live import LiveError
from dashboard.data.types import Source
from dashboard.sections import shared
from dashboard.sections.gallery import draw_large
from dashboard.sections.picture import draw_histogram
from dashboard.sections.shared import clicked_rows
from dashboard.state.markdown import literal
from dashboard.state.url import set_widget
from dashboard.state.views import (
    Head,
    HeadView,
    ImageNeighborsView,
    ReadsView,
    Scope,
    TextNeighborsView,
    TopicView,
    head_name,
)

TEXTS_KEY = "head.texts"
COLUMNS = 8
PERCENT = "%.1f %%"
ROWS, HEIGHT = 6, 248
"""Number of texts that are shown, and their height with the titles, pixels; the table scrolls to the others:
the images start on the first screen."""

BADGES = {STRONG: "blue", WEAK: "orange", UNSUPPORTED: "gray", UNTESTED: "gray"}
"""Color of the badge of a label by its grade; the badge says the grade in words."""

NO_IMAGES = (
    "These results were imported: the bundle has this head's texts and labels, but neither its vectors nor "
    "images, so no images can be shown along its texts. Decompose the model to see them: "
    "`headlight run`."
)

NO_VARIANCE = "This head does not vary over the images: it has no texts, and no direction sorts the images."


def draw_headline(source: Source, head: Head) -> None:
    """The head, its label, and the evidence for the label."""
    row = label_text.head_row(source, head)
    if not isinstance(row.label, str):
        st.markdown(f"## {head_name(head)} :gray-badge[no label]")
        return
    badge = f":{BADGES[row.grade]}-badge[{literal(label_text.label_support(row))}]"
    st.markdown(
        f"## {head_name(head)} · {literal(label_text.cell_label(row))} {badge}", help=label_text.GRADES
    )


def draw_texts(source: Source, head: Head, position: int | None) -> pd.DataFrame:
    """The head's texts with their variance; a click chooses the text that sorts the images."""
    table = head_data.texts(source, head)

    def follow() -> None:
        set_widget("position", [position, *clicked_rows(st.session_state[TEXTS_KEY])][-1])

    select: dict[str, Any] = {}
    if position is not None:
        st.session_state[TEXTS_KEY] = {"selection": {"rows": [position]}}
        select = {"on_select": follow, "selection_mode": ["single-row", "single-cell"], "key": TEXTS_KEY}
    if table.empty:
        st.caption("No texts.")
        return table
    largest = table["variance_share"].max()
    columns = text_columns(100 * largest if largest > 0 else 100.0)
    shown = head_data.as_read(table[[name for name in columns if table[name].notna().any()]])
    height = HEIGHT if len(shown) > ROWS else "auto"
    shared.draw_table(shown, columns, "Texts of the head", height=height, placeholder="", **select)
    return table


def text_columns(top: float) -> dict[str, Any]:
    """Returns the columns of the table of texts; `top` is the end of the bars of variance, per cent."""
    column = st.column_config
    bar = partial(column.ProgressColumn, format=PERCENT, min_value=0.0, width=110)
    number = partial(column.NumberColumn, format=PERCENT, width=68)
    return {
        "position": column.NumberColumn("pick", help="Order of selection", width=40),
        "carries_label": column.TextColumn("label", help="✓: the text has the head's label", width=55),
        "text": column.TextColumn("text", width=280),
        "variance_share": bar(
            "variance", help="Share of the head's variance of this selection", max_value=top
        ),
        "cumulative_share": bar(
            "cumulative", help="With all earlier selections", max_value=100.0, color="gray"
        ),
        "margin": number("lead", help="Lead over the runner-up; 0 is a tie"),
        "stability": number(
            "stability", help="Share of the replicates with this text in which it is among the first five"
        ),
        "equal_norm_position": column.NumberColumn(
            "equal length",
            help="Rank with all texts at equal length in the head's space; empty if not selected",
            format="%d",
            width=82,
        ),
        "properties": column.TextColumn("properties", width=140),
    }


def draw_images(source: Source, view: HeadView, result: Sorted) -> None:
    """Images at both ends of a text's direction, and random images; a click shows one large."""
    rows = {
        "Most aligned": result.most,
        "Least aligned": result.least,
        "Random images for comparison": result.random,
    }
    image_ids = pd.concat(list(rows.values()))["image_id"].drop_duplicates()
    thumbnails = image_data.thumbnails(source, tuple(image_ids))
    for title, frame in rows.items():
        st.markdown(f"**{title}**")
        draw_large(source, frame, view, columns=COLUMNS, thumbnails=thumbnails, title=title)
    st.caption(
        "Click an image to see it large, with its neighbors. "
        "Trust the text only if both ends differ from the random images. Numbers: standard deviations along "
        f"the text, which explains {100 * result.share:.1f} % of the head's variance.",
        help="0 is the average image. After the first text, the direction is the part of the text that is "
        "new over the texts before it. It has no sign: either end may be the one that the text names.",
    )


def draw_projection(source: Source, view: HeadView) -> pd.DataFrame:
    """Histogram of the images along a text, or why there is none; returns its bars."""
    try:
        share = projections.along(source, view.head, view.onto or view.position).share
    except LiveError as error:
        st.error(literal(error), icon=":material/error:")
        return pd.DataFrame()
    bars = draw_histogram(source, view, "All images")
    st.caption(
        f"Each image counts once, at its place along “{literal(projections.text_of(source, view))}”, which "
        f"has {100 * share:.2g} % of the head's variance. Open a picture to see its place.",
        help="Colors: the values of the attribute with the highest means (orange) and the lowest (blue). "
        "Images with several values are gray. A text of your own, or of the pool, is centered on the pool.",
    )
    return bars


def draw_links(source: Source, head: Head, position: int, result: Sorted) -> None:
    """Links to the same head on other pages."""
    name, text = head_name(head), head_data.texts(source, head)["text"].iloc[position]
    image = result.most["image_id"].iloc[0]
    to_image = defaults.link(source, ImageNeighborsView, head=head, image=image)
    to_text = defaults.link(source, TextNeighborsView, head=head, text=text)
    to_reads = defaults.link(source, ReadsView, form="text", text=text)
    mapped = head_data.most_aligned_with_maps(source, head, position) or image
    to_map = defaults.link(source, TopicView, heads=Scope.of_heads(head), text=text, image=mapped)
    most = "the most aligned image"
    pages = [
        ("image_neighbors", f"Image neighbors in {name}", ":material/grid_view:", to_image, f"Of {most}"),
        (
            "text_neighbors",
            f"Text neighbors in {name}",
            ":material/match_word:",
            to_text,
            "Of the chosen text",
        ),
        (
            "which_head",
            "Which heads read this text",
            ":material/troubleshoot:",
            to_reads,
            "Of all models, for the chosen text",
        ),
        (
            "topic_segmentation",
            f"Topic segmentation through {name}",
            ":material/gradient:",
            to_map,
            f"Of the chosen text in {most} with stored maps",
        ),
    ]
    with st.container(horizontal=True, gap="medium"):
        for page, label, icon, link, help in pages:
            st.page_link(f"views/{page}.py", label=label, icon=icon, query_params=link, help=help)
