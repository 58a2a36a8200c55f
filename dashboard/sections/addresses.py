"""The page at an address that names no page."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import streamlit as st

from dashboard.data import choices, defaults
from dashboard.state.markdown import cut, literal
from dashboard.state.views import head_name, parse_head


def draw_unknown(name: str, pages: Sequence[Any]) -> None:
    """Says that there is no such page, and links to what the name may have meant."""
    st.info(f"There is no page “{literal(cut(name))}”. Choose one in the menu.", icon=":material/link_off:")
    source, head = st.session_state["source"], parse_head(name)
    if head in choices.head_names(source):
        [link] = defaults.head_links(source, [head])
        st.page_link("views/head.py", label=head_name(head), query_params=link)
    for near in get_close_matches(name.lower(), [page.url_path for page in pages[1:]], n=1):
        st.page_link(f"views/{near}.py", query_params={"bundle": source.name, "model": source.key})
