"""Sections of the page Collection: one pinned view, and what can be saved of all."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from dashboard.data import collection as collection_data
from dashboard.data.collection import Shown
from dashboard.data.types import Source
from dashboard.sections import printed
from dashboard.sections.shared import draw_saves, save_button
from dashboard.state.collection_files import to_file
from dashboard.state.markdown import literal
from dashboard.state.pins import Collection

EMPTY = (
    "Nothing is pinned yet. Open a page, and press **Pin** in the sidebar: the view is kept here with its "
    "link and your note."
)


def draw_view(shown: Shown, place: int) -> None:
    """Title with its link, model, key figure, and what differs from the view that was pinned."""
    st.page_link(
        f"views/{shown.pin.page}.py", label=f"**{place}. {literal(shown.title)}**", query_params=shown.query
    )
    st.caption("  \n".join(literal(line) for line in (shown.origin, shown.figure) if line))
    if shown.warning:
        st.warning(literal(shown.warning), icon=":material/link_off:")


def draw_picture(shown: Shown, place: int) -> None:
    if shown.picture:
        st.image(shown.picture, width=96, alt=f"View {place}: {shown.alt}")


def draw_saved(source: Source, collection: Collection, views: Sequence[Shown]) -> None:
    """Buttons that save the collection: to be opened again, to be printed, and as a table."""
    with st.container(horizontal=True):
        save_button("Save collection", partial(to_file, collection), "collection.json", "application/json")
        make = partial(
            printed.page, views, base=base(), bundle=source.name, identity=collection_data.bundle_id(source)
        )
        save_button("Printable page", make, "collection.html", "text/html")
    draw_saves(table(views), "collection")


def table(views: Sequence[Shown]) -> pd.DataFrame:
    """Returns one row per pinned view."""
    columns = {
        "view": [view.title for view in views],
        "note": [view.pin.note for view in views],
        "model": [view.origin for view in views],
        "identity of the bundle": [view.pin.bundle_id for view in views],
        "link": [printed.address(view, base()) for view in views],
    }
    return pd.DataFrame(columns)


def base() -> str:
    """Returns the address of the app, without a page."""
    return (st.context.url or "").partition("?")[0].rpartition("/")[0]
