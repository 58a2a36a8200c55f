"""How the page Head shows one head: its texts, the images along them, and where else to see it."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.data import defaults, label_text
from dashboard.data import heads as head_data
from dashboard.data import images as image_data
from dashboard.data.heads import Sorted
from dashboard.data.types import Source
from dashboard.sections import shared
from dashboard.state.url import set_widget
from dashboard.state.views import (
    Head,
    ImageNeighborsView,
    Scope,
    TextNeighborsView,
    TopicView,
    head_name,
)

TEXTS_KEY = "head.texts"
COLUMNS = 8
PERCENT = "%.1f %%"
HEIGHT = 390
"""Of ten texts and their title, pixels; the others are a scroll away."""

NO_IMAGES = (
    "These results were imported: the bundle knows this head's texts and labels, but neither its vectors nor "
    "any image, so no images can be shown along its texts. Take the model apart to see them: "
    "`python -m precompute run`."
)


def draw_headline(source: Source, head: Head) -> None:
    """The head and its label, with a word on whether it can be trusted."""
    row = label_text.head_row(source, head)
    if not isinstance(row.label, str):
        st.markdown(f"## {head_name(head)} :gray-badge[no label]")
        return
    color = "blue" if row.supported is True else "gray"
    label, support = label_text.display_label(row), label_text.label_support(row)
    st.markdown(f"## {head_name(head)} · {label} :{color}-badge[{support}]")


def draw_texts(source: Source, head: Head, position: int | None) -> pd.DataFrame:
    """The head's texts with their variance; a click chooses the text to sort images along."""
    table = head_data.texts(source, head)

    def follow() -> None:
        chosen = st.session_state[TEXTS_KEY]["selection"]
        rows = [*chosen["rows"], *(row for row, _ in chosen["cells"])]
        set_widget("position", rows[-1] if rows else position)

    select: dict[str, Any] = {}
    if position is not None:
        st.session_state[TEXTS_KEY] = {"selection": {"rows": [position]}}
        select = {"on_select": follow, "selection_mode": ["single-row", "single-cell"], "key": TEXTS_KEY}
    largest = table["variance_share"].max()
    columns = text_columns(100 * largest if largest > 0 else 100.0)
    shown = head_data.in_percent(table[[name for name in columns if table[name].notna().any()]])
    st.dataframe(
        shown,
        hide_index=True,
        column_config=columns,
        height=HEIGHT if len(shown) > 10 else "auto",
        placeholder="",
        alt="Texts of the head",
        **select,
    )
    return table


def text_columns(top: float) -> dict[str, Any]:
    """How the table of texts looks, column by column; `top` is where the bars of variance end, per cent."""
    column = st.column_config
    return {
        "position": column.NumberColumn("", help="Order of choice, from 0", width=40),
        "carries_label": column.CheckboxColumn("label", help="The text carries the head's label", width=55),
        "text": column.TextColumn("text", width=280),
        "variance_share": column.ProgressColumn(
            "variance",
            help="Share of the head's variance that this choice removes",
            format=PERCENT,
            min_value=0.0,
            max_value=top,
            width=110,
        ),
        "cumulative_share": column.ProgressColumn(
            "so far",
            help="With all choices before it",
            format=PERCENT,
            min_value=0.0,
            max_value=100.0,
            color="gray",
            width=110,
        ),
        "margin": column.NumberColumn(
            "margin", help="Lead over the next text; 0 is a tie", format=PERCENT, width=68
        ),
        "stability": column.NumberColumn(
            "stability",
            help="In how many of the replicates that hold this text it is among the first five",
            format=PERCENT,
            width=68,
        ),
        "equal_norm_position": column.NumberColumn(
            "equal norm",
            help="Order of choice where every text has the same length in the head's space; empty where it "
            "is not chosen then",
            format="%d",
            width=82,
        ),
        "properties": column.TextColumn("properties", width=140),
    }


def draw_images(source: Source, found: Sorted) -> None:
    """Both ends of a text's direction, and images at random."""
    rows = {
        "Most aligned": found.most,
        "Least aligned: the other end": found.least,
        "Random images, a control": found.random,
    }
    every = pd.concat(list(rows.values()))["image_id"].drop_duplicates()
    thumbnails = image_data.thumbnails(source, tuple(every))
    for title, frame in rows.items():
        st.markdown(f"**{title}**")
        shared.draw_gallery(source, frame, columns=COLUMNS, query=False, form="+z.1f", thumbnails=thumbnails)
    st.caption(
        "Under each image: how far it lies along the text's direction, in standard deviations over the "
        f"images; 0 is the average image. This direction carries {100 * found.share:.1f} % of the head's "
        "variance. After the first text a direction is what the text adds to those before it, without a "
        "sign: either end may be the one it names. Where the random images look like the ends, the text "
        "explains little."
    )


def draw_links(source: Source, head: Head, position: int, found: Sorted) -> None:
    """The same head on other pages."""
    name, text = head_name(head), head_data.text_at(source, head, position)
    image = found.most["image_id"].iloc[0]
    with st.container(horizontal=True, gap="medium"):
        st.page_link(
            "views/image_neighbors.py",
            label=f"Image neighbors in {name}",
            icon=":material/grid_view:",
            query_params=defaults.link(source, ImageNeighborsView, head=head, image=image),
            help="Of the most aligned image",
        )
        st.page_link(
            "views/text_neighbors.py",
            label=f"Text neighbors in {name}",
            icon=":material/match_word:",
            query_params=defaults.link(source, TextNeighborsView, head=head, text=text),
            help="Of the chosen text",
        )
        st.page_link(
            "views/topic_segmentation.py",
            label=f"Topic segmentation through {name}",
            icon=":material/gradient:",
            query_params=defaults.link(source, TopicView, heads=Scope.of_heads(head), text=text),
            help="Of the chosen text",
        )
