"""Keeps query parameters and widgets in sync: `sync_from_url`, then the widgets of a page, then `write_url`.

The query parameters are those of the link until a widget of the page changes them. A page remembers its last
view for the session. The model goes along from page to page, and image, text and head do once something was
chosen: until then, every page opens its own first view.
"""

import time
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, NoReturn, TypeVar
from urllib.parse import unquote, urlsplit

import streamlit as st

from dashboard.state.choices import Choices
from dashboard.state.links import from_query
from dashboard.state.markdown import literal
from dashboard.state.views import LeaderboardView, StartView, V, parse_head, to_query

T = TypeVar("T")

SHARED = ("bundle", "model", "image", "text", "head")
ALWAYS_SHARED = {"bundle", "model"}
WIDGET = "w."
RENAMED = {("section", "ablation"): "mean_ablation"}
"""Parameter values of earlier versions, by their present name."""

MAX_NOTES = 5
"""Values of one link that a page names as replaced."""

PATIENCE = 2.0
"""Seconds in which the previous query parameters count as late, not as the back button."""


def sync_from_url(page: str) -> None:
    """Reads the query parameters if this page did not write them: a link, the back button, another page."""
    state = st.session_state
    params = st.query_params.to_dict()
    state["drawing"] = {}
    if state.get("address") == (page, params) or is_late(page, params):
        return
    for key in [key for key in state if str(key).startswith(WIDGET)]:
        del state[key]
    state["drawn"] = {}
    state["address"] = (page, params)
    linked = {} if state.get("left") == (page, params) or is_of_another_page(page, params) else params
    state["requested"] = linked or remembered(state.get(f"memory.{page}", {}), state.get("shared", {}))
    state["followed"] = bool(linked)


def remembered(page: dict[str, str], shared: dict[str, str]) -> dict[str, str]:
    """Returns the last view of a page with what goes along from the others; another head has other texts."""
    params = page | shared
    if params.get("head") != page.get("head"):
        params.pop("position", None)
    return params


def page_name(address: str) -> str:
    """Returns the name of the page at the end of an address; empty for the first page."""
    return unquote(urlsplit(address).path).rpartition("/")[2]


def renamed(params: dict[str, str]) -> dict[str, str]:
    """Returns the parameters of an earlier version's link with their present values."""
    return {name: RENAMED.get((name, value), value) for name, value in params.items()}


def is_of_old_first_page() -> bool:
    """Returns True for a link of an earlier version, whose first page was the leaderboard.

    Only the first run of a session has one: later, these parameters are those that the browser records before
    it opens the leaderboard.
    """
    names = {field.name for field in fields(LeaderboardView)} - {field.name for field in fields(StartView)}
    return "address" not in st.session_state and bool(names & st.query_params.keys())


def is_late(page: str, params: dict[str, str]) -> bool:
    """True if a browser sent a click before it received the last change of its query parameters.

    Without this, the second of two quick clicks would undo the first.
    """
    before, when = st.session_state.get("before", (None, 0.0))
    return before == (page, params) and time.monotonic() - when < PATIENCE


def is_of_another_page(page: str, params: dict[str, str]) -> bool:
    """True if these are the parameters of another page, after the path of this one.

    Streamlit writes the link of the next page before its path, and the browser records that as a step of its
    history: the back button leads there.
    """
    state = st.session_state
    names = {key: state[key].keys() for key in state if str(key).startswith("memory.")}
    own = names.pop(f"memory.{page}", params.keys())
    return own != params.keys() and params.keys() in names.values()


def leave_for(page: str, link: dict[str, str]) -> NoReturn:
    """Opens another page from code.

    Streamlit first writes the link of the new page after the path of the old page, and the browser records
    that as a step of its history. The back button then reopens the old page as it was left, and the browser
    replaces that address.
    """
    st.session_state["left"] = (st.session_state["address"][0], link)
    st.switch_page(f"views/{page}.py", query_params=link)


def requested(name: str) -> str | None:
    """Returns a query parameter, unchecked: all other checks need the bundle and the model first."""
    return st.session_state.get("requested", {}).get(name)


def requested_names() -> set[str]:
    """Returns the names of the query parameters that a page opens with."""
    return set(st.session_state.get("requested", {}))


def is_followed() -> bool:
    """True while a page opens with the parameters of a link."""
    return bool(st.session_state.get("followed"))


def present_view() -> dict[str, str] | None:
    """Returns the parameters of the view on the page; None if the page has not written any."""
    page, params = st.session_state["address"]
    return params if st.session_state.get(f"memory.{page}") == params else None


def open_view(default: V, choices: Choices) -> V:
    """Returns the checked view that the widgets of a page start from; warns of values it had to replace."""
    params = dict(st.session_state.get("requested", {}))
    if not st.session_state.get("followed"):
        # Parameters of another page that this page lacks need no warning.
        params = {name: value for name, value in params.items() if name in {f.name for f in fields(default)}}
    # The sidebar has checked these two already, and a change there is newer than the query parameters.
    params |= {"bundle": default.bundle, "model": default.model}
    view, notes = from_query(params, default, choices)
    if notes:
        more = [f"{len(notes) - MAX_NOTES} more values."] if len(notes) > MAX_NOTES else []
        lines = [literal(note) for note in [*notes[:MAX_NOTES], *more]]
        st.warning("  \n".join(lines), icon=":material/link_off:")
    return view


def write_url(view: V, **changes: Any) -> V:
    """Returns the changed view after writing it to the query parameters and the memory of the page."""
    view = replace(view, **changes)
    params = to_query(view)
    state = st.session_state
    page, here = state["address"][0], st.query_params.to_dict()
    if here != params:
        st.query_params.from_dict(params)
        state["before"] = state["address"], time.monotonic()
    before, linked = state["requested"], state["followed"]
    state["shared"] = shared_after(state.get("shared", {}), before, params, linked=linked)
    state["address"], state["requested"], state["followed"] = (page, params), params, False
    state[f"memory.{page}"] = params
    return view


def shared_after(
    shared: dict[str, str], before: dict[str, str], params: dict[str, str], *, linked: bool
) -> dict[str, str]:
    """Returns what goes along to other pages after a page has changed its parameters from those `before`.

    That is the image, text and head of the page once one of them was chosen there, and what a link names;
    other options leave on a page what it opened with. A head that somebody chose, by a control or by a link,
    is also the heads of the pages that take several, until other heads are chosen there.
    """
    common = before.keys() & params.keys() & set(SHARED) - ALWAYS_SHARED
    chosen = any(before[name] != params[name] for name in common)
    names = {*ALWAYS_SHARED, *(SHARED if chosen else before if linked else ())}
    shared = shared | {name: params[name] for name in SHARED if name in names and params.get(name)}
    if "head" in params and "head" in before and (linked or before["head"] != params["head"]):
        shared["heads"] = params["head"]
    if "heads" in params:
        heads = params["heads"].removesuffix(",")
        shared = {name: value for name, value in shared.items() if name != "heads" or value == heads}
        if parse_head(heads):
            shared["head"] = heads
    return shared


def init_widget(name: str, value: Any, options: Any = None, *, many: bool = False) -> str:
    """Returns the key of a widget after setting its value: `value` if the widget was not there before.

    A widget that was there keeps its value, if it is one of the options. With other options, or other titles
    of the same options, it is set again: the browser holds the title of its value, and would keep the old
    one. `many` values are checked one by one.
    """
    key, state = WIDGET + name, st.session_state
    drawn = state["drawn"]
    if key not in drawn or key not in state:
        state[key] = value
        drawn[key] = options
        state["drawing"][key] = options
        return key
    if state.get("send_again"):
        state[key] = state[key]  # a value that is set is sent
    if options is not None:
        before = state[key]
        if many:
            valid = [part for part in before if part in options]
            now = valid if valid or not before else value
        else:
            now = before if before in options else value
        if now != before or drawn[key] != options:
            state[key] = now
    state["drawing"][key] = options
    return key


def init_text(name: str, value: str, clean: Callable[[str], str]) -> str:
    """Returns the key of a text box that shows its text as the link has it, without spaces around it."""
    key = init_widget(name, value)
    text = st.session_state[key]
    if clean(text) != text:
        st.session_state[key] = clean(text)
    return key


def keep(name: str, value: T) -> T:
    """Returns a value after keeping it for the session: a control that was hidden begins with it."""
    st.session_state[f"last.{name}"] = value
    return value


def last(name: str, default: Any) -> Any:
    """Returns the value kept under this name."""
    return st.session_state.get(f"last.{name}", default)


def send_again() -> None:
    """Lets the next run send the values of all widgets, though they are as before.

    Called before code draws a page anew: a browser that still loads the code of a widget sees only the last
    run, and would show the widget empty.
    """
    st.session_state["send_again"] = True


def finish() -> None:
    """Records the widgets of a page that is complete: a widget that is not among them starts anew next time.

    A page that a click interrupts is not complete, and keeps the widgets that it has not reached.
    """
    st.session_state["drawn"] = st.session_state.get("drawing", {})
    st.session_state.pop("send_again", None)


class PageEnd(Exception):
    """The rest of a page is not drawn; what surrounds it is."""


def end_page() -> NoReturn:
    """Ends the page; `st.stop` would also end what the app draws after it."""
    raise PageEnd


def set_widget(name: str, value: Any) -> None:
    """Sets a widget from a callback, e.g. of a button that makes a neighbor the next query."""
    st.session_state[WIDGET + name] = value
