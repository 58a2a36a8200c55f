"""Options of a link in words of a person: files, labels and titles, as far as the bundle has them."""

from collections.abc import Callable

import pandas as pd

from dashboard.data import cached, choices, images
from dashboard.data.types import Source
from dashboard.state.versus import Versus
from dashboard.state.views import OF_PROPERTY, SEPARATOR, head_name, parse_head, parse_scope

LETTERS = 60
"""Letters of one option in a title."""


def plain(_: Source | None, value: str) -> str:
    """Returns the beginning of a text in one line."""
    line = " ".join(value.split())
    return line if len(line) <= LETTERS else line[: LETTERS - 1] + "…"


def metric_words(source: Source | None, value: str) -> str:
    rows = cached.leaderboard(source.bundle) if source else pd.DataFrame({"metric": [], "title": []})
    titles = dict(zip(rows["metric"], rows["title"], strict=True))
    return plain(source, titles.get(value, value.replace("_", " ")))


def color_words(source: Source | None, value: str) -> str:
    titles = choices.color_titles(source) if source else {}
    return plain(source, titles.get(value, value)).lower()


def head_words(source: Source | None, value: str) -> str:
    names = choices.head_names(source) if source else {}
    head = parse_head(value)
    return names.get(head, value) if head else plain(source, value)


def heads_words(source: Source | None, value: str) -> str:
    scope = parse_scope(value)
    if scope is None:
        return plain(source, value)
    if scope.kind == "head":
        return head_words(source, value)
    if scope.kind == "heads":
        return plain(source, ", ".join(map(head_name, scope.heads)) or "no heads")
    words = {"all": "all heads", "layer": f"the heads of layer {scope.layer}"}
    return words.get(scope.kind, f"the heads of {plain(source, scope.property)}")


def image_words(source: Source | None, value: str) -> str:
    if source is None or not source.has_vectors or not images.exists(source, value):
        return f"image {plain(source, value)}" if value else "no image"
    return plain(source, images.info(source, value).path.rpartition("/")[2])


def other_words(source: Source | None, value: str) -> str:
    return plain(source, choices.model_titles(source.bundle).get(value, value) if source else value)


def subject(source: Source | None, options: dict[str, str]) -> str:
    """Returns what heads are ranked by on the page Which head reads this?"""
    concept = options.get("concept", "")
    by_property = concept.removeprefix(OF_PROPERTY)
    texts = f"{concept.count(chr(10)) + 1} texts"
    forms = {
        "text": f"“{plain(source, options.get('text', ''))}”",
        "image": image_words(source, options.get("image", "")),
        "concept": f"the texts of {by_property}" if by_property != concept else texts,
    }
    both = f"{forms['text']} in {forms['image']}"
    return forms.get(options.get("form", "text"), both)


def versus_words(source: Source | None, value: str) -> str:
    """Returns what a view is compared with; empty for nothing."""
    versus = Versus.parsed(value)
    words = {"model": other_words, "head": head_words, "heads": heads_words, "image": image_words}
    if not versus.kind:
        return ""
    return words.get(versus.kind, lambda source, value: f"“{plain(source, value)}”")(source, versus.value)


WORDS: dict[str, Callable[[Source | None, str], str]] = {
    "metric": metric_words,
    "color": color_words,
    "head": head_words,
    "heads": heads_words,
    "image": image_words,
    "other": other_words,
    "versus": versus_words,
    "section": lambda source, value: plain(source, value).replace("_", "-"),
    "query": lambda source, value: plain(source, value.lstrip("- ")),
    "labels": lambda source, value: plain(source, value.replace(SEPARATOR, ", ")),
}
"""Words of an option by its name; `plain` of the others."""
