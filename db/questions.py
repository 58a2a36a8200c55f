"""Questions for a bundle that a person can start from, each with its SQL in db/sql/questions/."""

from functools import cache
from typing import NamedTuple

from db.layout import SQL

TITLES = {
    "strongest_labels": "Labels of the heads, best supported first",
    "property_over_models": "Heads of one property, in every model",
    "changed_labels": "Heads whose label differs in another model",
    "labels_by_layer": "Labels by layer",
    "methods_that_disagree": "Heads that methods label differently",
    "texts_of_a_head": "Texts of one head",
    "texts_of_many_heads": "Texts that describe the most heads",
    "unstable_texts": "First texts that halves of the images do not agree on",
    "metrics_with_intervals": "Metrics of every model, with intervals",
    "heads_by_metric": "Metrics of every head, with intervals",
    "largest_components": "Components by their share of the embedding",
    "attributes_of_heads": "Heads by the attribute they vary with",
    "costly_ablations": "Heads by the accuracy that mean-ablation costs",
    "images_by_attribute": "Images by attribute",
    "images_with_attributes": "Pictures with their attributes",
    "seconds_of_stages": "Time of every stage of the run",
}
"""Titles of the questions, by the name of their file, in the order of a menu."""


class Question(NamedTuple):
    """A question that a person can start from."""

    name: str
    title: str
    sql: str
    """Its SQL, with parameters."""


@cache
def questions() -> tuple[Question, ...]:
    """Returns all questions."""
    folder = SQL / "questions"
    return tuple(
        Question(name, title, (folder / f"{name}.sql").read_text(encoding="utf-8").strip())
        for name, title in TITLES.items()
    )
