"""The page Mean-ablation over bundles written by hand."""

import shutil

import numpy as np
import pandas as pd
import pytest

from dashboard.data import mean_ablation as ablation_data
from db import queries
from db.connection import open_bundle
from db.random_sets import random_sets
from tests.support import bundles
from tests.support.bundles import CONTROL_KEY, IMAGE_IDS, MODEL_KEY
from tests.support.known_scores import CLASS_TEXTS
from tests.support.pages import NUMBERS, link, open_page, said, words

COLORS = [value for attribute, value in CLASS_TEXTS if attribute == "color"]


def color_accuracy(heads: list[int]) -> tuple[pd.Series, pd.Series]:
    """Accuracy of every color before and after mean-ablating heads, per cent, worked out in d_out."""
    rows = bundles.tables()["image_attribute"]
    own = rows[rows["attribute"] == "color"].set_index("image_id")["value"].loc[IMAGE_IDS]
    text = bundles.class_embeddings()[[attribute == "color" for attribute, _ in CLASS_TEXTS]]
    y, basis = bundles.coordinates(), bundles.spaces().basis
    gone = np.einsum("ihr,hrd->id", (y - y.mean(axis=0))[:, heads], basis[heads])
    scores = [unit @ text.T for unit in (bundles.embeddings(), bundles.embeddings() - gone)]
    right = [pd.Series(np.array(COLORS)[score.argmax(axis=1)] == own) for score in scores]
    before, after = (100 * one.groupby(own.to_numpy()).mean() for one in right)
    return before, after


@pytest.mark.parametrize("heads", [[0, 1], [2], [0, 1, 2, 3]])
def test_mean_ablated_heads_take_what_brute_force_says(heads):
    names = ["L1.H0", "L1.H1", "L2.H0", "L2.H1"]
    app = open_page(
        "mean_ablation", attribute="color", heads=",".join(names[head] for head in heads), opened=NUMBERS
    )

    table = next(f.value for f in app.dataframe if "control" in f.value.columns).set_index("class")
    before, after = color_accuracy(heads)
    assert table["before"].to_dict() == pytest.approx(before.to_dict())
    assert table["after"].to_dict() == pytest.approx(after.to_dict())
    assert table["images"].tolist() == [4, 4, 4]
    assert table["loss"].is_monotonic_decreasing
    assert (table["before"] - table["after"]).tolist() == pytest.approx(
        (100 * (table["lost"] - table["gained"]) / 4).tolist()
    )


def test_the_headline_is_the_accuracy_over_all_images():
    app = open_page("mean_ablation", attribute="color", heads="L1.H0,L1.H1")

    before, after = color_accuracy([0, 1])
    assert [metric.label for metric in app.metric] == [
        "All heads in place",
        "Without these 2 heads",
        "Without 2 random heads",
        "Without any stored head",
    ]
    assert [metric.value for metric in app.metric][:2] == [f"{before.mean():.1f} %", f"{after.mean():.1f} %"]
    assert "In color, removing L1.H0 and L1.H1" in words(app)
    assert "random heads of similar variance" in words(app)


def test_a_page_without_forward_passes_says_that_it_shows_the_direct_effect():
    captions = open_page("mean_ablation").caption
    [caption] = [caption for caption in captions if "direct effect only" in caption.value]

    assert "Validation" not in caption.value  # a bundle need not have that page


def test_heads_are_ticked_layer_by_layer():
    app = open_page("mean_ablation", heads="L1.H0,L2.H1")
    assert [(pills.label, pills.value) for pills in app.pills] == [
        ("Layer 2", [(2, 1)]),
        ("Layer 1", [(1, 0)]),
    ]

    app.pills(key="w.ticks.1").set_value([(1, 0), (1, 1)]).run()

    assert not app.exception
    assert link(app)["heads"] == "L1.H0,L1.H1,L2.H1"


def test_ticks_start_from_the_heads_of_the_property():
    app = open_page("mean_ablation", heads="property:color")

    app.segmented_control(key="w.scope").set_value("heads").run()

    assert link(app)["heads"] == "L1.H0,L1.H1"


def test_no_head_ticked_asks_for_one():
    app = open_page("mean_ablation", heads="L1.H0,L2.H1")

    app.pills(key="w.ticks.1").set_value([]).run()
    app.pills(key="w.ticks.2").set_value([]).run()

    assert "Choose at least one head" in said(app)
    assert link(app)["heads"] == ""


def test_ticks_keep_what_the_new_model_has():
    app = open_page("mean_ablation", heads="L1.H0,L2.H1")

    app.selectbox(key="w.model").set_value(CONTROL_KEY).run()

    assert not app.exception
    assert link(app)["heads"] == "L2.H1,"


def test_other_random_heads_can_be_drawn_and_are_in_the_link():
    app = open_page("mean_ablation", heads="L1.H0")

    next(button for button in app.button if button.label == "New random sample").click().run()

    assert link(app)["seed"] == "1"
    assert not app.exception


def test_random_heads_are_the_sets_of_like_variance_that_the_validation_draws(bundle):
    """A pair of four heads leaves too few others, so sets may share one; the closest in variance is first."""
    opened = open_bundle(bundle)
    importance = queries.heads(opened, model_key=MODEL_KEY)["importance"].to_numpy()
    opened.close()
    names = ["L1.H0", "L1.H1", "L2.H0", "L2.H1"]
    sets = random_sets(importance**2, (0, 1), seed=0)

    for seed, chosen in enumerate(sets):
        app = open_page("mean_ablation", attribute="color", heads="L1.H0,L1.H1", seed=str(seed))
        drawn = " and ".join(names[head] for head in chosen)
        assert f"removing random heads of similar variance ({drawn})" in words(app)
    assert [len(chosen) for chosen in sets] == [2] * 5


def test_all_heads_leave_none_for_a_control():
    app = open_page("mean_ablation", heads="all")

    assert "These are all stored heads, so there are no others to compare with." in words(app)
    assert "Without 4 random heads" not in [metric.label for metric in app.metric]


def test_a_large_image_set_is_sampled_and_the_page_says_so(monkeypatch, tmp_path, two_models):
    # A bundle of its own: what is kept of the other one was not sampled.
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(shutil.copytree(two_models, tmp_path / "large")))
    monkeypatch.setattr(ablation_data, "MAX_IMAGES", 6)

    app = open_page("mean_ablation", attribute="color")

    assert "6 images, an even sample of 12, each with exactly one of 3 classes" in words(app)


def test_of_many_classes_both_ends_are_shown():
    table = pd.DataFrame({"class": list("abcdefgh"), "loss": range(8, 0, -1)})

    assert ablation_data.both_ends(table, 2)["class"].tolist() == ["a", "b", "g", "h"]
    assert ablation_data.both_ends(table, 4)["class"].tolist() == list("abcdefgh")


def test_fewer_classes_can_be_asked_for():
    app = open_page("mean_ablation", attribute="color", most="1")

    assert "The 1 largest losses and the 1 largest gains, or smallest losses, of 3 classes." in words(app)
    app.number_input(key="w.most").set_value(2).run()
    assert link(app)["most"] == "2"


def test_a_bundle_without_class_texts_says_how_to_get_them(monkeypatch, plain):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(plain))

    app = open_page("mean_ablation")

    assert not app.exception
    for part in ("no class texts", "--metadata", "--prompts"):
        assert part in said(app)
    assert link(app)["model"] == MODEL_KEY
