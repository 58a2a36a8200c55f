"""The pages Heads and Head, opened and used over the tiny bundle: what they find, show, mark and link to."""

import numpy as np
import pandas as pd
import pytest

from dashboard.analyses import text_directions
from dashboard.data import cached, label_text
from dashboard.data import heads as head_data
from dashboard.sections import head as head_sections
from dashboard.sections.head_evidence import INTERVAL
from dashboard.state.views import HeadsView, Labels, Range
from db.store import BundleWriter
from tests.support import bundles, known_heads
from tests.support.bundles import (
    CONTROL_KEY,
    IMAGE_IDS,
    MODEL_KEY,
    TEXTS,
)
from tests.support.pages import (
    link,
    open_numbers,
    open_page,
    said,
    words,
    write_two_models,
)

IMPORTED = {
    "has_vectors": False,
    "images": None,
    "gallery_images": None,
    "max_sum_error": None,
    "precision": None,
    "layers": None,
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_two_models(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(autouse=True)
def _serve(bundle, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(bundle))


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """The tiny bundle, but of its second model only texts and labels are known, as from a file."""
    tables = bundles.tables()
    model, head = tables["model"], tables["head"]
    theirs = model["model_key"] == CONTROL_KEY
    for name, value in IMPORTED.items():
        model[name] = model[name].astype(object).mask(theirs, value)
    head["importance"] = head["importance"].mask(head["model_key"] == CONTROL_KEY)
    with BundleWriter(tmp_path_factory.mktemp("imported") / "tiny", input_id="imported") as writer:
        for name, rows in tables.items():
            if name in (
                "head_text",
                "head_metric",
                "head_selectivity",
                "head_validation",
                "validation_score",
            ):
                mine = rows["model_key"] == CONTROL_KEY
                if name == "head_text":
                    shares = ["variance_share", "cumulative_share", "margin", "stability"]
                    rows[shares] = rows[shares].mask(mine)
                else:
                    rows = rows[~mine]
            writer.write(name, rows)
        bundles.write_vectors(writer, MODEL_KEY)
        return writer.finish({"software": {"headlight": "test"}, "method_versions": {"textspan": 1}})


def found(app) -> pd.DataFrame:
    """What the finder lists."""
    return next(frame.value for frame in app.dataframe if "first_texts" in frame.value)


@pytest.fixture
def source(bundle):
    return cached.source(cached.bundle(bundle), "tiny", MODEL_KEY)


def table_with(app, column: str) -> pd.DataFrame:
    return next(frame.value for frame in app.dataframe if column in frame.value)


def test_the_finder_lists_every_head_until_it_is_asked_for_some():
    app = open_page("heads")

    assert found(app)["name"].tolist() == ["L1.H0", "L1.H1", "L2.H0", "L2.H1"]
    assert found(app)["label"].tolist() == ["color", "color", "shape", "count?"]
    assert found(app)["CCS"].tolist() == [5, 4, 3, 2]
    assert found(app)["CCS, 95 %"].tolist() == ["4 to 5", "3 to 5", "2 to 5", "1 to 5"]
    assert "4 of 4 heads" in words(app)


@pytest.mark.parametrize(
    ("asked", "heads"),
    [
        ({"labels": Labels(("color",))}, ["L1.H0", "L1.H1"]),
        ({"labels": Labels(("count", "shape"))}, ["L2.H0", "L2.H1"]),
        ({"over": "supported"}, ["L1.H0", "L1.H1", "L2.H0"]),
        ({"head_metric": "ccs", "range": Range(2.5, 4)}, ["L1.H1", "L2.H0"]),
        ({"words": "over blue"}, ["L1.H0", "L1.H1", "L2.H0"]),
        ({"words": "CIRCLE"}, ["L1.H1", "L2.H0", "L2.H1"]),
    ],
)
def test_heads_are_found_by_label_support_metric_or_words(source, asked, heads):
    assert head_data.find_heads(source, HeadsView(**asked))["name"].tolist() == heads


def test_a_link_asks_for_heads_by_all_filters_together():
    asked = {"labels": "color|shape", "over": "supported", "words": "circle", "range": "2..3.5"}

    app = open_page("heads", **asked)

    assert found(app)["name"].tolist() == ["L2.H0"]
    assert {name: link(app)[name] for name in asked} == asked
    assert said(app) == ""


def test_the_text_that_matches_stands_beside_its_head_with_its_position(source):
    table = head_data.find_heads(source, HeadsView(words="circle")).set_index("name")

    assert table["matching text"].to_dict() == {
        "L1.H1": "a circle",
        "L2.H0": "a circle",
        "L2.H1": "a circle",
    }
    assert table["position"].to_dict() == {"L1.H1": 2, "L2.H0": 1, "L2.H1": 0}


def test_filters_of_the_page_stand_in_its_link():
    app = open_page("heads")

    app.multiselect(key="w.labels").set_value(["shape"]).run()
    app.segmented_control(key="w.over").set_value("supported").run()
    app.text_input(key="w.words").set_value("  a   square ").run()
    app.slider(key=f"w.range.{MODEL_KEY}.ccs").set_value((3.0, 4.5)).run()

    assert not app.exception
    asked = {"labels": "shape", "over": "supported", "words": "a square", "range": "3..4.5"}
    assert {name: link(app)[name] for name in asked} == asked
    assert found(app)["name"].tolist() == ["L2.H0"]


def test_no_head_that_passes_says_what_to_do():
    app = open_page("heads", words="zebra")

    assert "No head passes all of these filters" in said(app)
    assert not app.exception


def test_what_colors_the_heads_is_listed_too():
    app = open_page("heads", color="selectivity:color")

    table = found(app).set_index("name")
    assert not app.exception
    assert link(app)["color"] == "selectivity:color"
    assert "**Selectivity for color**: Share of what the head writes" in words(app)
    assert table["Selectivity for color"].tolist() == [0.8, 0.5, 0.1, 0.05]
    assert table.loc["L1.H0", "Selectivity for color, 95 %"] == "0.75 to 0.85"


def test_a_click_on_a_row_opens_the_page_of_that_head():
    app = open_page("heads", labels="shape|count")

    app.session_state["heads.found"] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    app.run()

    assert app.title[0].value == "Head"
    assert link(app)["head"] == "L2.H1"
    assert said(app) == ""


def test_a_step_back_from_a_head_leads_to_the_heads_as_they_were_left():
    """The browser's history has the head's link behind the path of the page that was left."""
    app = open_page("heads", color="ccs", words="circle")
    app.session_state["heads.found"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    of_the_head = link(app)

    app.switch_page("views/heads.py")
    for name, value in of_the_head.items():
        app.query_params[name] = value
    app.run()

    assert app.title[0].value == "Heads"
    assert said(app) == ""
    assert app.selectbox(key="w.color").value == "ccs"
    assert found(app)["name"].tolist() == ["L1.H1", "L2.H0", "L2.H1"]
    assert link(app) == of_the_head, "another step would stand in the way back"
    app.text_input(key="w.words").set_value("square").run()
    assert (link(app)["color"], link(app)["words"]) == ("ccs", "square")


def test_what_the_model_lacks_is_named_and_replaced():
    app = open_page("heads", color="warmth", labels="color|taste", range="4..1")

    for part in (
        "color=warmth: the heads of this model cannot be colored by it. Shown instead: label.",
        'no head of this model is labeled "taste". Shown instead: color.',
        "a range runs from its lower to its upper end",
    ):
        assert part in said(app)
    assert found(app)["name"].tolist() == ["L1.H0", "L1.H1"]


def test_another_model_keeps_the_filters_that_it_can():
    app = open_page("heads", labels="color", head_metric="ccs", range="2..5")

    app.selectbox(key="w.model").set_value(CONTROL_KEY).run()

    assert not app.exception
    assert found(app)["name"].tolist() == ["L2.H0", "L2.H1"]
    assert link(app)["labels"] == ""


def test_texts_of_a_head_say_which_of_them_carry_its_label():
    table = table_with(open_page("head", head="L1.H1"), "carries_label")

    assert table["text"].tolist() == list(TEXTS)[1:4]
    assert table["carries_label"].tolist() == [True, True, False]
    assert table["variance_share"].tolist() == [50, 25, 12.5]
    assert table["stability"].tolist() == pytest.approx([90, 60, 30])


def test_a_label_comes_with_all_its_evidence():
    table = table_with(open_page("head", head="L1.H1"), "method")

    assert table["method"].tolist() == ["person"] + ["enrichment"] * 3
    assert table[["label", "given_by", "reason"]].iloc[0].tolist() == ["color", "Ada", known_heads.REASON]
    assert table["chosen"].tolist() == [True, False, False, False]
    assert "lead" not in table, "what no label of the head has is left out"


def test_judges_stand_side_by_side_and_several_draws_as_a_share():
    table = table_with(open_page("head", head="L2.H0"), "tag_match")

    assert table[known_heads.JUDGE].tolist() == ["50 % yes", "✓ yes", "✗ no"]
    assert table["tag_match"].tolist() == ["✗ no", "✓ yes", "✓ yes"]


def test_answers_of_language_models_are_shown_where_there_are_any():
    app = open_page("head", head="L2.H0")
    assert [box.label for box in app.expander if "answers" in box.label] == ["6 answers of language models"]

    app.session_state["answers"] = True
    app.run()

    assert table_with(app, "endpoint")["parsed"].fillna("").tolist()[:3] == ["shape", "shape", ""]
    other = open_page("head", head="L1.H0")
    assert not [box for box in other.expander if "answers" in box.label]


def test_metrics_stand_beside_what_rotated_heads_give():
    table = open_page("head", head="L1.H1").table[0].value

    assert table["metric"].tolist() == ["CCS"], (
        "one without a value is left out, chance is no line of its own"
    )
    assert table[["value", INTERVAL, "chance"]].iloc[0].tolist() == ["4", "3\u00a0to\u00a05", "1.5"]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_images_are_sorted_along_the_chosen_text(position):
    """Against brute force in d_out: texts made orthogonal there, inside the head's axes, and no bundle."""
    app = open_page("head", head="L2.H0", position=str(position), k="3")
    open_numbers(app)

    axes = slice(2, 2 + bundles.USED)
    unit, _ = np.linalg.qr(bundles.text_embeddings()[2:5, axes].T)
    own = bundles.text_embeddings()[2 + position, axes]
    unit = unit[:, position] * np.sign(own @ unit[:, position])
    value = (bundles.coordinates()[:, 2] - bundles.coordinates()[:, 2].mean(axis=0))[:, : bundles.USED] @ unit
    value = value / value.std()
    galleries = [frame.value for frame in app.dataframe if "image_id" in frame.value]
    most, least, drawn = galleries
    assert most["image_id"].tolist() == [IMAGE_IDS[i] for i in np.argsort(-value)[:3]]
    assert least["image_id"].tolist() == [IMAGE_IDS[i] for i in np.argsort(value)[:3]]
    assert drawn["image_id"].tolist() == [IMAGE_IDS[i] for i in text_directions.draw(12, 3, seed=0)]
    for frame in galleries:
        expected = [value[IMAGE_IDS.index(image_id)] for image_id in frame["image_id"]]
        np.testing.assert_allclose(frame["score"], expected, atol=5e-3)


def test_the_chosen_text_is_marked_in_the_table():
    app = open_page("head", head="L2.H0")

    app.selectbox(key="w.position").set_value(2).run()

    assert link(app)["position"] == "2"
    assert app.session_state[head_sections.TEXTS_KEY]["selection"]["rows"] == [2]


def test_another_draw_shows_other_random_images():
    app = open_page("head", k="3")
    open_numbers(app)
    before = [frame.value for frame in app.dataframe if "image_id" in frame.value]

    app.button(key="another_draw").click().run()

    after = [frame.value for frame in app.dataframe if "image_id" in frame.value]
    assert link(app)["seed"] == "1"
    assert before[2]["image_id"].tolist() != after[2]["image_id"].tolist()
    assert before[0]["image_id"].tolist() == after[0]["image_id"].tolist()


def test_buttons_step_from_head_to_head_and_end_at_the_last():
    app = open_page("head", head="L1.H1")
    buttons = {button.label: button for button in app.button}

    buttons["Next"].click().run()
    assert link(app)["head"] == "L2.H0"

    app.selectbox(key="w.head").set_value((2, 1)).run()
    assert {button.label: button.disabled for button in app.button}["Next"]
    assert not {button.label: button.disabled for button in app.button}["Previous"]


def test_a_head_that_the_model_lacks_is_named():
    app = open_page("head", head="L7.H7", seed="5")

    assert "head=L7.H7: this model has no such head in the bundle. Shown instead: L1.H0." in said(app)
    assert link(app)["seed"] == "5"


def test_a_position_past_the_texts_of_the_head_is_named():
    app = open_page("head", position="60")

    assert "position=60: it must lie between 0 and 2." in said(app)
    assert not app.exception


def test_the_headline_says_what_the_label_rests_on():
    assert "L1.H1 · color :blue-badge[given by Ada]" in words(open_page("head", head="L1.H1"))
    weak = f":gray-badge[unsupported: {label_text.MIXED_LISTS} do as well, q = 0.4]"
    assert f"L2.H1 · count? {weak}" in words(open_page("head", head="L2.H1"))


def test_whether_a_label_can_be_trusted_is_said_by_who_gave_it(source):
    said_of = {
        head: label_text.label_support(label_text.head_row(source, head)) for head in bundles.PAIRS[:3]
    }

    assert list(said_of.values()) == [
        "supported, q = 0.01",
        "given by Ada",
        "supported: 100 % of 2 draws of tiny-judge agree",
    ]


@pytest.mark.parametrize("page", ["heads", "head"])
def test_a_page_of_imported_results_opens_from_its_own_link(monkeypatch, imported, page):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(imported))

    app = open_page(page, model=CONTROL_KEY)
    again = open_page(page, **link(app))

    assert not app.exception
    assert link(app)["model"] == CONTROL_KEY
    assert link(again) == link(app)
    assert not again.warning


def test_the_page_of_an_imported_head_shows_everything_but_images_and_says_so(monkeypatch, imported):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(imported))

    app = open_page("head", model=CONTROL_KEY, head="L2.H0")
    open_numbers(app)

    assert said(app) == head_sections.NO_IMAGES
    texts = table_with(app, "carries_label")
    assert texts["text"].tolist() == list(TEXTS)[2:5]
    assert "variance_share" not in texts
    assert "shape" in table_with(app, "method")["label"].tolist()
    assert not [frame for frame in app.dataframe if "image_id" in frame.value]
    assert not app.exception


def test_heads_without_metrics_are_found_by_label_and_words(monkeypatch, imported):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(imported))

    app = open_page("heads", model=CONTROL_KEY, labels="color", words="circle")

    assert found(app)["name"].tolist() == ["L1.H1"]
    assert not app.slider
    assert said(app) == ""


def test_bounds_of_a_slider_hold_every_value_and_are_round(source):
    assert head_data.bounds(source, "ccs") == (2.0, 5.0, 0.01)
    assert head_data.bounds(source, "selectivity:color") == pytest.approx((0.05, 0.8, 0.001))
    assert head_data.bounds(source, "stability") is None
