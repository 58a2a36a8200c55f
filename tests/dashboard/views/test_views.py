"""Every page, opened and used from the app's own entry, over bundles written by hand."""

import json
from collections.abc import Callable
from contextlib import closing
from functools import cache
from typing import Any

import altair as alt
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.data.maps import NO_CONTROL
from dashboard.state.views import head_name
from db.connection import open_bundle, query
from db.layout import FORMAT
from tests.support import bundles
from tests.support.bundles import CONTROL_KEY, GALLERY, IMAGE_IDS, MODEL_KEY, PAIRS, TEXTS
from tests.support.pages import (
    APP,
    MAPS,
    NUMBERS,
    PAGES,
    WITH_NUMBERS,
    galleries,
    link,
    open_page,
    open_picker,
    plain,
    said,
    shown_queries,
    words,
    write_two_models,
)
from tests.support.places import changed_copy


@pytest.fixture(scope="module")
def with_numbers(bundle) -> Callable[[str], AppTest]:
    """Opens a page and its numbers, once for the tests that only read them."""

    @cache
    def opened(page: str) -> AppTest:
        return open_page(page, opened=NUMBERS)

    return opened


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_without_a_word_of_complaint(page):
    app = open_page(page)

    assert not app.exception
    assert said(app) == ""
    assert len(app.title) == 1
    assert [text for text in words(app).splitlines() if "Streamlit" in text] == []  # app.py's own comments


@pytest.mark.parametrize("page", PAGES)
def test_every_chart_follows_the_schema_of_vega_lite(with_numbers, page):
    """Pages do not check it, since it takes long; a browser draws nothing of some charts that do not."""
    for chart in with_numbers(page).get("vega_lite_chart"):
        spec = json.loads(chart.proto.spec)
        alt.Chart.from_dict(spec)
        titles = [line.get("title", line.get("field")) for line in tooltips(spec)]
        assert not [title for title in titles if "_" in title or title in ("low", "high", "name", "value")]


def tooltips(spec: Any) -> list[dict[str, Any]]:
    """Returns every line of every tooltip in a part of a chart."""
    if isinstance(spec, list):
        return [line for part in spec for line in tooltips(part)]
    if not isinstance(spec, dict):
        return []
    own = spec.get("tooltip")
    parts = [value for name, value in spec.items() if name != "datasets"]
    return [*(own if isinstance(own, list) else []), *tooltips(parts)]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_reopens_from_its_own_link(page):
    first = open_page(page, model=CONTROL_KEY)

    again = open_page(page, **link(first))

    assert link(first)["model"] == CONTROL_KEY
    assert link(again) == link(first)
    assert words(again) == words(first)
    assert said(again) == said(first)
    # The link names a control: the page says so beside its title, and the menu of models at its start.
    assert again.title[0].value.endswith(":gray-badge[control: random weights]")
    assert again.sidebar.selectbox[-1].format_func(CONTROL_KEY).startswith("Control")


@pytest.mark.parametrize("page", WITH_NUMBERS)
def test_every_page_shows_its_numbers_and_the_query_behind_them(with_numbers, page):
    app = with_numbers(page)

    assert not app.exception
    assert any(frame.value.shape[0] for frame in app.dataframe)
    assert any("select" in sql for sql in shown_queries(app))
    assert app.download_button


@pytest.mark.parametrize("page", WITH_NUMBERS)
def test_the_query_behind_the_numbers_can_be_run_as_it_is_shown(with_numbers, bundle, page):
    with closing(open_bundle(bundle)) as opened:
        for sql in shown_queries(with_numbers(page)):
            assert len(query(opened, sql)), sql


def test_a_query_that_found_no_heads_is_not_shown(bundle):
    app = open_page("property_search", heads="L1.H0,L2.H1", k="2", opened=NUMBERS)

    [code] = app.code
    with closing(open_bundle(bundle)) as opened:
        found = query(opened, code.value)["image_id"]
    assert set(found) == set(app.dataframe[0].value["image_id"])


def test_the_largest_sum_error_is_shown():
    about = open_page("leaderboard").sidebar.caption[0].help

    assert "Decomposition exact to 2.5e-7." in plain(about)


def test_rough_precision_and_weights_that_are_not_verified_are_said(tmp_path, monkeypatch, tiny_bundle):
    facts = "precision = 'bf16', precision_images = 512, embedding_difference = 8e-3, head_difference = 0.01"
    facts += ", overlap_5 = 0.984, min_overlap_5 = 0.8, overlap_10 = 0.97, min_overlap_10 = 0.7"
    rough = changed_copy(
        tiny_bundle, tmp_path / "tiny", f"update model set weights_verified = false, {facts}"
    )
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(rough))

    app = open_page("leaderboard")
    about = plain(app.sidebar.caption[0].help)

    assert "Decomposed in bf16: 98 % of the first five texts of a head are those of float32" in about
    assert "(minimum 80 %), on 512 images." in about
    assert "Weights not verified" in words(app)


def test_float32_is_not_mentioned():
    assert "Decomposed in" not in open_page("leaderboard").sidebar.caption[0].help


def test_the_leaderboard_answers_to_its_own_name_too():
    """Before its first run the app is asked for a page by the name of its file, as /leaderboard does."""
    app = AppTest.from_file(str(APP), default_timeout=60).switch_page("views/leaderboard.py")
    app.query_params["metric"] = "uniqueness"
    app.run()

    assert app.title[0].value == "Leaderboard"
    assert link(app)["metric"] == "uniqueness"
    assert said(app) == ""


@pytest.mark.parametrize("page", ["image_neighbors", "text_neighbors"])
def test_changing_the_model_changes_its_heads(page):
    app = open_page(page, head="L1.H0")
    before = app.selectbox(key="w.head").options

    app.selectbox(key="w.model").set_value(CONTROL_KEY).run()

    after = app.selectbox(key="w.head").options
    assert not app.exception
    assert before == ["L1.H0 · color", "L1.H1 · color", "L2.H0 · shape (weak)", "L2.H1 · count?"]
    assert after == ["L2.H0 · pattern (weak)", "L2.H1 · pattern?"]
    assert link(app)["head"] == "L2.H0"
    assert "this model has no such head" in said(app)


def test_image_and_model_go_along_to_the_next_page():
    app = open_page("image_neighbors", image=GALLERY[2], model=CONTROL_KEY)

    app.query_params.clear()
    app.switch_page("views/topic_segmentation.py").run()

    assert link(app)["image"] == GALLERY[2]
    assert link(app)["model"] == CONTROL_KEY
    assert said(app) == ""


@pytest.mark.parametrize("page", MAPS)
@pytest.mark.parametrize("heads", ["all", "layer:2", "property:color", "L1.H1", "L1.H1,L2.H0"])
def test_the_parts_of_a_map_add_up_to_the_score(page, heads):
    app = open_page(
        page, heads=heads, image=GALLERY[1], text="a square", against="a green thing", opened=NUMBERS
    )

    table = app.dataframe[0].value.set_index("part")
    texts, unit = bundles.text_embeddings(), bundles.embeddings()[IMAGE_IDS.index(GALLERY[1])]
    a, b = (texts[list(TEXTS).index(text)] for text in ("a square", "a green thing"))
    column = "a square" if page == "topic_segmentation" else "A − B"
    expected = unit @ (a if page == "topic_segmentation" else a - b)
    assert table[column].iloc[:4].sum() == pytest.approx(table[column].iloc[4], abs=1e-6)
    assert table[column].iloc[4] == pytest.approx(1000 * expected, abs=1.0)


@pytest.mark.parametrize("page", MAPS)
def test_every_control_and_look_of_a_map_is_in_its_link(page):
    app = open_page(page)

    app.segmented_control(key="w.control").set_value("text").run()
    app.slider(key="w.opacity").set_value(30).run()
    app.number_input(key="w.scale").set_value(40.0).run()
    next(b for b in app.button if b.label == "New random sample").click().run()

    found = link(app)
    assert not app.exception
    assert [found[name] for name in ("control", "opacity", "scale", "seed")] == ["text", "30", "40", "1"]


def test_unknown_model_bundle_and_names_in_the_link_are_named():
    app = open_page("leaderboard", model="nobody", bundle="elsewhere", zoom="3")

    for part in ('model "nobody"', 'bundle "elsewhere"', "zoom"):
        assert part in said(app)
    assert not app.exception
    assert link(app)["model"] == MODEL_KEY


def test_a_missing_bundle_says_how_to_make_one(monkeypatch, tmp_path):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(tmp_path / "nothing"))

    app = open_page("leaderboard")

    assert "no bundle at" in said(app)
    assert "headlight demo" in said(app)
    assert not app.exception


def test_a_bundle_of_another_format_is_refused_with_what_to_do(monkeypatch, bundle, tmp_path):
    other = tmp_path / "old"
    other.mkdir()
    (other / "manifest.json").write_text(
        (bundle / "manifest.json").read_text().replace(f'"format": {FORMAT}', '"format": 99')
    )
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(other))

    app = open_page("leaderboard")

    assert "has format 99" in said(app)
    assert not app.exception


def test_pages_do_without_thumbnails(monkeypatch, tmp_path, two_models):
    bare = changed_copy(two_models, tmp_path / "bare", "update image set thumbnail = null")
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(bare))

    for page in ("image_neighbors", "topic_segmentation"):
        app = open_page(page)

        assert not app.exception
        assert said(app) == ""
        open_picker(app)
        assert {tile["picture"] for gallery in galleries(app) for tile in gallery} == {""}


@pytest.fixture(scope="module", params=[1, 3])
def few(request, tmp_path_factory):
    """A bundle whose pool has very few texts, and how many."""
    out = tmp_path_factory.mktemp("few") / "tiny"
    return write_two_models(out, texts=request.param), request.param


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_over_a_pool_of_very_few_texts(monkeypatch, few, page):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(few[0]))

    app = open_page(page)

    assert not app.exception
    assert NO_CONTROL not in said(app), "random heads need no other text"


@pytest.mark.parametrize("page", MAPS)
def test_a_pool_with_too_few_texts_gives_no_random_text_and_says_so(monkeypatch, few, page):
    path, texts = few
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(path))

    asked = {control: open_page(page, heads="all", control=control) for control in ("text", "none")}

    enough = texts == 3 and page == "topic_segmentation"
    assert not asked["text"].exception
    assert not asked["none"].exception
    one_text = texts == 1 and page == "contrastive_segmentation"  # which is A and B
    assert ("same text" in said(asked["text"])) == one_text
    assert (NO_CONTROL in said(asked["text"])) == (not enough and not one_text)
    assert ("Control: " in words(asked["text"])) == enough
    assert NO_CONTROL not in said(asked["none"])


def test_heads_are_named_alike_everywhere():
    app = open_page("heads", opened=NUMBERS)

    frames = [frame.value for frame in app.dataframe if isinstance(frame.value, pd.DataFrame)]
    heads = next(frame for frame in frames if "importance" in frame)
    assert heads["name"].tolist() == [head_name(head) for head in PAIRS]
