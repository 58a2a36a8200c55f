"""A person's own labels, from the page of a head into a new bundle."""

import json

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

from dashboard.controls import own_labels as controls
from dashboard.data.own_labels import OwnLabel
from dashboard.sections.shared import csv
from precompute.tools.label.run import run
from tests.support.bundles import MODEL_KEY, MODELS
from tests.support.labeled import select, task
from tests.support.pages import open_page, said
from tests.support.tables import table_with

WHY = '=every row, "or" nearly'


@pytest.fixture(autouse=True)
def _serve(two_models, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(two_models))


def typed(app, **words: str):
    """Types a label, its reason and its author, and keeps them."""
    for name, text in words.items():
        next(box for box in app.text_input if box.key.endswith(f".{name}.words")).set_value(text)
    next(button for button in app.button if button.label == "Keep").click().run()
    return app


def test_labels_of_several_heads_collect_and_are_removed():
    app = typed(open_page("head", head="L1.H0"), label=" fine  stripes", why=WHY, by="Ada")
    app.selectbox(key="w.head").set_value((2, 0)).run()
    assert next(box for box in app.text_input if box.key.endswith(".by.words")).value == "Ada"
    typed(app, label="dots")

    table = table_with(app, "why")
    assert table[["name", "label", "why", "by"]].values.tolist() == [
        ["L1.H0", "fine stripes", WHY, "Ada"],
        ["L2.H0", "dots", "", "Ada"],
    ]
    app.switch_page("views/heads.py").run()
    app.switch_page("views/head.py").run()
    assert len(table_with(app, "why")) == 2, "the session keeps them"

    app.session_state[controls.TABLE] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    app.button(key="own_labels.remove").click().run()
    assert table_with(app, "why")["label"].tolist() == ["dots"]


def test_what_can_be_no_label_is_said_and_not_kept():
    app = typed(open_page("head", head="L1.H0"), label="n/a")

    assert "means that a value is missing" in said(app)
    assert controls.LABELS not in app.session_state


def test_the_tab_gives_labels_back_after_the_page_was_loaded_again():
    app = open_page("head", head="L1.H0")
    [node] = [node for node in app.get("bidi_component") if "labels" in json.loads(node.proto.json)]
    assert json.loads(node.proto.json)["labels"] is None, "this session has none yet"

    event = json.dumps(
        [{"event": "restored", "value": json.dumps([[MODELS[MODEL_KEY], 1, 0, "dots", "", ""]])}]
    )
    state = WidgetState(id=f"$$STREAMLIT_INTERNAL_KEY_{node.proto.id}__events", json_trigger_value=event)
    app._run(WidgetStates(widgets=[*app._tree.get_widget_states().widgets, state]))

    assert table_with(app, "why")["label"].tolist() == ["dots"]
    [node] = [node for node in app.get("bidi_component") if "labels" in json.loads(node.proto.json)]
    assert "dots" in json.loads(node.proto.json)["labels"]


def test_the_saved_file_gives_a_bundle_with_the_label_and_its_reason(two_models, tmp_path, monkeypatch):
    app = typed(open_page("head", head="L1.H0"), label="Fine Stripes", why=WHY, by="Ada")
    shown = table_with(app, "why")
    file = tmp_path / "own_labels.csv"
    file.write_bytes(csv(shown[list(OwnLabel._fields)]))

    run(task(two_models, tmp_path / "new", overrides=file))

    where = f"model_key = '{MODEL_KEY}' and layer = 1 and head = 0 and chosen"
    rows = select(tmp_path / "new", f"select label, given_by, reason from head_label where {where}")
    assert rows == [("fine stripes", "Ada", WHY)]
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(tmp_path / "new"))
    assert table_with(open_page("head", head="L1.H0"), "reason")["reason"].iloc[0] == WHY
