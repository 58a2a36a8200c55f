"""A walk over every control of every page: what is drawn never depends on the way that led there."""

import random
from collections.abc import Iterator
from difflib import unified_diff

import pytest

from tests.support.pages import PAGES, link
from tests.support.visitor import FOLDED, Visitor, other_values


def differences(visitor: Visitor) -> list[str]:
    """Returns what is drawn otherwise, or missing, after a fresh load of the same link."""
    fresh = visitor.fresh()
    lines = [*unified_diff(fresh.drawn(), visitor.drawn(), "fresh", "walk", lineterm="", n=0)]
    other = link(fresh.app) != link(visitor.app)
    return lines + [f"link: {link(visitor.app)} became {link(fresh.app)}"] * other


def every_change(
    visitor: Visitor, done: set[tuple[str, str]] | None = None, among: set[str] | None = None
) -> Iterator[str]:
    """Changes every widget to every other value and back, the model last; then all again; yields each step.

    Widgets that a change brings are changed before the change is taken back.
    """
    done = set() if done is None else done
    before = set(visitor.widget_keys())
    while keys := [key for key in visitor.widget_keys() if among is None or key in among]:
        model = link(visitor.app)["model"]
        key = next((key for key in keys if (key, model) not in done), None)
        if key is None:
            return
        done.add((key, model))
        first = visitor.shown(visitor.widget(key))
        values = other_values(visitor.widget(key), first)
        for value in values if key == "w.model" else [*values, first]:
            if key in visitor.widget_keys():
                visitor.set(visitor.widget(key), value)
                yield f"{key} = {value}"
                yield from every_change(visitor, done, set(visitor.widget_keys()) - before)


def test_a_model_and_an_empty_text_leave_nothing_behind():
    """The fast part of the walk below: a picker names the new model's heads, and no control is reset."""
    visitor = Visitor("text_neighbors", head="L2.H0", k="5")

    visitor.choose("w.model", 1)
    assert differences(visitor) == []

    visitor.choose("w.text.kind", 1)
    visitor.set(visitor.widget("w.text.words"), "")
    assert differences(visitor) == []
    assert link(visitor.app)["k"] == "5"

    visitor.set(visitor.widget("w.text.words"), "a square")
    assert differences(visitor) == []


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_control_of_a_page(page):
    faults = []
    visitor = Visitor(page, expand=FOLDED)
    for step in every_change(visitor):
        faults += [step, *lines] if (lines := differences(visitor)) else []
    assert not faults, "\n".join(faults)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_session_of_random_changes_and_pages(seed):
    """Clicks of every kind, and other pages in between."""
    rng, faults = random.Random(seed), []
    visitor = Visitor(rng.choice(PAGES))
    for _ in range(150):
        step = random_step(visitor, rng)
        faults += [f"{visitor.page}: {step}", *lines] if (lines := differences(visitor)) else []
    assert not faults, "\n".join(faults)


def random_step(visitor: Visitor, rng: random.Random) -> str:
    """Changes a widget, presses a button, or opens another page; returns what was done."""
    buttons, tiles = visitor.buttons(), visitor.tiles()
    if rng.random() < 0.15:
        page = rng.choice(PAGES)
        visitor.go(page)
        return "opened"
    if tiles and rng.random() < 0.15:
        proto, image_id = rng.choice(tiles)
        visitor.open_tile(proto, image_id)
        return f"opened the image {image_id}"
    if buttons and rng.random() < 0.2:
        button = rng.choice(buttons)
        visitor.click(button)
        return f"pressed {button.proto.label}"
    node = rng.choice(visitor.widgets())
    values = other_values(node, visitor.shown(node))
    if not values:
        return "nothing"
    value = rng.choice(values)
    visitor.set(node, value)
    return f"{node.key} = {value}"
