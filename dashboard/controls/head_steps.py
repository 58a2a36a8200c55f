"""Choice of one head, with buttons and keys for its neighbors: in a list, and in the grid of heads."""

import numpy as np
import streamlit as st

from dashboard.data import choices
from dashboard.data.types import Source
from dashboard.state.url import init_widget, set_widget
from dashboard.state.views import Head, head_name

STEPS = {"Previous": (":material/arrow_back:", "P", -1), "Next": (":material/arrow_forward:", "N", 1)}
"""Icon, key and step of the buttons beside a list of heads."""

MOVES = {
    "Left": (":material/arrow_back:", (0, -1)),
    "Right": (":material/arrow_forward:", (0, 1)),
    "Up": (":material/arrow_upward:", (1, 0)),
    "Down": (":material/arrow_downward:", (-1, 0)),
}
"""Icon and step in layer and head of the moves in a grid, whose last layer is at the top."""


def head_picker(source: Source, value: Head, *, keys: bool = True) -> Head:
    """Returns the chosen head, beside buttons for the previous and the next one, which are also keys.

    Without `keys`, while something lies over the page, the buttons have none.
    """
    titles = choices.head_names(source)
    first = value if value in titles else next(iter(titles))
    key, heads = init_widget("head", first, titles), list(titles)
    place = heads.index(st.session_state[key])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        for label, (icon, letter, step) in STEPS.items():
            target = min(max(0, place + step), len(heads) - 1)
            st.button(
                label,
                key=f"step.{label}",
                icon=icon,
                shortcut=letter if keys else None,
                help=f"The {label.lower()} head: the key {letter}.",
                disabled=target == place,
                on_click=set_widget,
                args=("head", heads[target]),
            )
        return st.selectbox("Head", heads, key=key, format_func=titles.__getitem__, width=420)


def random_head(source: Source, value: Head) -> Head:
    """Returns the shown head, before a button for another one at random; each comes once a round."""
    names = choices.head_names(source)
    key = init_widget("head", value, names)
    heads = [list(names)[place] for place in np.random.default_rng(0).permutation(len(names))]
    following = heads[(heads.index(st.session_state[key]) + 1) % len(heads)]
    st.button("Random head", icon=":material/casino:", on_click=set_widget, args=("head", following))
    return st.session_state[key]


def grid_mover(source: Source, value: Head) -> tuple[Head, bool]:
    """Returns the marked head of the grid, and True if it is to be opened; moves by buttons and keys."""
    names = choices.head_names(source)
    key = init_widget("head", value, names)
    head = st.session_state[key]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        opened = st.button(
            f"Open {head_name(head)}",
            key="mover.open",
            type="primary",
            shortcut="Shift+Enter",
            help="The key Enter with Shift opens the framed head; the arrows with Shift move the frame.",
        )
        for label, (icon, step) in MOVES.items():
            target = moved(list(names), head, step)
            st.button(
                label,
                key=f"mover.{label}",
                icon=icon,
                shortcut=f"Shift+{label}",
                disabled=target == head,
                on_click=set_widget,
                args=("head", target),
            )
    return head, opened


def moved(heads: list[Head], head: Head, step: tuple[int, int]) -> Head:
    """Returns the nearest head in one direction of the grid; the same head at its edge.

    `step` is (±1, 0) for a layer, (0, ±1) for a head. Layers may have gaps and different heads.
    """
    axis = 0 if step[0] else 1
    sign, other = step[axis], 1 - axis
    ahead = [place for place in heads if sign * (place[axis] - head[axis]) > 0]
    if axis == 1:
        ahead = [place for place in ahead if place[other] == head[other]]

    def distance(place: Head) -> tuple[int, int]:
        return abs(place[axis] - head[axis]), abs(place[other] - head[other])

    return min(ahead, key=distance, default=head)
