"""A patch of a map: the heads and texts that speak there, chosen by a click or without a mouse."""

import json

import numpy as np
import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

from tests.support import bundles
from tests.support.bundles import GALLERY, IMAGE_IDS, PAIRS, TEXTS
from tests.support.pages import galleries, link, open_page
from tests.support.visitor import Visitor

MAPS = ["topic_segmentation", "contrastive_segmentation"]
IMAGE, TEXT = GALLERY[1], "a square"


def table(app, column):
    return next(frame.value for frame in app.dataframe if column in frame.value)


def test_heads_are_ranked_by_their_score_at_the_patch_and_texts_by_what_is_written_there():
    app = open_page("topic_segmentation", image=IMAGE, text=TEXT, heads="L1.H0,L2.H1", patch="1,2")

    tokens, basis = bundles.tokens()[IMAGE_IDS.index(IMAGE)][:, 2], bundles.spaces().basis
    written = np.einsum("hr,hrd->hd", tokens, basis)
    texts = bundles.text_embeddings()
    scores = 1000 * written @ texts[list(TEXTS).index(TEXT)]
    heads = table(app, "size").set_index(["layer", "head"])
    assert heads["score"].is_monotonic_decreasing
    assert [heads["score"][pair] for pair in PAIRS] == pytest.approx(scores.tolist(), abs=1e-2)
    lengths = 1000 * np.linalg.norm(written, axis=1)
    assert [heads["size"][pair] for pair in PAIRS] == pytest.approx(lengths.tolist(), abs=1e-2)
    assert [pair for pair in PAIRS if heads["chosen"][pair]] == [(1, 0), (2, 1)]

    both = written[[PAIRS.index((1, 0)), PAIRS.index((2, 1))]].sum(axis=0)
    centered = texts - texts.mean(axis=0)
    cosine = centered @ both / np.linalg.norm(centered, axis=1) / np.linalg.norm(both)
    nearest = next(f.value for f in app.dataframe if list(f.value.columns) == ["score", "text"])
    assert nearest["text"].iloc[0] == list(TEXTS)[int(np.argmax(cosine))]
    assert nearest["score"].iloc[0] == pytest.approx(cosine.max(), abs=1e-3)


def click(app, place: int, **cell: int):
    """Clicks a patch of a chart as a browser does."""
    proto = app.get("vega_lite_chart")[place].proto
    state = WidgetState(
        id=proto.id, string_value=json.dumps({"selection": {"patch": [cell] if cell else []}})
    )
    app._run(WidgetStates(widgets=[*app._tree.get_widget_states().widgets, state]))


@pytest.mark.parametrize("page", MAPS)
def test_a_click_chooses_a_patch_and_a_second_one_lets_it_go(page):
    app = open_page(page)

    click(app, 1, row=2, column=1)
    assert link(app)["patch"] == "2,1"
    click(app, 0, row=1, column=2)
    assert link(app)["patch"] == "1,2"
    click(app, 2, row=1, column=2)

    assert link(app)["patch"] == ""
    assert not app.exception


def test_a_map_of_each_head_has_its_name_label_and_link():
    app = open_page("topic_segmentation", heads="layer:2", maps="each", image=IMAGE, text=TEXT)

    [tiles] = [tiles for tiles in galleries(app) if tiles and tiles[0]["href"].startswith("head?")]
    layer = [head for layer, head in PAIRS if layer == 2]
    assert [tile["score"] for tile in tiles] == [f"L2.H{head}" for head in layer]
    assert all(tile["name"] and f"head={tile['id']}" in tile["href"] for tile in tiles)
    tokens, basis = bundles.tokens()[IMAGE_IDS.index(IMAGE)][:, 1:], bundles.spaces().basis
    sums = 1000 * np.einsum("htr,hrd->hd", tokens, basis) @ bundles.text_embeddings()[list(TEXTS).index(TEXT)]
    expected = [sums[PAIRS.index((2, head))] for head in layer]
    numbers = [float(tile["note"].replace("−", "-")) for tile in tiles]
    assert numbers == pytest.approx(expected, abs=0.06)


def test_the_next_image_keeps_everything_else():
    visitor = Visitor("topic_segmentation", image=GALLERY[0], patch="1,1", maps="each", opacity="30")
    before = link(visitor.app)

    visitor.click(next(node for node in visitor.buttons() if node.proto.label == "Next image"))

    after = link(visitor.app)
    assert {name for name in after if after[name] != before[name]} == {"image"}
    assert after["image"] in GALLERY
    visitor.click(next(node for node in visitor.buttons() if node.proto.label == "Previous image"))
    assert link(visitor.app) == before
