"""Every page, opened and used from the app's own entry, over bundles written by hand."""

import io
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

import precompute
from dashboard import data
from dashboard.view_state import head_name
from db.store import BundleWriter, ImageTokens, ImageVectors
from db.vectors import HeadSpace
from tests import bundles
from tests.bundles import CONTROL_KEY, GALLERY, IMAGE_IDS, MODEL_KEY, PAIRS, TEXTS

APP = Path(__file__).parents[1] / "dashboard" / "app.py"
PAGES = [
    "leaderboard",
    "property_search",
    "topic_segmentation",
    "contrastive_segmentation",
    "image_neighbors",
    "text_neighbors",
]
MAPS = ["topic_segmentation", "contrastive_segmentation"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_two_models(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture(autouse=True)
def _serve(bundle, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(bundle))


def write_two_models(out: Path, *, thumbnails: bool = True) -> Path:
    """The tiny bundle, but its second model has only the last layer's heads, all about patterns."""
    tables = bundles.tables()
    for name, rows in tables.items():
        if {"model_key", "layer", "head"} <= set(rows.columns) and name != "component_share":
            tables[name] = rows[(rows["model_key"] != CONTROL_KEY) | (rows["layer"] == PAIRS[-1][0])]
    mine = tables["head_label"]["model_key"] == CONTROL_KEY
    tables["head_label"].loc[mine, "label"] = "pattern"
    tables["property_head"].loc[tables["property_head"]["model_key"] == CONTROL_KEY, "property"] = "pattern"
    tables["judgement"].loc[tables["judgement"]["model_key"] == CONTROL_KEY, "label"] = "pattern"
    shares = tables["component_share"]
    gone = (shares["model_key"] == CONTROL_KEY) & (shares["layer"] == PAIRS[0][0])
    tables["component_share"] = shares[~gone]
    tables["model"].loc[tables["model"]["model_key"] == CONTROL_KEY, "first_layer"] = PAIRS[-1][0]
    if not thumbnails:
        tables["image"]["thumbnail"] = None
    with BundleWriter(out, input_id="two") as writer:
        for name, rows in tables.items():
            writer.write(name, rows)
        bundles.write_vectors(writer, MODEL_KEY)
        write_last_layer(writer)
        return writer.finish({"software": {"headlight": "test"}, "method_versions": {"textspan": 1}})


def write_last_layer(writer: BundleWriter) -> None:
    places = [place for place, (layer, _) in enumerate(PAIRS) if layer == PAIRS[-1][0]]
    writer.write_heads(CONTROL_KEY, HeadSpace(*(part[places] for part in bundles.spaces(CONTROL_KEY))))
    y, unit = bundles.tokens(CONTROL_KEY)[:, places], bundles.embeddings(CONTROL_KEY)
    rest = unit - np.einsum("inr,nrd->id", y.sum(axis=2), bundles.spaces(CONTROL_KEY).basis[places])
    writer.write_images(CONTROL_KEY, [ImageVectors(IMAGE_IDS, unit, y.sum(axis=2)[:, None])])
    writer.write_texts(CONTROL_KEY, bundles.TEXT_IDS, bundles.text_embeddings())
    rows = [IMAGE_IDS.index(image_id) for image_id in GALLERY]
    writer.write_tokens(CONTROL_KEY, bundles.TOKENS, (ImageTokens(IMAGE_IDS[i], y[i], rest[i]) for i in rows))


def open_page(page: str, **params: str) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.switch_page(f"views/{page}.py")
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


def said(app: AppTest) -> str:
    """Everything a page says to the user beyond its results."""
    return "\n".join(box.value for kind in (app.error, app.warning, app.info) for box in kind)


def link(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def words(app: AppTest) -> str:
    return "\n".join(element.value for kind in (app.caption, app.markdown) for element in kind)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_without_a_word_of_complaint(page):
    app = open_page(page)

    assert not app.exception
    assert said(app) == ""
    assert len(app.title) == 1


@pytest.mark.parametrize("page", PAGES)
def test_a_page_reopens_from_its_own_link(page):
    first = open_page(page, model=CONTROL_KEY)

    again = open_page(page, **link(first))

    assert link(first)["model"] == CONTROL_KEY
    assert link(again) == link(first)
    assert words(again) == words(first)
    assert said(again) == ""


@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_its_numbers_and_the_query_behind_them(page):
    app = open_page(page)

    open_numbers(app)

    assert not app.exception
    assert any(frame.value.shape[0] for frame in app.dataframe)
    assert any("select" in code.value for code in app.code)
    assert app.download_button


def open_numbers(app: AppTest) -> None:
    app.session_state["numbers"] = True
    app.run()


@pytest.mark.parametrize("page", ["image_neighbors", "text_neighbors"])
def test_changing_the_model_changes_its_heads(page):
    app = open_page(page, head="L1.H0")
    before = app.selectbox(key="w.head").options

    app.selectbox(key="w.model").set_value(CONTROL_KEY).run()

    after = app.selectbox(key="w.head").options
    assert not app.exception
    assert before == ["L1.H0 · color", "L1.H1 · color", "L2.H0 · shape", "L2.H1 · count?"]
    assert after == ["L2.H0 · pattern", "L2.H1 · pattern?"]
    assert link(app)["head"] == "L2.H0"
    assert "this model has no such head" in said(app)


def test_changing_the_model_changes_its_properties():
    app = open_page("property_search", heads="property:color")

    app.selectbox(key="w.model").set_value(CONTROL_KEY).run()

    assert app.selectbox(key="w.property").options == ["pattern · 1 of 2 heads supported"]
    assert link(app)["heads"] == "property:pattern"
    assert 'no head of this model is labeled "color"' in said(app)


def test_changing_the_model_changes_the_texts_that_describe_a_head():
    app = open_page("text_neighbors", head="L2.H1")
    app.selectbox(key="w.text.filter").set_value("head").run()
    before = app.selectbox(key="w.text.pool").options

    app.selectbox(key="w.head").set_value((2, 0)).run()

    after = app.selectbox(key="w.text.pool").options
    assert before == list(TEXTS)[3:6]
    assert after == list(TEXTS)[2:5]


def test_a_set_of_heads_keeps_what_the_new_model_has():
    app = open_page("property_search", heads="L1.H0,L2.H1")

    app.selectbox(key="w.model").set_value(CONTROL_KEY).run()

    assert not app.exception
    assert app.multiselect(key="w.many").value == [(2, 1)]
    assert link(app)["heads"] == "L2.H1"


def test_image_neighbors_come_best_first_and_leave_the_query_out():
    app = open_page("image_neighbors", image=IMAGE_IDS[4], head="L2.H0", k="5")
    open_numbers(app)

    table = app.dataframe[0].value
    y = bundles.coordinates()[:, 2]
    y = y - y.mean(axis=0)
    cosine = y @ y[4] / np.linalg.norm(y, axis=1) / np.linalg.norm(y[4])
    expected = [i for i in np.argsort(-cosine) if i != 4][:5]
    assert table["image_id"].tolist() == [IMAGE_IDS[i] for i in expected]
    np.testing.assert_allclose(table["score"], cosine[expected], atol=2e-3)


def test_the_papers_dot_product_is_one_click_away():
    app = open_page("image_neighbors", image=IMAGE_IDS[4], head="L2.H0", k="5")
    app.segmented_control(key="w.by").set_value("dot").run()
    open_numbers(app)

    y = bundles.coordinates()[:, 2]
    np.testing.assert_allclose(app.dataframe[0].value["score"], sorted(y @ y[4])[::-1][:6][-5:], atol=2e-5)
    assert link(app)["by"] == "dot"


def test_a_neighbor_becomes_the_next_query():
    app = open_page("image_neighbors", image=IMAGE_IDS[4], head="L2.H0", k="3")
    button = next(b for b in app.button if b.key.startswith("query."))

    button.click().run()

    assert link(app)["image"] == button.key.removeprefix("query.")
    assert not app.exception


def test_an_image_is_found_by_its_attributes():
    app = open_page("image_neighbors")

    app.text_input(key="w.search").set_value("RED square").run()
    shown = {b.key.removeprefix("Choose.") for b in app.button if b.key.startswith("Choose.")}

    assert shown == {IMAGE_IDS[n] for n in (3, 9)}


def test_a_search_that_finds_nothing_says_what_to_do():
    app = open_page("image_neighbors")

    app.text_input(key="w.search").set_value("purple").run()

    assert 'No image matches "purple". Try fewer or other words.' in said(app)


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
    app = open_page(page, heads=heads, image=GALLERY[1], text="a square", against="a green thing")
    open_numbers(app)

    table = app.dataframe[0].value.set_index("part")
    texts, unit = bundles.text_embeddings(), bundles.embeddings()[IMAGE_IDS.index(GALLERY[1])]
    a, b = (texts[list(TEXTS).index(text)] for text in ("a square", "a green thing"))
    column = "a square" if page == "topic_segmentation" else "A - B"
    expected = unit @ (a if page == "topic_segmentation" else a - b)
    assert table[column].iloc[:4].sum() == pytest.approx(table[column].iloc[4], abs=1e-6)
    assert table[column].iloc[4] == pytest.approx(1000 * expected, abs=1.0)


def test_what_decides_between_two_texts_adds_up_to_their_difference():
    app = open_page("contrastive_segmentation", image=GALLERY[1], text="a square", against="a green thing")
    open_numbers(app)

    parts, _, heads = (frame.value for frame in app.dataframe[:3])
    assert heads["value"].sum() == pytest.approx(parts["A - B"].iloc[-1], abs=0.1)


@pytest.mark.parametrize("page", MAPS)
def test_every_control_and_look_of_a_map_is_in_its_link(page):
    app = open_page(page)

    app.segmented_control(key="w.control").set_value("text").run()
    app.slider(key="w.opacity").set_value(30).run()
    app.number_input(key="w.scale").set_value(40.0).run()
    next(b for b in app.button if b.label == "Draw another").click().run()

    found = link(app)
    assert not app.exception
    assert [found[name] for name in ("control", "opacity", "scale", "seed")] == ["text", "30", "40", "1"]


def test_a_map_may_be_relative_to_the_mean_text():
    app = open_page(
        "topic_segmentation", image=GALLERY[0], text="a square", reference="relative", heads="all"
    )
    open_numbers(app)

    texts, unit = bundles.text_embeddings(), bundles.embeddings()[IMAGE_IDS.index(GALLERY[0])]
    expected = unit @ (texts[list(TEXTS).index("a square")] - texts.mean(axis=0))
    assert app.dataframe[0].value["a square"].iloc[4] == pytest.approx(1000 * expected, abs=1.0)


def test_two_equal_texts_have_nothing_to_decide():
    app = open_page("contrastive_segmentation", text="a square", against="a square")

    assert "A and B are the same text" in said(app)
    assert not app.exception


def test_no_heads_at_all_asks_for_one():
    app = open_page("property_search", heads="L1.H0,L2.H1")

    app.multiselect(key="w.many").set_value([]).run()

    assert "Choose at least one head" in said(app)
    assert link(app)["heads"] == "L1.H0,L2.H1", "the link keeps the last view that could be shown"


def test_an_unknown_head_in_the_link_is_named_and_nothing_else_is_lost():
    app = open_page("image_neighbors", head="L7.H7", image=IMAGE_IDS[3], by="dot", k="2")

    assert "head=L7.H7: this model has no such head" in said(app)
    assert [link(app)[name] for name in ("image", "by", "k")] == [IMAGE_IDS[3], "dot", "2"]


def test_unknown_model_bundle_and_names_in_the_link_are_named():
    app = open_page("leaderboard", model="nobody", bundle="elsewhere", zoom="3")

    for part in ('model "nobody"', 'bundle "elsewhere"', "zoom"):
        assert part in said(app)
    assert not app.exception
    assert link(app)["model"] == MODEL_KEY


def test_more_neighbors_than_images_are_all_there_are():
    app = open_page("image_neighbors", k="500")

    assert "only 11 can be shown" in said(app)
    assert link(app)["k"] == "11"


def test_a_missing_bundle_says_how_to_make_one(monkeypatch, tmp_path):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(tmp_path / "nothing"))

    app = open_page("leaderboard")

    assert "no bundle at" in said(app)
    assert "make demo" in said(app)
    assert not app.exception


def test_a_bundle_of_another_format_is_refused_with_what_to_do(monkeypatch, bundle, tmp_path):
    other = tmp_path / "old"
    other.mkdir()
    (other / "manifest.json").write_text(
        (bundle / "manifest.json").read_text().replace('"format": 1', '"format": 99')
    )
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(other))

    app = open_page("leaderboard")

    assert "has format 99" in said(app)
    assert not app.exception


def test_pages_do_without_thumbnails(monkeypatch, tmp_path):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(write_two_models(tmp_path / "plain", thumbnails=False)))

    for page in ("image_neighbors", "topic_segmentation"):
        app = open_page(page)

        assert not app.exception
        assert said(app) == ""
        assert "no thumbnail in this bundle" in words(app)


def test_a_model_no_text_no_torch_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "precompute.live", None)
    monkeypatch.delattr(precompute, "live", raising=False)
    st.cache_resource.clear()

    app = open_page("text_neighbors", text="something of my own")

    assert "pip install -r requirements.txt" in said(app)
    assert link(app)["text"] == "something of my own"
    assert app.segmented_control(key="w.text.kind").value == "own"


class FakeLiveError(ValueError):
    pass


@pytest.fixture
def model(monkeypatch):
    """A hand-written stand-in for `precompute.live`: knows four words, sees every image as the fourth one."""
    loads = []

    def load(name, weights_sha256, *, layers, basis, **preprocessing):
        loads.append((name, tuple(layers), basis.shape))
        return "live"

    def encode_texts(live, texts):
        for text in texts:
            if unknown := set(text.split()) - {"a", "red", "circle", "square"}:
                raise FakeLiveError(f"the model never saw {', '.join(sorted(unknown))}. Choose other words.")
        return np.eye(12, dtype=np.float32)[[len(text) % 12 for text in texts]]

    def decompose_image(live, data):
        tokens = bundles.tokens()[3].astype(np.float32)
        parts = types.SimpleNamespace(image=Image.open(io.BytesIO(data)), tokens=tokens)
        parts.coordinates, parts.rest = tokens.sum(axis=1), bundles.rests()[3].astype(np.float32)
        parts.embedding = bundles.embeddings()[3].astype(np.float32)
        return parts

    fake = types.ModuleType("precompute.live")
    fake.load, fake.encode_texts, fake.decompose_image = load, encode_texts, decompose_image
    fake.LiveError = FakeLiveError
    monkeypatch.setitem(sys.modules, "precompute.live", fake)
    monkeypatch.setattr(precompute, "live", fake, raising=False)
    st.cache_resource.clear()
    yield loads
    st.cache_resource.clear()


def picture(color: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), color).save(out, "PNG")
    return out.getvalue()


def test_free_text_loads_the_model_once(model):
    app = open_page("text_neighbors", text="a red circle")
    app.selectbox(key="w.head").set_value((2, 0)).run()
    app.segmented_control(key="w.by").set_value("dot").run()

    assert not app.exception
    assert said(app) == ""
    assert model == [("tiny/known", (1, 2), (4, 8, 12))]


def test_a_text_of_the_pool_needs_no_model_however_it_is_typed(model):
    app = open_page("text_neighbors", text="  a square ")

    assert not app.exception
    assert model == []


def test_typing_a_text_shows_it_and_puts_it_in_the_link(model):
    app = open_page("text_neighbors")

    app.segmented_control(key="w.text.kind").set_value("own").run()
    app.text_input(key="w.text.words").set_value("a red red square").run()

    assert said(app) == ""
    assert link(app)["text"] == "a red red square"


def test_an_empty_text_asks_for_one_and_loses_nothing(model):
    app = open_page("topic_segmentation", text="a red circle", heads="L1.H1", opacity="40")

    app.text_input(key="w.text.words").set_value("   ").run()

    assert "The text is empty. Type one, or choose one from the pool." in said(app)
    assert link(app)["heads"] == "L1.H1"
    app.text_input(key="w.text.words").set_value("a square red").run()
    assert said(app) == ""
    assert [link(app)[name] for name in ("text", "opacity")] == ["a square red", "40"]


def test_a_word_the_model_never_saw_is_named_and_the_controls_stay(model):
    app = open_page("contrastive_segmentation", text="a red zebra")

    assert "the model never saw zebra. Choose other words." in said(app)
    assert not app.exception
    assert app.text_input(key="w.text.words").value == "a red zebra"


@pytest.mark.parametrize("page", ["image_neighbors", "property_search", *MAPS])
def test_an_uploaded_image_is_taken_apart_and_its_link_leads_back(model, page):
    app = open_page(page)

    app.file_uploader(key="upload").upload("mine.png", picture(), "image/png").run()

    assert not app.exception
    assert said(app) == ""
    assert "mine.png" in words(app)
    again = open_page(page, **link(app))
    assert "mine.png" in words(again)
    assert len(model) == 1


def test_an_uploaded_twin_of_an_image_finds_that_image_first(model):
    app = open_page("image_neighbors", head="L2.H0", k="3")

    app.file_uploader(key="upload").upload("mine.png", picture(), "image/png").run()
    open_numbers(app)

    assert app.dataframe[0].value["image_id"].iloc[0] == IMAGE_IDS[3]
    assert app.dataframe[0].value["score"].iloc[0] == pytest.approx(1, abs=1e-3)


def test_an_upload_that_is_no_image_is_named_and_the_page_stays(model):
    app = open_page("image_neighbors", image=IMAGE_IDS[5])

    app.file_uploader(key="upload").upload("notes.txt", b"not a picture", "text/plain").run()

    assert "notes.txt is not an image that can be read" in said(app)
    assert link(app)["image"] == IMAGE_IDS[5]
    assert model == []


def test_an_upload_that_the_server_has_let_go_is_asked_for_again(model):
    app = open_page("image_neighbors")
    app.file_uploader(key="upload").upload("mine.png", picture("green"), "image/png").run()
    lost = link(app)

    data.uploads().clear()
    again = open_page("image_neighbors", **lost)
    app.segmented_control(key="w.by").set_value("dot").run()

    for page in (again, app):
        assert not page.exception
        assert "upload the file again" in said(page)
        assert link(page)["image"] in IMAGE_IDS


def test_an_image_whose_maps_are_not_stored_says_where_its_numbers_come_from(model):
    other = next(image_id for image_id in IMAGE_IDS if image_id not in GALLERY)

    app = open_page("topic_segmentation", image=other)

    assert "Maps of this image are not stored" in said(app)
    assert not app.exception


def test_the_leaderboard_marks_controls_and_gives_chance_its_own_column():
    app = open_page("leaderboard", metric="uniqueness")

    table = app.dataframe[0].value
    assert table["model"].tolist() == ["tiny/known", "tiny/random (control)"]
    assert table["Uniqueness, chance"].tolist() == [0.8, 0.8]
    assert "Higher is easier to interpret." in words(app)
    assert "Text consistency" not in table.columns, "a metric that no model has is left out"


def test_a_metric_that_is_not_defined_says_so():
    app = open_page("leaderboard", metric="text_consistency")

    assert "Text consistency over these heads is not defined" in said(app)


def test_heads_are_named_alike_everywhere():
    app = open_page("leaderboard")
    open_numbers(app)

    frames = [frame.value for frame in app.dataframe if isinstance(frame.value, pd.DataFrame)]
    heads = next(frame for frame in frames if "importance" in frame)
    assert heads["name"].tolist() == [head_name(head) for head in PAIRS]
