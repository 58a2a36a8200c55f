"""What goes along from page to page, and what links that ask for too much are told."""

from dataclasses import fields

import pytest

from dashboard.state import url
from dashboard.state.views import HeadsView
from tests.support.bundles import MODEL_KEY
from tests.support.pages import link, open_page, open_path, said
from tests.support.visitor import Visitor

HEAD_PAGES = ["head", "image_neighbors", "text_neighbors"]
MAPS = ["topic_segmentation", "contrastive_segmentation"]


@pytest.mark.parametrize("page", HEAD_PAGES)
def test_a_chosen_head_goes_along(page):
    visitor = Visitor(page)
    visitor.choose("w.head", 2)

    visitor.go(HEAD_PAGES[HEAD_PAGES.index(page) - 1])
    assert link(visitor.app)["head"] == "L2.H0"
    visitor.go("topic_segmentation")
    assert link(visitor.app)["heads"] == "L2.H0"
    visitor.go("property_search")
    assert link(visitor.app)["heads"] == "L2.H0,"
    assert said(visitor.app) == ""


def test_a_position_among_the_texts_of_one_head_is_none_among_those_of_another():
    page = {"head": "L1.H0", "position": "2", "k": "8"}

    assert url.remembered(page, {"head": "L1.H0"}) == page
    assert url.remembered(page, {"head": "L2.H0", "image": "a"}) == {"head": "L2.H0", "k": "8", "image": "a"}


def test_heads_that_were_not_chosen_leave_the_choice_of_a_page():
    visitor = Visitor("image_neighbors")

    visitor.go("topic_segmentation")
    assert link(visitor.app)["heads"] == "property:color"

    visitor.go("image_neighbors", head="L2.H0")
    visitor.go("topic_segmentation")
    assert link(visitor.app)["heads"] == "L2.H0"
    visitor.choose("w.scope", -1)
    visitor.go("image_neighbors")
    assert link(visitor.app)["head"] == "L2.H0"
    visitor.go("topic_segmentation")
    assert link(visitor.app)["heads"] == "all"


def test_every_kind_of_heads_begins_with_what_was_chosen_for_it():
    visitor = Visitor("topic_segmentation", heads="property:shape")
    kinds = {"head": 0, "heads": 1, "layer": 2, "property": 3, "all": 4}

    visitor.choose("w.scope", kinds["layer"])
    visitor.choose("w.layer", 0)
    visitor.choose("w.scope", kinds["all"])
    visitor.choose("w.scope", kinds["layer"])
    assert link(visitor.app)["heads"] == "layer:1"
    visitor.choose("w.scope", kinds["property"])
    assert link(visitor.app)["heads"] == "property:shape"


def test_one_head_after_several_is_the_last_one():
    visitor = Visitor("topic_segmentation", heads="L2.H0")

    visitor.set(visitor.widget("w.scope"), ["Several"])
    several = visitor.widget("w.many")
    visitor.set(several, list(several.proto.options)[:2])
    assert link(visitor.app)["heads"] == "L1.H0,L1.H1"
    visitor.set(visitor.widget("w.scope"), ["One"])

    assert link(visitor.app)["heads"] == "L2.H0"


@pytest.mark.parametrize("page", ["property_search", *MAPS, "mean_ablation"])
def test_several_heads_begin_with_those_of_the_choice_before(page):
    visitor = Visitor(page, heads="property:color")

    visitor.set(visitor.widget("w.scope"), ["Several"])

    assert link(visitor.app)["heads"] == "L1.H0,L1.H1"


@pytest.mark.parametrize("page", MAPS)
def test_random_heads_are_no_comparison_for_a_map_of_all_heads(page):
    visitor = Visitor(page, heads="all", control="heads")
    control = visitor.widget("w.control.all")
    assert [option.content for option in control.proto.options] == ["Random text", "None"]
    assert visitor.shown(control) == ["Random text"]

    visitor.set(visitor.widget("w.scope"), ["A layer"])

    assert visitor.shown(visitor.widget("w.control")) == ["Random heads"]
    assert link(visitor.app)["control"] == "heads"


@pytest.mark.parametrize(
    ("k", "words", "shown"),
    [("100", "only 6 can be shown", "6"), ("-3", "it must lie between 1 and 6", "6"), ("2", "", "2")],
)
def test_a_number_of_images_that_the_page_cannot_show_is_said(k, words, shown):
    app = open_page("head", k=k)

    assert words in said(app)
    assert link(app)["k"] == shown


@pytest.mark.parametrize("page", ["text_neighbors", *MAPS])
def test_an_empty_text_in_a_link_is_said(page):
    app = open_page(page, text="")

    assert "The text is empty" in said(app)
    assert link(app)["text"] == ""


def test_what_a_page_does_not_have_is_said_in_one_warning():
    app = open_page("heads", model=MODEL_KEY, head="L1.H0", position="0", k="8", seed="0", color="no")

    [warning] = app.warning
    assert "position, k, seed, which this page does not have" in said(app)
    assert "color=no" in said(app)
    assert set(link(app)) == {field.name for field in fields(HeadsView)}


def test_a_name_in_a_link_is_shown_as_it_is_written():
    app = open_page("property_search", heads="property:zebra")

    assert "heads=property:zebra: no head of this model is labeled" in said(app)
    assert ":zebra" not in app.warning[0].value.replace(r":color[\:]zebra", "")


def test_texts_that_are_the_same_have_no_difference_to_draw():
    app = open_page("contrastive_segmentation", text="a circle", against=" a circle")

    assert "A and B are the same text" in said(app)
    assert not app.get("vega_lite_chart")


@pytest.mark.parametrize("page", ["property_search", *MAPS, "mean_ablation", "image_neighbors"])
def test_heads_link_to_their_pages(page):
    app = open_page(page, heads="L1.H1,L2.H0") if page != "image_neighbors" else open_page(page, head="L1.H1")

    links = {node.proto.label: node.proto for node in app.main.get("page_link")}
    assert "head=L1.H1" in links["L1.H1"].query_string
    assert links["L1.H1"].page == "head"


@pytest.mark.parametrize(
    ("name", "near"), [("nowhere", []), ("haeds", ["heads"]), ("L2.H1", ["head"]), ("<b>", [])]
)
def test_an_address_without_a_page_explains_and_leads_on(name, near, monkeypatch):
    monkeypatch.setattr(url, "page_name", lambda address: name)

    app = open_path(name)

    assert app.title[0].value == "No such page"
    assert f"There is no page “{name}”" in said(app)
    assert [node.proto.page for node in app.main.get("page_link")] == near


@pytest.mark.parametrize(
    ("address", "name"),
    [("http://localhost:8501/", ""), ("http://localhost/a/heads", "heads"), ("http://h/a%20b", "a b")],
)
def test_the_name_of_a_page_is_the_end_of_its_address(address, name):
    assert url.page_name(address) == name


@pytest.mark.parametrize(
    ("path", "title"), [("start", "Headlight"), ("index", "Headlight"), ("leaderboard", "Leaderboard")]
)
def test_the_first_page_has_other_names_and_each_name_opens_its_page(path, title, monkeypatch):
    monkeypatch.setattr(url, "page_name", lambda address: path)

    assert open_path(path).title[0].value == title


def test_a_step_back_to_a_mixture_of_two_pages_opens_the_page_as_it_was_left():
    """In the history of a browser: the path of the page that was left, and the parameters of the next one."""
    app = open_page("image_neighbors", k="5")
    app.query_params.clear()
    app.switch_page("views/head.py").run()
    assert link(app)["k"] == "6"

    app.switch_page("views/image_neighbors.py").run()

    assert said(app) == ""
    assert link(app)["k"] == "5"
    assert "position" not in link(app)
