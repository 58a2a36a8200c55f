"""The search of the sidebar: what it finds, in which order, and how many."""

from db import queries
from tests.support.bundles import CONTROL_KEY, MODEL_KEY, TEXTS


def titles(bundle, phrase, kind, **options):
    rows = queries.search(bundle, phrase=phrase, model_key=MODEL_KEY, **options)
    return rows.loc[rows["kind"] == kind, "title"].tolist()


def test_a_head_is_found_by_the_beginning_of_its_name(tiny):
    assert titles(tiny, "L1.H0", "head") == ["L1.H0", "L1.H0"]
    assert titles(tiny, "l2h", "head") == ["L2.H0", "L2.H1"] * 2
    assert titles(tiny, "2", "head") == titles(tiny, "l", "head") == []

    rows = queries.search(tiny, phrase="l1h1", model_key=CONTROL_KEY)
    assert rows["model_key"].tolist() == [CONTROL_KEY, MODEL_KEY]


def test_texts_have_all_words_in_any_order_the_whole_text_first(tiny):
    assert titles(tiny, "circle picture", "text") == ["a picture of a circle"]
    assert titles(tiny, "A Circle", "text")[0] == "a circle"
    assert titles(tiny, "a", "text", limit=3) == list(TEXTS)[:3]
    assert titles(tiny, "100%", "text") == titles(tiny, "_", "text") == []


def test_labels_and_models_are_found_by_a_part_of_their_names(tiny):
    assert titles(tiny, "OL", "label") == ["color"]
    assert titles(tiny, "tiny/", "model") == ["tiny/known", "tiny/random"]


def test_no_words_find_nothing(tiny):
    assert queries.search(tiny, phrase="", model_key=MODEL_KEY).empty
    assert queries.search(tiny, phrase="'; drop table head; --", model_key=MODEL_KEY).empty
