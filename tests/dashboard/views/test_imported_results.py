"""A bundle of imported results in the app: what needs no vectors is shown, all else says why it is not."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.bundles import CONTROL_KEY, MODEL_KEY, MODELS
from tests.support.imported import KNOWN, OWN, mixed_tables, write_imported, write_mixed
from tests.support.pages import NUMBERS, link, open_page, said, words

NEED_VECTORS = [
    "which_head",
    "property_search",
    "topic_segmentation",
    "contrastive_segmentation",
    "image_neighbors",
    "text_neighbors",
    "mean_ablation",
    "validation",
]


@pytest.fixture(scope="module")
def imported(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("imported")
    return write_imported(folder / "results", folder / "bundle")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory) -> Path:
    """A model with vectors and one without."""
    return write_mixed(tmp_path_factory.mktemp("mixed") / "bundle", mixed_tables())


@pytest.fixture
def over(monkeypatch):
    """Which bundle the app opens."""
    return lambda bundle: monkeypatch.setenv("HEADLIGHT_BUNDLE", str(bundle))


def all_said(app: AppTest) -> str:
    return "\n".join([said(app), words(app)])


def choose_model(app: AppTest, name: str) -> AppTest:
    box = next(box for box in app.sidebar.selectbox if box.label == "Model")
    return box.select_index(box.options.index(name)).run()


@pytest.mark.parametrize("page", ["leaderboard", "heads", "head"])
def test_pages_without_vectors_show_imported_results(imported, over, page):
    over(imported)

    app = open_page(page)

    assert not app.exception and not app.error and said(app).count("imported") <= 1
    about = app.sidebar.caption[0]
    assert "4 heads of layers 10 to 11" in about.value and "no images and no vectors" in about.help


def test_the_leaderboard_has_their_metrics_and_says_what_it_lacks(imported, over):
    over(imported)

    app = open_page("leaderboard", opened=NUMBERS)

    assert not app.exception and not app.error
    shown = "\n".join(frame.value.to_csv() for frame in app.dataframe)
    assert KNOWN in shown and OWN in shown
    assert "No interval: imported results cannot be computed again" in words(app)
    assert "the shares of its layers are unknown" in said(app)


def test_the_heads_have_their_labels(imported, over):
    over(imported)

    app = open_page("heads", opened=NUMBERS)

    assert not app.exception and not app.error
    shown = "\n".join(frame.value.to_csv() for frame in app.dataframe)
    assert "weather" in shown
    assert "not better than labels of texts mixed from all its heads" in words(app)
    over_help = app.segmented_control(key="w.over").help
    assert "better than labels of texts mixed from all its heads" in over_help


def test_an_unsupported_imported_label_says_what_it_was_tested_against(imported, over):
    """Nothing was rotated; the lists of the two heads of one property are too short to stand out."""
    over(imported)

    app = choose_model(open_page("head"), OWN)

    assert not app.exception and not app.error
    assert "unsupported: not better than texts mixed from all its heads" in words(app)
    assert "unsupported: not better than rotated" not in words(app)


@pytest.mark.parametrize("page", NEED_VECTORS)
def test_pages_that_need_vectors_say_so_and_how_to_get_them(imported, over, page):
    over(imported)

    app = open_page(page)

    assert not app.exception and not app.error
    assert f"The results of {KNOWN} were imported without vectors" in said(app)
    assert f"headlight run --model {KNOWN}" in said(app)


def test_a_link_to_a_head_of_imported_results_leads_to_a_page_that_says_what_is_missing(imported, over):
    over(imported)

    app = open_page("image_neighbors", head="L10.H1", k="5")

    assert not app.exception and not app.error
    assert "were imported without vectors" in said(app)


@pytest.mark.parametrize(
    "page", ["property_search", "image_neighbors", "topic_segmentation", "mean_ablation"]
)
def test_beside_a_model_with_vectors_the_page_names_it_and_works_for_it(mixed, over, page):
    over(mixed)
    with_vectors, without = MODELS[MODEL_KEY], MODELS[CONTROL_KEY]

    app = choose_model(open_page(page), without)

    assert not app.exception and not app.error
    assert f"The results of {without} were imported" in said(app)
    assert f"choose a model that has them ({with_vectors})" in said(app)
    app = choose_model(app, with_vectors)
    assert not app.exception and not app.error and "imported" not in all_said(app)
    assert link(app)["model"] == MODEL_KEY


@pytest.mark.parametrize("page", ["leaderboard", "heads", "head"])
def test_missing_facts_of_one_model_do_not_spoil_those_of_another(mixed, over, page):
    over(mixed)

    app = open_page(page)

    assert not app.exception and not app.error
    about = app.sidebar.caption[0]
    assert "4 heads of layers 1 to 2, 12 images" in about.value
    assert "2 heads a layer. 4 images with stored maps." in about.help
    app = choose_model(app, MODELS[CONTROL_KEY])
    assert not app.exception and not app.error
    assert app.sidebar.caption[0].value == "4 heads of layers 1 to 2, imported"
