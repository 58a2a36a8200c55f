"""Texts and pictures of the user's own, which the pages ask a model about."""

import sys
import types
from typing import NamedTuple

import numpy as np
import pytest
import streamlit as st
from PIL import Image

import precompute
from dashboard.data import images as images_data
from dashboard.data import live, live_model, token_images
from dashboard.images import VIEW_SIDE, PictureError
from db import layout
from precompute.inputs import images
from tests.dashboard.views.test_strangers import unescaped
from tests.support import bundles, strangers
from tests.support.bundles import CONTROL_KEY, GALLERY, IMAGE_IDS, MODEL_KEY
from tests.support.calls import count_calls
from tests.support.pages import MAPS, link, open_numbers, open_page, open_picker, plain, said, words
from tests.support.pictures import encoded


def test_a_model_no_text_no_torch_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "precompute.live", None)
    monkeypatch.delattr(precompute, "live", raising=False)
    st.cache_resource.clear()

    app = open_page("text_neighbors", text="something of my own")

    assert 'pip install "headlight-clip[precompute]"' in said(app)
    assert link(app)["text"] == "something of my own"
    assert app.segmented_control(key="w.text.kind").value == "own"


class FakeLiveError(ValueError):
    unknown: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()


class Preprocessing(NamedTuple):
    activation: str
    mean: list[float]
    std: list[float]
    interpolation: str
    resize_mode: str


class Load(NamedTuple):
    """What the live door was asked to load."""

    name: str
    weights_sha256: str
    layers: tuple[int, ...]
    basis: tuple[int, ...]
    how: Preprocessing


@pytest.fixture
def model(monkeypatch):
    """A hand-written stand-in for `precompute.live`: knows four words, sees every image as the fourth one."""
    loads = []

    def load(name, weights_sha256, *, layers, basis, activation, mean, std, interpolation, resize_mode):
        how = Preprocessing(activation, list(mean), list(std), interpolation, resize_mode)
        loads.append(Load(name, weights_sha256, tuple(layers), basis.shape, how))
        return "live"

    def encode_texts(live, texts):
        for text in texts:
            if unknown := set(text.split()) - {"a", "red", "circle", "square"}:
                refusal = FakeLiveError("a wall of words")
                refusal.unknown = tuple(sorted(unknown))
                refusal.vocabulary = ("a", "circle", "red", "square")
                raise refusal
        return np.eye(12, dtype=np.float32)[[len(text) % 12 for text in texts]]

    def decompose_image(live, data):
        tokens = bundles.tokens()[3].astype(np.float32)
        parts = types.SimpleNamespace(image=images.decode(data), tokens=tokens)
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
    st.cache_resource.clear()  # uploads too


def picture(color: str = "red") -> bytes:
    return encoded(Image.new("RGB", (60, 40), color))


def test_free_text_loads_the_model_once(model):
    app = open_page("text_neighbors", text="a red circle")
    app.selectbox(key="w.head").set_value((2, 0)).run()
    app.segmented_control(key="w.by").set_value("dot").run()

    assert not app.exception
    assert said(app) == ""
    assert [(one.name, one.layers, one.basis) for one in model] == [("tiny/known", (1, 2), (4, 8, 12))]


@pytest.mark.parametrize(("models", "loaded"), [("every", 2), ("one", 1)])
def test_a_text_of_ones_own_is_read_by_the_models_whose_heads_are_ranked(model, models, loaded):
    app = open_page("which_head", text="a red circle", models=models)

    assert not app.exception
    assert len(model) == app.dataframe[0].value["model_key"].nunique() == loaded


def test_the_first_text_of_ones_own_says_each_step_that_it_waits_for(model, monkeypatch):
    spinners = count_calls(monkeypatch, st, "spinner")

    open_page("text_neighbors", text="a red circle")

    steps = [plain(text) for text, *_ in spinners][:3]
    assert [step[:6] for step in steps] == ["1 of 3", "2 of 3", "3 of 3"]
    assert "tiny/known" in steps[1]


def test_the_model_is_loaded_as_the_bundle_was_made(model):
    """Another activation or preprocessing would give other numbers than the bundle's, without a word."""
    open_page("text_neighbors", text="a red circle")

    [asked] = model
    facts = bundles.tables()["model"].set_index("model_key").loc[MODEL_KEY]
    assert asked.weights_sha256 == facts["weights_sha256"]
    assert asked.how == Preprocessing(*(facts[name] for name in Preprocessing._fields))


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

    assert said(app) == "tiny/known does not know “zebra”."
    assert not app.exception
    assert app.text_input(key="w.text.words").value == "a red zebra"


def test_the_last_result_stays_beside_an_unknown_word_and_near_words_and_examples_are_offered(model):
    app = open_page("text_neighbors", text="a red circle")
    before = app.dataframe[0].value

    app.text_input(key="w.text.words").set_value(f"a circel {'x' * 2000}").run()

    assert "“circel” (spelled like it: circle)" in said(app)
    assert "Shown: a red circle" in said(app)
    assert "x" * 50 not in said(app), "a long word is cut"
    assert app.dataframe[0].value.equals(before)
    assert link(app)["text"] == "a red circle"  # a link shows what the page shows

    next(button for button in app.button if ".example." in (button.key or "")).click().run()

    assert said(app) == "" or "less than by chance" in said(app)
    assert not app.dataframe[0].value.equals(before)


@pytest.mark.parametrize("page", ["heads", "property_search", "text_neighbors", *MAPS])
def test_what_a_visitor_types_is_shown_as_it_is_typed(model, page):
    app = open_page(page)
    for kind in [box for box in app.segmented_control if box.key.endswith(".kind")]:
        kind.set_value("own")
    open_picker(app)
    assert app.text_input

    for key in [box.key for box in app.text_input]:
        app.text_input(key=key).set_value(strangers.WORDS).run()

        assert not app.exception
        assert not unescaped(app)
        assert said(app), "no text, image or head is called like that"


@pytest.mark.parametrize("page", ["image_neighbors", "property_search", *MAPS])
def test_an_uploaded_image_is_decomposed_and_its_link_leads_back(model, page):
    app = open_page(page)

    app.file_uploader(key="upload").upload("mine.png", picture(), "image/png").run()

    assert not app.exception
    assert said(app) == ""
    assert "mine.png" in words(app)
    again = open_page(page, **link(app))
    assert "mine.png" in words(again)
    assert len(model) == 1


def test_an_uploaded_copy_of_an_image_finds_that_image_first(model):
    app = open_page("image_neighbors", head="L2.H0", k="3")

    app.file_uploader(key="upload").upload("mine.png", picture(), "image/png").run()
    open_numbers(app)

    assert app.dataframe[0].value["image_id"].iloc[0] == IMAGE_IDS[3]
    assert app.dataframe[0].value["score"].iloc[0] == pytest.approx(1, abs=1e-3)


def test_an_uploaded_file_of_the_bundle_is_used_rather_than_its_thumbnail(model):
    other = next(image_id for image_id in IMAGE_IDS if image_id not in GALLERY)
    images_data.uploads()[other] = (picture("green"), "mine.png")

    app = open_page("topic_segmentation", image=other)

    assert said(app) == ""
    shown = token_images.token_image(app.session_state["source"], other).picture
    assert shown.getpixel((0, 0)) == (0, 128, 0)


@pytest.mark.parametrize(
    ("name", "image", "seen"),
    [
        ("deep.png", Image.fromarray(np.full((40, 60), 0x8000, np.uint16)), (128, 128, 128)),
        ("clear.png", Image.new("RGBA", (60, 40), (0, 0, 0, 0)), (255, 255, 255)),
    ],
)
def test_an_upload_is_shown_as_the_models_own_decoder_reads_it(model, name, image, seen):
    """Pillow alone clips 16-bit gray to white and shows what is transparent black."""
    app = open_page("topic_segmentation")

    app.file_uploader(key="upload").upload(name, encoded(image), "image/png").run()

    assert not app.exception
    assert said(app) == ""
    shown = token_images.token_image(app.session_state["source"], link(app)["image"]).picture
    assert shown.size == (40, 40)
    assert shown.getextrema() == tuple((value, value) for value in seen)


def test_an_upload_that_is_no_image_is_named_and_the_page_stays(model):
    app = open_page("image_neighbors", image=IMAGE_IDS[5])

    app.file_uploader(key="upload").upload("notes.png", b"not a picture", "image/png").run()

    assert "notes.png cannot be used: not an image" in said(app)
    assert link(app)["image"] == IMAGE_IDS[5]
    assert model == []


def test_a_refusal_stays_until_a_picture_follows(model):
    app = open_page("image_neighbors")
    app.file_uploader(key="upload").upload("notes.png", b"not a picture", "image/png").run()

    app.segmented_control(key="w.by").set_value("dot").run()
    assert "notes.png cannot be used" in said(app)

    app.file_uploader(key="upload").upload("mine.png", picture(), "image/png").run()
    assert said(app) == ""
    assert "mine.png" in words(app)


def test_each_upload_is_the_chosen_image_the_same_file_again_too(model, monkeypatch):
    app = open_page("image_neighbors")
    decodes = count_calls(monkeypatch, images_data.image_drawing, "read")
    uploaded = []

    for color in ("red", "red", "blue"):
        app.file_uploader(key="upload").upload(f"{color}.png", picture(color), "image/png").run()
        app.segmented_control(key="w.by").set_value("dot").run()
        uploaded.append(link(app)["image"])
        app.session_state["w.image"] = IMAGE_IDS[5]  # as a click on Choose does
        app.run()
        assert link(app)["image"] == IMAGE_IDS[5]

    assert uploaded == [layout.image_id(picture(color)) for color in ("red", "red", "blue")]
    assert len(decodes) == 5, "a file is decoded when it arrives and when it is drawn, not at every click"


def test_an_upload_goes_along_to_another_model(model):
    app = open_page("image_neighbors")
    app.file_uploader(key="upload").upload("mine.png", picture(), "image/png").run()
    before = link(app)["image"]

    app.selectbox(key="w.model").set_value(CONTROL_KEY).run()

    assert not app.exception
    assert link(app)["image"] == before
    assert [load.name for load in model] == [bundles.MODELS[MODEL_KEY], bundles.MODELS[CONTROL_KEY]]


def test_an_upload_that_another_session_drops_meanwhile_is_asked_for_again():
    with pytest.raises(live.LiveError, match="no longer among them. Upload the file again"):
        images_data.upload("0123456789abcdef")


def test_uploads_beyond_the_room_for_them_are_dropped_oldest_first(monkeypatch):
    files = [encoded(Image.new("L", (1, 1), value), "BMP") for value in range(4)]
    monkeypatch.setattr(images_data, "MAX_UPLOADS_MB", 2.5 * len(files[0]) / 2**20)
    images_data.uploads().clear()

    ids = [images_data.take_upload(data, f"{number}.bmp") for number, data in enumerate(files)]

    assert list(images_data.uploads()) == ids[-2:]


def test_an_upload_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(images_data, "MAX_UPLOAD_MB", 0.001)
    images_data.uploads().clear()

    with pytest.raises(PictureError, match="large.bmp has .* at most"):
        images_data.take_upload(encoded(Image.new("RGB", (40, 40)), "BMP"), "large.bmp")

    assert images_data.uploads() == {}


def test_a_large_upload_is_kept_as_the_model_sees_it(model):
    app = open_page("topic_segmentation")

    large = encoded(Image.new("RGB", (5000, 40), "green"))
    app.file_uploader(key="upload").upload("strip.png", large, "image/png").run()

    assert not app.exception
    shown = live_model.decompose(app.session_state["source"], large).image
    assert max(shown.size) <= VIEW_SIDE


def test_an_upload_that_the_server_has_let_go_is_asked_for_again(model):
    app = open_page("image_neighbors")
    app.file_uploader(key="upload").upload("mine.png", picture("green"), "image/png").run()
    lost = link(app)

    images_data.uploads().clear()
    again = open_page("image_neighbors", **lost)
    app.segmented_control(key="w.by").set_value("dot").run()

    for page in (again, app):
        assert not page.exception
        assert "upload the file again" in said(page)
        assert link(page)["image"] in IMAGE_IDS


def test_an_image_whose_maps_are_not_stored_says_where_its_numbers_come_from(model):
    other = next(image_id for image_id in IMAGE_IDS if image_id not in GALLERY)

    app = open_page("topic_segmentation", image=other)

    assert "Computed now from the thumbnail" in said(app)
    assert not app.exception
