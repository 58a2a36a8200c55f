"""The search box of the sidebar: links to heads, labels, texts, images, models and pages."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard.data import search
from dashboard.data.types import Source
from dashboard.state.markdown import cut, literal
from dashboard.state.url import init_widget

ICONS = {
    "head": ":material/center_focus_strong:",
    "label": ":material/label:",
    "text": ":material/match_word:",
    "image": ":material/image:",
    "model": ":material/deployed_code:",
}


def search_box(source: Source, pages: Sequence[Any]) -> None:
    """A box for words, and links to what they find below it."""
    words = st.text_input(
        "Search",
        key=init_widget("find", ""),
        placeholder="L5.H3, a label, text, image or page",
        help="Finds heads (L5.H3, l5h3, L5), labels, texts of the pool, images by path or attribute "
        "(color:red), models and pages. The key Tab goes through the results.",
    )
    if not words.strip():
        return
    named = [page for page in pages if words.strip().lower() in page.title.lower()]
    hits = search.find(source, words)
    with st.container(gap=None):
        for page in named:
            st.page_link(page, query_params={"bundle": source.name, "model": source.key})
        for hit in hits:
            title = literal(cut(hit.title)) + f" :gray[{literal(cut(hit.note))}]" * bool(hit.note)
            st.page_link(f"views/{hit.page}.py", label=title, icon=ICONS[hit.kind], query_params=hit.query)
    if not named and not hits:
        st.info(f"Nothing has “{literal(cut(words))}”.", icon=":material/search_off:")
