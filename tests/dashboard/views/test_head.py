"""The page of a head, opened and used over the tiny bundle."""

from urllib.parse import parse_qs, parse_qsl, urlsplit

import numpy as np
import pytest

from dashboard.analyses import text_directions
from dashboard.data import label_text
from dashboard.sections import head as head_sections
from dashboard.sections.head_evidence import INTERVAL
from tests.support import bundles, known_heads
from tests.support.bundles import CONTROL_KEY, GALLERY, IMAGE_IDS, TEXTS
from tests.support.pages import NUMBERS, galleries, link, open_page, open_path, open_tile, said, words
from tests.support.places import changed_copy
from tests.support.tables import table_with


def test_texts_of_a_head_say_which_of_them_carry_its_label():
    table = table_with(open_page("head", head="L1.H1"), "carries_label")

    assert table["text"].tolist() == list(TEXTS)[1:4]
    assert table["carries_label"].tolist() == ["✓", "✓", "–"]
    assert table["variance_share"].tolist() == [50, 25, 12.5]
    assert table["stability"].tolist() == pytest.approx([90, 60, 30])


def test_a_label_comes_with_all_its_evidence():
    table = table_with(open_page("head", head="L1.H1"), "method")

    assert table["method"].tolist() == ["person"] + ["enrichment"] * 3
    assert table[["label", "given_by", "reason"]].iloc[0].tolist() == ["color", "Ada", known_heads.REASON]
    assert table["chosen"].tolist() == ["✓", "–", "–", "–"]
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
    assert table[["value", INTERVAL, "chance"]].iloc[0].tolist() == ["4", "3\u00a0to\u00a05", "−1.5"]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_images_are_sorted_along_the_chosen_text(position):
    """Against brute force in d_out: texts made orthogonal there, inside the head's axes, and no bundle."""
    app = open_page("head", head="L2.H0", position=str(position), k="3", opened=NUMBERS)

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
    # The link to the maps opens the most aligned image that has them, not the default image.
    [to_map] = [link.proto.query_string for link in app.get("page_link") if "Topic" in link.proto.label]
    assert f"image={max(GALLERY, key=lambda image_id: value[IMAGE_IDS.index(image_id)])}" in to_map


def test_the_chosen_text_is_marked_in_the_table():
    app = open_page("head", head="L2.H0")

    app.selectbox(key="w.position").set_value(2).run()

    assert link(app)["position"] == "2"
    assert app.session_state[head_sections.TEXTS_KEY]["selection"]["rows"] == [2]
    [to_reads] = [node.proto for node in app.get("page_link") if "Which heads" in node.proto.label]
    assert parse_qs(to_reads.query_string)["text"] == [list(TEXTS)[4]]


def test_another_draw_shows_other_random_images():
    app = open_page("head", k="3", opened=NUMBERS)
    before = [frame.value for frame in app.dataframe if "image_id" in frame.value]

    app.button(key="new_sample").click().run()

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


def test_a_position_past_the_texts_of_the_head_is_named(monkeypatch, two_models, tmp_path):
    """Another head has more texts, and the page showed the first text of this one without a word."""
    shorter = "delete from head_text where layer = 2 and head = 0 and position = 2"
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(changed_copy(two_models, tmp_path / "two", shorter)))

    app = open_page("head", head="L2.H0", position="2")
    assert "position=2: it must lie between 0 and 1. Shown instead: 0." in said(app)


def test_the_headline_says_what_the_label_rests_on():
    assert "L1.H1 · color :blue-badge[given by Ada]" in words(open_page("head", head="L1.H1"))
    weak = f":gray-badge[unsupported: not better than {label_text.MIXED_LISTS}, q = 0.4]"
    assert f"L2.H1 · count? {weak}" in words(open_page("head", head="L2.H1"))


def test_the_page_of_an_imported_head_shows_everything_but_images_and_says_so(monkeypatch, imported):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(imported))

    app = open_page("head", model=CONTROL_KEY, head="L2.H0", opened=NUMBERS)

    assert said(app) == head_sections.NO_IMAGES
    texts = table_with(app, "carries_label")
    assert texts["text"].tolist() == list(TEXTS)[2:5]
    assert "variance_share" not in texts
    assert "shape" in table_with(app, "method")["label"].tolist()
    assert not [frame for frame in app.dataframe if "image_id" in frame.value]
    assert not app.exception


def test_a_picture_opens_large_with_its_place_and_its_nearest_texts():
    app = open_page("head", head="L2.H0", k="3")
    [most, *_] = galleries(app)
    first = open_tile(app, 0)

    assert link(app)["picture"] == first == most[0]["id"]
    assert "**1** of 12 images along" in words(app)
    nearest = table_with(app, "score")
    y = bundles.coordinates()[:, 2] - bundles.coordinates()[:, 2].mean(axis=0)
    pool = (bundles.text_embeddings() - bundles.text_embeddings().mean(axis=0)) @ bundles.spaces().basis[2].T
    own = y[IMAGE_IDS.index(first)]
    cosine = pool @ own / np.linalg.norm(own) / np.maximum(np.linalg.norm(pool, axis=1), 1e-9)
    assert nearest["text"].iloc[0] == list(TEXTS)[int(cosine.argmax())]
    np.testing.assert_allclose(nearest["score"], np.sort(cosine)[::-1][:6], atol=1e-3)
    assert "p" not in {button.proto.shortcut for button in app.button}, "keys of the page rest below it"
    charts = {
        node.proto.alt for node in app.get("vega_lite_chart") if "The picture lies at" in node.proto.alt
    }
    assert len(charts) == 2, "it has a place in both histograms"


def test_arrow_keys_lead_from_picture_to_picture_along_the_text():
    app = open_page("head", head="L2.H0", k="3")
    most, least, _ = galleries(app)
    ranked = [tile["id"] for tile in most]

    app = open_page("head", head="L2.H0", picture=ranked[0])
    keys = {button.proto.shortcut: button for button in app.button}
    assert keys["left"].disabled
    keys["right"].click().run()

    assert link(app)["picture"] == ranked[1]
    last = open_page("head", head="L2.H0", picture=least[0]["id"])
    assert {button.proto.shortcut: button.disabled for button in last.button}["right"]


def test_a_picture_that_the_model_lacks_is_named():
    app = open_page("head", picture="0123456789abcdef")

    assert "picture=0123456789abcdef: this model has not decomposed such an image" in said(app)
    assert link(app)["picture"] == ""


def test_every_image_stands_in_the_histogram_of_any_text():
    """Against brute force: the position is the centered text's part of the head's coordinates."""
    app = open_page("head", head="L2.H0", onto=list(TEXTS)[0], split="attribute:color", opened=NUMBERS)

    bars = table_with(app, "bottom")
    assert bars["images"].sum() == 12
    assert set(bars["group"]) <= {"red", "green", "blue", "other or several"}
    y = bundles.coordinates()[:, 2] - bundles.coordinates()[:, 2].mean(axis=0)
    text = (bundles.text_embeddings()[0] - bundles.text_embeddings().mean(axis=0)) @ bundles.spaces().basis[
        2
    ].T
    value = y @ text / (y @ text).std()
    np.testing.assert_allclose(
        [bars["begin"].min(), bars["end"].max()], [value.min(), value.max()], atol=5e-3
    )
    assert list(TEXTS)[0] in words(app)


def test_the_histogram_follows_the_text_that_sorts_the_images():
    app = open_page("head", head="L2.H0", position="1", split="none", opened=NUMBERS)
    [most, least, _] = [frame.value for frame in app.dataframe if "image_id" in frame.value]

    bars = table_with(app, "bottom")

    ends = [bars["begin"].min(), bars["end"].max()]
    np.testing.assert_allclose(ends, [least["score"].min(), most["score"].max()], atol=5e-3)


def test_the_nearest_heads_are_of_this_model_and_matched_ones_of_others(two_models):
    app = open_page("head", model=CONTROL_KEY, head="L2.H1")

    table = table_with(app, "cka")

    own = table[table["model_key"] == CONTROL_KEY]
    assert own["name"].tolist() == ["L2.H0"], "not the head itself"
    address = urlsplit(own["compare"].iloc[0])
    beside = open_path(address.path, **dict(parse_qsl(address.query)))
    assert not beside.exception
    assert (link(beside)["head"], link(beside)["versus"]) == ("L2.H1", "head:L2.H0")
    [other] = table[table["model_key"] != CONTROL_KEY].itertuples()
    opened = open_path("compare", **dict(parse_qsl(urlsplit(other.compare).query)))
    assert said(opened) == ""
    assert link(opened)["head"] == "L2.H1"
    assert f"{other.name} of tiny/known" in [
        node.proto.label.replace("\\", "") for node in opened.get("page_link")
    ]
