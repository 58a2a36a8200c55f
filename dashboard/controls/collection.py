"""Controls of the collection: the button that pins the present view, and those of the page Collection."""

from dataclasses import fields, replace

import streamlit as st

from dashboard.data import collection as collection_data
from dashboard.data.collection import Shown
from dashboard.data.types import Source
from dashboard.state import url
from dashboard.state.collection_files import NoCollection, from_file
from dashboard.state.markdown import literal
from dashboard.state.pins import MAX_BYTES, MAX_NOTE, MAX_PINS, Collection, Pin
from dashboard.state.url import init_widget
from dashboard.state.views import OF_PAGE

PINS, FILE, ANSWER = "collection", "collection.file", "collection.answer"
"""Names in the session: the collection, the file that was chosen last, and what was said of it."""

CLOSING = (
    "Pins last while this tab is open: closing or reloading it forgets them. Save the file, or copy the link "
    "of this page."
)


def session_pins() -> Collection:
    """Returns the collection of this session."""
    return st.session_state.get(PINS, Collection())


def keep(collection: Collection) -> None:
    st.session_state[PINS] = collection


def pin_box(source: Source, page: str) -> None:
    """A popover that pins the view of the page with a note, or takes the pin out again."""
    pin = present(source, page)
    is_pinned = pin is not None and session_pins().has(pin)
    title, icon = ("Pinned", ":material/bookmark_added:") if is_pinned else ("Pin", ":material/bookmark_add:")
    with st.popover(title, icon=icon, disabled=pin is None):
        if pin is None:
            return
        if is_pinned:
            st.caption("This view is in the collection, where its note can be changed.")
            st.button("Remove this view", on_click=remove, args=(pin.key,), icon=":material/delete:")
        elif len(session_pins().pins) >= MAX_PINS:
            st.caption(f"The collection is full: {MAX_PINS} views.")
        else:
            with st.form("pin", border=False):
                key = init_widget("note", "")
                st.text_input("Note", key=key, max_chars=MAX_NOTE, placeholder="What is to be seen here?")
                st.form_submit_button("Pin this view", on_click=add, args=(pin,))
        if count := len(session_pins().pins):
            st.caption(f"Pinned in this tab: {count}. The page Collection lists them.")


def present(source: Source, page: str) -> Pin | None:
    """Returns the view that the page shows; None for a page without one, or whose view cannot be kept."""
    options = url.present_view()
    if page not in OF_PAGE or options is None:
        return None
    names = [field.name for field in fields(OF_PAGE[page])]
    query = tuple((name, options[name]) for name in names if name in options)
    return Pin(page, query, collection_data.bundle_id(source))


def add(pin: Pin) -> None:
    """Pins a view with the note that was typed."""
    note = " ".join(st.session_state.get(url.WIDGET + "note", "").split())[:MAX_NOTE]
    keep(session_pins().joined(replace(pin, note=note)))


def remove(key: str) -> None:
    keep(session_pins().without(key))


def move(key: str, step: int) -> None:
    keep(session_pins().moved(key, step))


def note_box(shown: Shown) -> None:
    """A box for the note on a view."""
    key = init_widget(f"notes.{shown.pin.key}", shown.pin.note)
    note = st.text_input(
        literal(f"Note on {shown.title}"),
        key=key,
        max_chars=MAX_NOTE,
        placeholder="Note",
        label_visibility="collapsed",
    )
    if note != shown.pin.note:
        keep(session_pins().noted(shown.pin.key, note))


def row_buttons(shown: Shown, place: int, count: int) -> None:
    """Buttons that move the view at a place among `count`, or remove it."""
    key = shown.pin.key
    up, down, bin = (f":material/{name}:" for name in ("arrow_upward", "arrow_downward", "delete"))
    with st.container(horizontal=True, gap="xsmall"):
        for words, icon, step, end in (("up", up, -1, 1), ("down", down, 1, count)):
            st.button(
                f"Move {place} {words}",
                key=f"{words}.{key}",
                icon=icon,
                disabled=place == end,
                on_click=move,
                args=(key, step),
            )
        st.button(f"Remove {place}", key=f"remove.{key}", icon=bin, on_click=remove, args=(key,))


def take_link(collection: Collection) -> Collection:
    """Returns the collection of the session, after adding that of a link which was just followed."""
    if url.is_followed():
        keep(session_pins().joined(*collection.pins))
    return session_pins()


def loader() -> None:
    """Takes the views of a saved file, and says what was taken."""
    st.file_uploader(
        "Open a saved collection",
        type="json",
        key=FILE,
        max_upload_size=1,
        on_change=take_file,
        help="Adds the views of the file to those that are here. The file is checked, and nothing in it is "
        "executed.",
    )
    words, is_right = st.session_state.get(ANSWER, ("", True))
    if words and is_right:
        st.info(literal(words), icon=":material/check_circle:")
    elif words:
        st.error(literal(words), icon=":material/error:")


def take_file() -> None:
    """Adds the views of the chosen file to the collection."""
    file = st.session_state[FILE]
    st.session_state.pop(ANSWER, None)
    if file is None:
        return
    try:
        content, notes = from_file(file.getvalue()[: MAX_BYTES + 1])
    except NoCollection as problem:
        st.session_state[ANSWER] = f"{file.name} cannot be opened: {problem}", False
        return
    before = session_pins()
    keep(before.joined(*content.pins))
    added = len(session_pins().pins) - len(before.pins)
    there = len(content.pins) - added
    words = [f"{file.name}: {added} added.", f"{there} were here already, or have no room." * (there > 0)]
    st.session_state[ANSWER] = " ".join(filter(None, [*words, *notes[: url.MAX_NOTES]])), True
