"""Keeps the address bar and the widgets the same: `sync_from_url`, then a page's widgets, then `write_url`.

The address bar is what the user arrived with, until a widget of the page changes it. A page remembers its
last view for the session; image, text and model go along from page to page.
"""

import time
from dataclasses import fields, replace
from typing import Any, NoReturn

import streamlit as st

from dashboard.state.views import (
    Choices,
    V,
    from_query,
    to_query,
)

SHARED = ("bundle", "model", "image", "text")
WIDGET = "w."
RENAMED = {("section", "ablation"): "mean_ablation"}
"""Values of parameters that have another name now."""

PATIENCE = 2.0
"""Seconds in which the address bar before the last change is taken for late news, not for the back button."""


def sync_from_url(page: str) -> None:
    """Follow the address bar if this page did not write it last: a link, the back button, another page."""
    state = st.session_state
    params = st.query_params.to_dict()
    if state.get("address") == (page, params) or is_late(page, params):
        return
    for key in [key for key in state if str(key).startswith(WIDGET)]:
        del state[key]
    state["address"] = (page, params)
    memory = state.get(f"memory.{page}", {})
    own = {} if state.get("left") == (page, params) else params
    state["requested"] = own or {**memory, **state.get("shared", {})}
    state["followed"] = bool(own)


def renamed(params: dict[str, str]) -> dict[str, str]:
    """The parameters of a link from an earlier version by the names of this one."""
    return {name: RENAMED.get((name, value), value) for name, value in params.items()}


def is_late(page: str, params: dict[str, str]) -> bool:
    """True where a browser has sent a click off before it heard of the last change of its address bar.

    Without this, the second of two quick clicks would undo the first.
    """
    before, when = st.session_state.get("before", (None, 0.0))
    return before == (page, params) and time.monotonic() - when < PATIENCE


def leave_for(page: str, link: dict[str, str]) -> NoReturn:
    """Go to another page from code.

    Streamlit writes the link of the new page behind the path of the old one first, and the browser keeps that
    as a step of its history. Whoever comes back to it is shown the old page as it was left.
    """
    st.session_state["left"] = (st.session_state["address"][0], link)
    st.switch_page(f"views/{page}.py", query_params=link)


def requested(name: str) -> str | None:
    """What the address bar asks for, unchecked: the bundle and the model, which all other checks rest on."""
    return st.session_state.get("requested", {}).get(name)


def open_view(default: V, choices: Choices) -> V:
    """The checked view to start the page's widgets from; says what of the link could not be shown."""
    wanted = dict(st.session_state.get("requested", {}))
    if not st.session_state.get("followed"):
        # Carried over from another page: what does not apply here goes without a word.
        wanted = {name: value for name, value in wanted.items() if name in {f.name for f in fields(default)}}
    # The sidebar has checked these two already, and a change there is newer than the address bar.
    wanted |= {"bundle": default.bundle, "model": default.model}
    view, notes = from_query(wanted, default, choices)
    for note in notes:
        st.warning(note, icon=":material/link_off:")
    return view


def write_url(view: V, **changes: Any) -> V:
    """Write the view to the address bar and remember it; nothing happens where it stands there already."""
    view = replace(view, **changes)
    params = to_query(view)
    state = st.session_state
    page, here = state["address"][0], st.query_params.to_dict()
    if state.get("left") == (page, here) and state.get(f"memory.{page}") == params:
        return view  # writing would put another step on top of the history: no way back
    if here != params:
        st.query_params.from_dict(params)
        state["before"] = state["address"], time.monotonic()
    state["address"], state["requested"] = (page, params), params
    state[f"memory.{page}"] = params
    state["shared"] = state.get("shared", {}) | {name: params[name] for name in SHARED if params.get(name)}
    return view


def init_widget(name: str, value: Any, options: Any = None) -> str:
    """Give a widget its first value, and a new one where its old one is not on offer; returns its key."""
    key = WIDGET + name
    if key not in st.session_state or (options is not None and st.session_state[key] not in options):
        st.session_state[key] = value
    return key


def set_widget(name: str, value: Any) -> None:
    """Set a widget from a callback, e.g. a button that makes a neighbor the next query."""
    st.session_state[WIDGET + name] = value
