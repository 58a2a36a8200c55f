"""The page Which head reads this over the tiny bundle: rankings that follow from its vectors."""

import numpy as np
import pandas as pd
import pytest
import torch

from dashboard.data import reads
from dashboard.state.views import ReadsView
from precompute.method.textspan import textspan
from tests.support import bundles
from tests.support.bundles import CONTROL_KEY, GALLERY, IMAGE_IDS, MODEL_KEY, PAIRS, TEXTS
from tests.support.pages import link, open_numbers, open_page, said, words

NAMES = list(TEXTS)
LAST = PAIRS[-1][0]
HEADS = [(key, *pair) for key in bundles.MODELS for pair in PAIRS if key == MODEL_KEY or pair[0] == LAST]
"""All heads of the bundle: of the second model, those of the last layer."""


def centered(model_key, layer, head):
    """Coordinates of all images in one head, and of all texts."""
    place = PAIRS.index((layer, head))
    y, text = bundles.coordinates(model_key)[:, place], bundles.text_embeddings()
    return y - y.mean(axis=0), (text - text.mean(axis=0)) @ bundles.spaces(model_key).basis[place].T


def color_share(place, k):
    """The share of a head's variance that TEXTSPAN spans with the texts about color."""
    space, colors = bundles.spaces(), [row for row, name in enumerate(NAMES) if TEXTS[name] == "color"]
    text = bundles.text_embeddings()[colors] @ space.basis[place].T
    return float(
        textspan(torch.tensor(space.covariance[place]), torch.tensor(text), k=k).cumulative_share[-1]
    )


def ranked(values):
    """Heads with their values, the largest first."""
    return sorted(zip(HEADS, values, strict=True), key=lambda pair: -pair[1])


def shown(app, column="amount"):
    table = app.dataframe[0].value
    heads = table[["model_key", "layer", "head"]].itertuples(index=False, name=None)
    return list(zip(heads, table[column], strict=True))


def assert_ranked(app, values, column="amount"):
    expected, found = ranked(values), shown(app, column)
    assert [head for head, _ in found] == [head for head, _ in expected]
    np.testing.assert_allclose([v for _, v in found], [v for _, v in expected], rtol=1e-3)


def test_a_text_ranks_the_heads_of_all_models_by_the_variance_along_it():
    shares = []
    for head in HEADS:
        y, text = centered(*head)
        along = (y @ text[3]) / np.linalg.norm(text[3])
        shares.append(100 * along.var() / (y**2).sum(axis=1).mean())

    app = open_page("which_head", text=NAMES[3])

    assert not app.exception
    assert_ranked(app, shares)
    assert "6 heads of 2 models" in words(app) + said(app)
    [links] = [box.proto.body for box in app.get("html") if "These heads as links" in box.proto.body]
    (key, layer, head), _ = ranked(shares)[0]
    assert f"model={key}&amp;head=L{layer}.H{head}" in links


def test_an_image_ranks_them_by_what_they_write_for_it_and_a_text_in_it_by_what_they_add():
    row = IMAGE_IDS.index(GALLERY[1])
    sizes, contributions, z = [], [], []
    for head in HEADS:
        y, text = centered(*head)
        length, along = np.linalg.norm(y, axis=1), y @ text[3]
        sizes.append(length[row] / np.sqrt((length**2).mean()))
        contributions.append(1000 * along[row])
        z.append(along[row] / along.std())

    app = open_page("which_head", form="image", image=GALLERY[1])
    assert_ranked(app, sizes)

    app.segmented_control(key="w.form").set_value("both").run()
    assert link(app)["image"] == GALLERY[1]
    app = open_page("which_head", form="both", image=GALLERY[1], text=NAMES[3])
    assert_ranked(app, contributions)

    app.segmented_control(key="w.order").set_value("z").run()
    assert_ranked(app, z, "z")

    open_numbers(app)
    saved = app.dataframe[1].value
    np.testing.assert_allclose(
        saved["contribution along the text (cosine x 1000)"], app.dataframe[0].value["amount"]
    )


def test_a_concept_ranks_them_by_what_its_first_texts_span_beyond_random_ones():
    app = open_page("which_head", form="concept", concept="property:color", picks="2", models="one")

    table = app.dataframe[0].value
    assert table["model_key"].unique().tolist() == [MODEL_KEY]
    np.testing.assert_allclose(table["amount"], table["share"] - table["random"])
    places = [PAIRS.index(head) for head in zip(table["layer"], table["head"], strict=True)]
    np.testing.assert_allclose(table["share"], [100 * color_share(place, 2) for place in places], rtol=1e-3)
    assert {TEXTS[text] for texts in table["first_texts"] for text in texts.split("; ")} == {"color"}


def test_a_list_of_ones_own_is_kept_without_empty_lines_and_an_empty_one_is_said():
    app = open_page("which_head", form="concept", concept=f"{NAMES[0]}\n\n  {NAMES[4]} ")

    assert link(app)["concept"] == f"{NAMES[0]}\n{NAMES[4]}"
    assert app.text_area(key="w.concept.words").value == f"{NAMES[0]}\n{NAMES[4]}"
    chosen = {text for texts in app.dataframe[0].value["first_texts"] for text in texts.split("; ")}
    assert chosen == {NAMES[0], NAMES[4]}

    app.text_area(key="w.concept.words").set_value(" ").run()
    assert "The list is empty" in said(app)


@pytest.mark.parametrize("models", ["every", "one"])
def test_the_model_of_the_sidebar_is_always_ranked(models):
    app = open_page("which_head", model=CONTROL_KEY, models=models)

    keys = set(app.dataframe[0].value["model_key"])
    assert keys == ({CONTROL_KEY} if models == "one" else {CONTROL_KEY, MODEL_KEY})


def test_a_click_on_a_row_opens_the_head_in_its_own_model():
    app = open_page("which_head", text=NAMES[3])
    keys = [key for (key, *_), _ in shown(app)]
    row = keys.index(CONTROL_KEY)
    (_, layer, head), _ = shown(app)[row]

    app.session_state["reads.table"] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    app.run()

    assert app.title[0].value == "Head :gray-badge[control: random weights]"
    assert (link(app)["model"], link(app)["head"]) == (CONTROL_KEY, f"L{layer}.H{head}")


def test_imported_results_are_not_ranked(imported, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(imported))

    app = open_page("which_head", form="image", image=IMAGE_IDS[0])

    assert set(app.dataframe[0].value["model_key"]) == {MODEL_KEY}


@pytest.mark.parametrize(("p", "warns"), [([0.02, 0.9], False), ([0.3, 0.9], False), ([0.6, 0.9], True)])
def test_a_text_that_no_head_reads_more_than_the_largest_of_rotated_heads_lies_outside(p, warns):
    heads = pd.DataFrame({"model": ["a", "b"], "p": p})

    fact, warning = reads.outside(None, ReadsView(form="text"), heads)

    assert fact.startswith("1 of 2" if p[0] < 0.05 else "0 of 2")
    assert bool(warning) == warns
