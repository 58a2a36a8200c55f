"""The control that takes another model, head, heads, image or text to be compared with."""

from typing import Any

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.data import choices
from dashboard.data import images as image_data
from dashboard.data import versus as versus_data
from dashboard.data.types import Source
from dashboard.sections.shared import draw_image
from dashboard.state.url import WIDGET, init_widget
from dashboard.state.versus import Versus
from dashboard.state.views import head_name, parse_head, parse_scope

TITLES = {
    "none": "Nothing",
    "model": "Another model",
    "head": "Another head",
    "heads": "Other heads",
    "image": "Another image",
    "text": "Another text",
}
NAME = "versus."
"""Beginning of the keys of the controls of the other side."""

PICKER = "versus.picker"


def versus_picker(source: Source, view: Any) -> Versus:
    """Returns the chosen other side; `view` is that of the link, with the options of the first side."""
    kinds = [kind for kind in view.kinds if kind != "model" or choices.other_models(source)]
    titles = {kind: TITLES[kind] for kind in ("none", *kinds)}
    help = "Draws the same for something else beside it, on one scale."
    first = view.versus.kind if view.versus.kind in kinds else "none"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = controls.segmented("versus", "Compare with", titles, first, help)
        if kind == "none":
            return Versus()
        same_kind = view.versus.kind == kind
        value = view.versus.value if same_kind else versus_data.default(source, view, kind)
        chosen = PICKERS[kind](source, value, view) if kind != "image" else ""
    if kind == "image":
        chosen = other_image(source, value)
    return Versus(kind, chosen)


def other_model(source: Source, value: str, _: Any) -> str:
    return controls.select(NAME + "model", "Other model", choices.other_models(source), value)


def other_head(source: Source, value: str, _: Any) -> str:
    names = choices.head_names(source)
    return head_name(controls.select(NAME + "head", "Other head", names, parse_head(value)))


def other_heads(source: Source, value: str, _: Any) -> str:
    kinds = ("property", "heads", "layer", "all")
    scope = parse_scope(value)
    assert scope is not None  # of the link or a default, both checked
    return str(controls.scope_picker(source, scope, kinds, name=NAME, label="Other heads"))


def other_text(source: Source, value: str, view: Any) -> str:
    head = getattr(view, "head", None)
    return controls.text_picker(source, "Other text", value, name=NAME + "text", head=head)


PICKERS = {"model": other_model, "head": other_head, "heads": other_heads, "text": other_text}


def other_image(source: Source, value: str) -> str:
    """Returns another image of the bundle, beside a search for one."""
    key = init_widget(NAME + "image", value)
    if not image_data.exists(source, st.session_state[key]):  # another bundle, or an old upload
        st.session_state[key] = value
    left, right = st.columns([1, 3], gap="large", vertical_alignment="center")
    with right:
        box = st.expander(
            "Choose the other image", icon=":material/image_search:", key=PICKER, on_change="rerun"
        )
        with box:
            controls.search_images(source, gallery=False, shown=bool(box.open), name=NAME)
    with left:
        draw_image(source, st.session_state[WIDGET + NAME + "image"], key="picture.other")
    return st.session_state[key]
