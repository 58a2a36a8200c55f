"""The search box of the sidebar leads to heads, labels, texts, images, models and pages."""

from urllib.parse import parse_qs

import pytest

from tests.support.bundles import CONTROL_KEY, IMAGE_IDS, MODEL_KEY, TEXTS
from tests.support.pages import open_page, plain, said

NAMES = list(TEXTS)


def found(app, phrase: str) -> dict[str, tuple[str, dict[str, str]]]:
    """The links of the results by their titles: page and parameters."""
    app.text_input(key="w.find").set_value(phrase).run()
    assert not app.exception
    links = [node.proto for node in app.sidebar.get("page_link")]
    return {
        plain(link.label): (link.page, {name: value for name, [value] in parse_qs(link.query_string).items()})
        for link in links
    }


@pytest.mark.parametrize(
    ("phrase", "title", "page", "parameters"),
    [
        ("L2.H1", "L2.H1 :gray[count]", "head", {"head": "L2.H1", "model": MODEL_KEY}),
        ("l1", "L1.H0 :gray[color]", "head", {"head": "L1.H0"}),
        ("COLOR", "color :gray[2 heads]", "heads", {"labels": "color"}),
        ("circle a", NAMES[3], "which_head", {"text": NAMES[3], "form": "text"}),
        ("color:red", "scenes/00.png :gray[color: red, shape: circle]", "image_neighbors", {}),
        ("random", "tiny/random", "heads", {"model": CONTROL_KEY}),
        ("mean-abl", "Mean-ablation", "mean_ablation", {"model": MODEL_KEY}),
    ],
)
def test_words_lead_to_what_has_them(phrase, title, page, parameters):
    links = found(open_page("head"), phrase)

    where, query = links[title]
    assert where == page
    assert parameters.items() <= query.items()


def test_a_head_of_every_model_is_found_that_of_the_sidebar_first():
    links = found(open_page("heads", model=CONTROL_KEY), "L2.H1")

    assert [query["model"] for _, query in links.values()] == [CONTROL_KEY, MODEL_KEY]


def test_nothing_found_is_said_and_an_empty_box_shows_nothing():
    app = open_page("leaderboard")
    assert not app.sidebar.get("page_link")

    assert found(app, "no such words") == {}
    assert "Nothing has “no such words”" in said(app)
    assert found(app, "  ") == {}


def test_results_are_gone_on_the_next_page():
    app = open_page("leaderboard")
    assert found(app, IMAGE_IDS[0]) == {}
    assert found(app, "scenes/03")

    app.switch_page("views/heads.py").run()

    assert app.text_input(key="w.find").value == ""
