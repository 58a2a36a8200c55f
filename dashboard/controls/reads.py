"""Controls of the page Which head reads this."""

from typing import Any

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.data import reads
from dashboard.data import texts as text_data
from dashboard.data.types import Source
from dashboard.sections.shared import stop_with
from dashboard.state.markdown import literal
from dashboard.state.url import init_text, init_widget
from dashboard.state.views import MAX_PICKS, OF_PROPERTY, ReadsView
from db.layout import normalize_text

FORMS = {"text": "A text", "image": "An image", "both": "A text in an image", "concept": "A concept"}
PICKS = "Number of texts, chosen by TEXTSPAN among these, that span a head's variance."
CONCEPTS = {"property": "A property of the pool", "own": "My own list"}


def query(source: Source, view: ReadsView) -> dict[str, Any]:
    """Returns what heads are ranked by, by its names in the link."""
    form = controls.segmented("form", "Which head reads", FORMS, view.form)
    changes: dict[str, Any] = {"form": form}
    if form == "concept":
        return changes | concept(source, view)
    column = st.container()
    if form != "text":
        changes["image"], column = controls.image_picker(source, view.image)
    if form != "image":
        with column:
            changes["text"] = controls.text_picker(source, "Text", view.text)
    with column:
        return changes | ranking(source, view, form)


def ranking(source: Source, view: ReadsView, form: str) -> dict[str, Any]:
    """Returns the order of the heads and the models whose heads are ranked, by their names in the link."""
    words = reads.WORDS[form]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        changes = {}
        if words.z:
            titles = {"amount": words.amount.capitalize(), "z": words.z}
            changes["order"] = controls.segmented("order", "Rank by", titles, view.order, words.about)
        if len(reads.models(source, "every")) > 1:
            titles = {"every": "Of all models", "one": "Of this model"}
            help = "Texts that the pool lacks, and uploaded images, load every model (some seconds each)."
            changes["models"] = controls.segmented("models", "Heads", titles, view.models, help)
    return changes


def concept(source: Source, view: ReadsView) -> dict[str, Any]:
    """Returns the chosen property or list of texts, and the number of texts, by their names in the link."""
    properties = text_data.properties(source)
    name = view.concept.removeprefix(OF_PROPERTY)
    of_property = view.concept.startswith(OF_PROPERTY) and name in properties
    kinds = CONCEPTS if properties else {"own": CONCEPTS["own"]}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        kind = controls.segmented("concept.kind", "Texts", kinds, "property" if of_property else "own")
        if kind == "property":
            chosen = controls.select("concept.property", "Property", properties, name, width=320)
        key = init_widget("picks", view.picks, range(1, MAX_PICKS + 1))
        picks = st.slider("First texts", 1, MAX_PICKS, key=key, width=200, help=PICKS)
    value = f"{OF_PROPERTY}{chosen}" if kind == "property" else own_list("" if of_property else view.concept)
    return {"concept": value, "picks": picks} | ranking(source, view, "concept")


def own_list(value: str) -> str:
    """Returns the texts that a person types, one a line."""
    typed = st.text_area(
        "Texts, one a line",
        key=init_text("concept.words", value, cleaned),
        placeholder="a photo of stripes\na checkered cloth",
        help="Texts that the pool lacks load the models at first use (some seconds each).",
    )
    return cleaned(typed)


def cleaned(listed: str) -> str:
    """Returns a list of texts, one a line, without spaces around them and empty lines."""
    return "\n".join(filter(None, map(normalize_text, listed.splitlines())))


def stop_if_unreadable(source: Source, view: ReadsView) -> None:
    """Ends the page if there is nothing to rank heads by, or the model cannot read one of the texts."""
    if view.form in ("text", "both"):
        controls.stop_if_empty(source, view)
    if view.form == "concept":
        listed = text_data.of_concept(source, view.concept)
        if not listed:
            stop_with("The list is empty. Type texts, one a line, or choose a property.", ":material/edit:")
        refusals = (text_data.refusal(source, text) for text in text_data.outside_pool(source, listed))
        if refusal := next(filter(None, refusals), None):
            stop_with(literal(refusal.problem), ":material/spellcheck:")
