"""Controls of a person's own labels: typed on the page of a head, kept in the session, saved and loaded."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.data import cached, own_labels
from dashboard.data.own_labels import NoLabels, OwnLabel
from dashboard.data.types import Source
from dashboard.sections import head_links
from dashboard.sections.shared import csv, draw_table, save_button
from dashboard.state import url
from dashboard.state.markdown import literal
from dashboard.state.url import WIDGET, init_widget
from dashboard.state.views import Head, head_name

LABELS, FILE, ANSWER, TABLE = "own_labels", "own_labels.file", "own_labels.answer", "own_labels.table"
"""Names in the session: the labels, the file that was chosen last, what was said of it, the table."""

SCRIPT = Path(__file__).parents[1] / ".streamlit" / "own_labels.js"
keep_in_tab = st.components.v2.component("headlight_own_labels", js=SCRIPT.read_text(encoding="utf-8"))

COMMAND = "headlight label BUNDLE --out NEW --overrides own_labels.csv"
LASTS = (
    "Labels last until this tab is closed, also if the page is loaded again. This command writes a bundle in "
    "which they stand above all other labels."
)


def session_labels() -> tuple[OwnLabel, ...]:
    """Returns the labels of this session, of all bundles."""
    return st.session_state.get(LABELS, ())


def model_name(source: Source) -> str:
    """Returns how a file of labels names the model: its key if another model has its name."""
    names = [row.model for row in cached.models(source.bundle).itertuples()]
    return source.info.model if names.count(source.info.model) == 1 else source.key


def sources_by_name(source: Source) -> dict[str, Source]:
    """Returns the models of the bundle, by the names of a file of labels."""
    return {model_name(other): other for other in cached.sources(source.bundle, source.name)}


def label_form(source: Source, head: Head) -> None:
    """Boxes for a label of the head, its reason and its author, and a button that keeps them."""
    place = (model_name(source), *head)
    known = next((label for label in session_labels() if label.place == place), None)
    name = f"own.{source.key}.{head_name(head)}"
    last_by = known.by if known else url.last("own.by", "")
    with st.form("own_label", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        keys = {
            "label": init_widget(f"{name}.label.words", known.label if known else ""),
            "why": init_widget(f"{name}.why.words", known.why if known else ""),
            "by": init_widget(f"{name}.by.words", last_by),
        }
        typed = st.text_input(
            "Label", key=keys["label"], max_chars=own_labels.MAX_LABEL, width=200, placeholder="stripes"
        )
        st.text_input(
            "Why",
            key=keys["why"],
            max_chars=own_labels.MAX_WHY,
            width="stretch",
            placeholder="what is to be seen",
        )
        st.text_input("By", key=keys["by"], max_chars=own_labels.MAX_BY, width=140, placeholder="your name")
        st.form_submit_button("Keep", on_click=keep, args=(place, keys), icon=":material/label:")
    if typed and (reason := own_labels.problem(typed)):
        st.warning(literal(reason), icon=":material/spellcheck:")


def keep(place: tuple[str, int, int], keys: dict[str, str]) -> None:
    """Keeps what was typed as the label of a head, if it can be one."""
    label, by, why = (" ".join(st.session_state[keys[name]].split()) for name in ("label", "by", "why"))
    if not own_labels.problem(label):
        url.keep("own.by", by)
        st.session_state[LABELS] = own_labels.with_label(session_labels(), OwnLabel(*place, label, by, why))


def label_list(source: Source) -> None:
    """The labels of this bundle in a table, with buttons that remove, save and load them."""
    sources = sources_by_name(source)
    labels = [label for label in session_labels() if label.model in sources]
    rows = draw_labels(sources, labels) if labels else []
    with st.container(horizontal=True, vertical_alignment="center"):
        if labels:
            frame = pd.DataFrame(labels)
            save_button("Save as CSV", lambda: csv(frame), "own_labels.csv", "text/csv")
            st.button(
                "Remove the chosen rows",
                key="own_labels.remove",
                icon=":material/delete:",
                disabled=not rows,
                on_click=remove,
                args=([labels[row] for row in rows if row < len(labels)],),
            )
        loader()
    if labels:
        st.caption(LASTS)
        st.code(COMMAND, language="sh")
    words, fine = st.session_state.pop(ANSWER, ("", True))
    if words:
        (st.success if fine else st.warning)(literal(words))


def draw_labels(sources: dict[str, Source], labels: list[OwnLabel]) -> list[int]:
    """Labels as a table with links to their heads; returns the chosen rows."""
    shown = pd.DataFrame(labels).assign(
        model_key=[sources[label.model].key for label in labels],
        name=[head_name((label.layer, label.head)) for label in labels],
    )
    by_key = {source.key: source for source in sources.values()}
    text = st.column_config.TextColumn
    columns: dict[str, Any] = {
        head_links.LINK: head_links.column(width=70),
        "model": text("model", width=220),
        "label": text("label", width=160),
        "why": text("why", width=320),
        "by": text("by", width=100),
    }
    event = draw_table(
        shown.assign(open=head_links.of_models(by_key, shown)),
        columns,
        "Your own labels in this tab",
        key=TABLE,
        on_select="rerun",
        selection_mode="multi-row",
        column_order=list(columns),
    )
    return event["selection"]["rows"]


def remove(labels: list[OwnLabel]) -> None:
    """Removes labels from the session."""
    st.session_state[LABELS] = tuple(label for label in session_labels() if label not in labels)
    forget_typed()


def loader() -> None:
    """Takes labels of a CSV, and those that the tab has kept from before the page was loaded again."""
    labels = st.session_state.get(LABELS)
    data = {"labels": None if labels is None else own_labels.to_json(labels)}
    keep_in_tab(key="own_labels.tab", data=data, on_restored_change=restore)
    with st.popover("Load labels", icon=":material/upload_file:"):
        st.file_uploader(
            "A CSV that was saved here", type=["csv"], key=FILE, max_upload_size=1, on_change=take_file
        )


def restore() -> None:
    """Takes the labels that the tab has kept."""
    try:
        kept = own_labels.from_json(st.session_state["own_labels.tab"]["restored"])
    except NoLabels:
        return
    st.session_state[LABELS] = own_labels.merged(kept, session_labels())
    forget_typed()


def take_file() -> None:
    """Adds the labels of a file; labels of the same heads are replaced."""
    file = st.session_state[FILE]
    if file is None:
        return
    try:
        labels = own_labels.from_csv(file.getvalue())
    except NoLabels as error:
        st.session_state[ANSWER] = f"{file.name}: {error}", False
        return
    st.session_state[LABELS] = own_labels.merged(session_labels(), labels)
    st.session_state[ANSWER] = f"{file.name}: {len(labels)} labels.", True
    forget_typed()


def forget_typed() -> None:
    """Lets the boxes begin with the labels of the session again."""
    for key in [key for key in st.session_state if str(key).startswith(f"{WIDGET}own.")]:
        del st.session_state[key]
