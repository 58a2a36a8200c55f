"""Sections of pages that show two sides: columns for both, and their scores on one scale."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.charts import versus as versus_charts
from dashboard.data import digits
from dashboard.data.versus import Side
from dashboard.sections import gallery
from dashboard.sections.shared import draw_chart, ends
from dashboard.state.markdown import literal
from dashboard.state.views import View

UNITS = {"cosine": "centered cosine", "dot": "dot product of contributions"}
NOT_THE_HEIGHT = {
    "cosine": "Compare the images and how fast the scores fall: heads that write to fewer dimensions have "
    "higher cosines throughout.",
    "dot": "Compare the images and how fast the scores fall: heads with longer contributions have higher dot "
    "products throughout.",
}
"""Caution about the height of the scores of different heads."""

Tables = Sequence[pd.DataFrame | None]
TILES = {1: 6, 2: 4}
"""Images a row of a gallery, by the number of sides."""


def columns(sides: Sequence[object], of: str = "") -> Sequence[AbstractContextManager]:
    """Returns a place for each side: next to each other, on a narrow page one under the other."""
    if len(sides) == 1:
        return [st.container()]
    with st.container(key=f"sides{of}"):
        return st.columns(len(sides), gap="large")


def draw_note(side: Side) -> None:
    """Says how a side was found, or why it is not shown."""
    if side.problem:
        st.info(literal(side.problem), icon=":material/info:")
    elif side.note:
        st.caption(literal(side.note))


def of(title: str, side: Side) -> str:
    """Returns the title of a side as Markdown; a title names the head itself."""
    named = side.name and side.view.versus.kind != "head"
    return literal(f"{title}: {side.name}" if named else title)


def form(tables: Tables) -> str:
    """Returns the format of the scores of all sides: as many digits as their differences need."""
    scores = pd.concat([table["score"] for table in tables if table is not None])
    return f".{digits.decimals(scores)}f"


def on_both(tables: Tables) -> set[str]:
    """Returns the images that every one of two or more sides shows."""
    sets = [set(table["image_id"]) if table is not None else set() for table in tables]
    return set.intersection(*sets) if len(sets) > 1 else set()


def draw_queries(side: Side, rows: pd.DataFrame, view: View, tables: Tables) -> None:
    """The images of one side; a click makes one the image of the page's view."""
    gallery.draw_queries(side.source, rows, view, columns=TILES[len(tables)], **options(side, tables))


def draw_linked(side: Side, rows: pd.DataFrame, tables: Tables) -> None:
    """The images of one side; a click opens the neighbors of one in the head of the side."""
    gallery.draw_linked(side.source, rows, side.view.head, columns=4, **options(side, tables))


def options(side: Side, tables: Tables) -> dict[str, Any]:
    """Returns the title, the digits and the marks of a gallery of one side."""
    title = f"{side.place}: {side.name}" if side.name else ""
    return {"title": title, "form": form(tables), "marked": on_both(tables), "key": side.place}


def more(tables: Tables, title: str = "the other side") -> dict[str, pd.DataFrame]:
    """Returns the table of the other side by its title, if there is one."""
    return dict(zip([title], filter(lambda table: table is not None, tables[1:]), strict=False))


def draw_scores(sides: Sequence[Side], tables: Tables, by: str) -> None:
    """The number of images that both sides show, and the scores of both on one axis."""
    shown = [table for table in tables if table is not None]
    if len(shown) < 2:
        return
    st.header("Both on one scale")
    count, most = len(on_both(tables)), max(map(len, shown))
    st.markdown(f"**{count} of {most}** images are on both sides.")
    named = list(zip([side.placed_name for side in sides], shown, strict=True))
    parts = [
        pd.DataFrame(
            {"side": name, "rank": range(1, len(table) + 1), "score": table["score"], "image": table["path"]}
        )
        for name, table in named
    ]
    chart = versus_charts.scores_by_rank(pd.concat(parts, ignore_index=True), unit=UNITS[by])
    words = "; ".join(f"{name}: {ends(table['path'], table['score'])}" for name, table in named)
    draw_chart(chart, f"Scores of the nearest images of both sides by rank. {words}.")
    if sides[0].view.versus.kind in ("model", "head", "heads"):
        st.caption(NOT_THE_HEIGHT[by])
