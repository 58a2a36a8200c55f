"""The page Validation over bundles written by hand."""

import pytest
import streamlit as st

from dashboard.state.views import MODES
from tests.support.bundles import CONTROL_KEY, MODEL_KEY
from tests.support.pages import NUMBERS, link, open_page, open_path, said, words


@pytest.mark.parametrize(
    ("path", "title", "old", "now"),
    [
        ("knock_out", "Mean-ablation", {"attribute": "shape", "heads": "L2.H0", "seed": "3"}, {}),
        ("truth", "Validation", {"section": "ablation", "by": "dot"}, {"section": "mean_ablation"}),
        ("truth", "Validation", {"section": "neighbors", "by": "dot"}, {}),
    ],
)
def test_a_link_of_an_earlier_version_opens_the_same_view(path, title, old, now):
    app = open_path(path, model=CONTROL_KEY, **old)

    assert not app.exception
    assert app.title[0].value == f"{title} :gray-badge[control: random weights]"
    assert said(app) == ""
    shown = link(app)
    assert {name: shown[name] for name in old} == old | now
    assert shown["model"] == CONTROL_KEY


@pytest.mark.parametrize("section", MODES["section"])
def test_a_bundle_without_validation_says_how_to_get_it(monkeypatch, plain, section):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(plain))

    app = open_page("validation", section=section)

    assert not app.exception
    assert "--validation" in said(app)
    assert ("--masks" in said(app)) == (section == "maps")
    assert link(app)["section"] == section


@pytest.mark.parametrize("has_validation", [True, False])
def test_the_page_is_in_the_menu_of_a_bundle_that_has_validation(monkeypatch, plain, has_validation):
    if not has_validation:
        monkeypatch.setenv("HEADLIGHT_BUNDLE", str(plain))
    menus, navigation = [], st.navigation

    def spy(pages, **options):
        menus.append([page.title for page in pages if page._visibility == "visible"])
        return navigation(pages, **options)

    monkeypatch.setattr(st, "navigation", spy)
    app = open_page("heads")

    assert not app.exception
    assert ("Validation" in menus[-1]) == has_validation
    assert "Mean-ablation" in menus[-1]


def test_a_bundle_without_controls_has_a_leaderboard_all_the_same(monkeypatch, plain):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(plain))

    app = open_page("leaderboard")

    assert not app.exception
    assert app.dataframe[0].value["control"].tolist() == ["", "random weights"]


@pytest.mark.parametrize("section", MODES["section"])
@pytest.mark.parametrize("model", [MODEL_KEY, CONTROL_KEY])
def test_every_section_opens_and_is_in_its_link(section, model):
    app = open_page("validation", section=section, model=model, opened=NUMBERS)

    assert not app.exception
    assert said(app) == ""
    assert link(app)["section"] == section
    assert any(len(frame.value) for frame in app.dataframe)
    assert any("select" in code.value for code in app.code)
    assert ("no evidence for others" in words(app)) == (model == CONTROL_KEY and "*Holds*" in words(app))


def test_labels_are_shown_beside_their_baselines():
    app = open_page("validation", section="labels")

    told = words(app)
    assert (
        "**Holds.** The label that pages show is right for 3 of 4 heads: on average over attributes" in told
    )
    assert "75 % of their heads, against 50 % by naming every head alike, 38 % if the same labels" in told


def test_every_head_is_marked_right_wrong_or_unsupported():
    app = open_page("validation", section="heads")

    table = app.dataframe[0].value.set_index("name")
    assert table["acts_on"].to_dict() == {
        "L1.H0": "color",
        "L1.H1": "color",
        "L2.H0": "shape",
        "L2.H1": "shape",
    }
    assert table["verdict"].tolist() == ["right", "right", "right", "unsupported"]
    assert "Of 3 supported labels 3 name what the head acts on." in words(app)


def test_many_verdicts_are_counted_and_folded(monkeypatch):
    one_by_one = open_page("validation", section="maps").markdown
    sentences = [element.value for element in one_by_one if "Holds.**" in element.value]
    monkeypatch.setattr("dashboard.sections.validation.MAX_SENTENCES", len(sentences) - 1)

    app = open_page("validation", section="maps")

    folded = [box for box in app.expander if box.label == f"The {len(sentences)} cases"]
    assert [element.value for element in folded[0].markdown] == sentences
    assert f"Holds in {len(sentences)} of {len(sentences)} cases." in words(app)


def test_the_cost_of_heads_is_shown_in_points():
    app = open_page("validation", section="mean_ablation")

    assert (
        "Mean-ablating the color heads costs 50.0 points of color and 5.0 points of shape. Random sets of as "
        "many heads cost 5.0 to 15.0 points of color." in words(app)
    )


def test_texts_that_lose_much_of_the_accuracy_fail():
    """(0.5 + 0.6) / 2 of (0.9 + 0.8) / 2 with one text; five are more than a head has dimensions."""
    app = open_page("validation", section="texts")

    assert "**Fails.** With the first text of every head, accuracy is 55 %" in words(app)
    assert "against 85 % with unchanged heads" in words(app)


def test_maps_are_shown_beside_the_control():
    app = open_page("validation", section="maps")

    assert "less that on the other: +0.200 (+0.150 to +0.250); on random weights +0.020." in words(app)


def test_neighbors_change_with_how_they_are_compared():
    app = open_page("validation", section="neighbors")
    assert "Through the color heads 100 % of the nearest images share the query's color" in words(app)

    app.segmented_control(key="w.by").set_value("dot").run()

    assert "Through the color heads 90 % of the nearest images share the query's color" in words(app)
    assert link(app)["by"] == "dot"


def test_a_section_is_chosen_by_hand():
    app = open_page("validation")

    app.segmented_control(key="w.section").set_value("texts").run()

    assert link(app)["section"] == "texts"
    assert "Do a head's texts describe all of it?" in words(app)
