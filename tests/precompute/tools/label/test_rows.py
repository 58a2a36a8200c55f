"""Rows of labels: which label is chosen, what matches it, and who gave it."""

import pandas as pd

from precompute.tools.label import rows as label_rows
from precompute.tools.label.label_prompt import Voted, read
from precompute.tools.label.llm_cache import draw
from precompute.tools.label.overrides import Override
from precompute.tools.label.rows import HEAD, Texts
from tests.support.questions import about, asking

MODEL = "tower-1"


def test_a_persons_label_is_chosen_over_a_language_models_and_that_over_the_offline_one():
    rows = [
        *[(MODEL, 1, 0, "variance_share", 10, "a"), (MODEL, 1, 0, "enrichment", 10, "b")],
        *[(MODEL, 1, 1, "variance_share", 10, "a"), (MODEL, 1, 1, "language_model", 20, "c")],
        *[(MODEL, 1, 2, "language_model", 20, "c"), (MODEL, 1, 2, "person", 0, "d")],
        *[(MODEL, 1, 3, "enrichment", 5, "e"), (MODEL, 1, 3, "enrichment", 10, "f")],
    ]
    labels = pd.DataFrame(rows, columns=[*HEAD, "method", "picks", "label"])

    assert label_rows.choose(labels).sort_values("head")["label"].tolist() == ["a", "c", "d", "f"]


def test_a_label_of_the_pool_is_matched_by_its_tags_and_another_by_nothing():
    texts = {(MODEL, 1, 0): Texts(("red", "round"), (frozenset({"color"}), frozenset({"shape"})))}

    rows = label_rows.tag_matches({(MODEL, 1, 0): "color"}, texts, {"color", "shape"})

    assert rows["consistent"].tolist() == [True, False]
    assert label_rows.tag_matches({(MODEL, 1, 0): "mood"}, texts, {"color", "shape"}).empty


def test_rows_say_how_many_texts_were_read_and_who_says_so():
    head = (MODEL, 1, 0)
    texts = {head: Texts(("red",) * 7, (frozenset(),) * 7)}

    (row,) = label_rows.language_model_labels({head: Voted("color", 0.4, 5)}, texts, "small").to_dict(
        "records"
    )

    assert (row["picks"], row["votes"], row["draws"], row["given_by"]) == (7, 0.4, 5, "small")
    assert not row["supported"]


def test_a_persons_label_is_supported():
    (row,) = label_rows.personal_labels([Override(MODEL, 1, 0, "color", "Ada", None)]).to_dict("records")

    assert (row["method"], row["label"], row["given_by"], row["supported"]) == (
        "person",
        "color",
        "Ada",
        True,
    )


def test_one_label_has_one_spelling_in_all_heads():
    ask, _ = asking(*[f'{{"label": "{one}"}}' for one in ("color", "colors", "colors")])
    subjects = {label_rows.Subject(MODEL, 1, head, "label", 0, "m"): about for head in range(3)}

    voted = label_rows.vote(draw(subjects, read, ask, draws=1), ())

    assert [one.label for one in voted.values()] == ["colors"] * 3
