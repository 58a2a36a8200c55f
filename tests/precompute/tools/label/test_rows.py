"""Rows of labels and judgements; choice of the shown label."""

import pandas as pd
import pytest

from precompute.tools.label import rows as label_rows
from precompute.tools.label.label_prompt import MajorityLabel, read
from precompute.tools.label.llm_cache import draw
from precompute.tools.label.overrides import Override
from precompute.tools.label.rows import HEAD, Texts
from tests.support.questions import answering, question_of_draw

MODEL = "tower-1"


def test_a_persons_label_precedes_a_language_models_label_which_precedes_the_offline_label():
    rows = [
        *[(MODEL, 1, 0, "variance_share", 10, "a"), (MODEL, 1, 0, "enrichment", 10, "b")],
        *[(MODEL, 1, 1, "variance_share", 10, "a"), (MODEL, 1, 1, "language_model", 20, "c")],
        *[(MODEL, 1, 2, "language_model", 20, "c"), (MODEL, 1, 2, "person", 0, "d")],
        *[(MODEL, 1, 3, "enrichment", 5, "e"), (MODEL, 1, 3, "enrichment", 10, "f")],
    ]
    labels = pd.DataFrame(rows, columns=[*HEAD, "method", "picks", "label"])

    assert label_rows.choose(labels).sort_values("head")["label"].tolist() == ["a", "c", "d", "f"]


def test_tags_match_labels_of_the_pool_only():
    texts = {(MODEL, 1, 0): Texts(("red", "round"), (frozenset({"color"}), frozenset({"shape"})))}

    rows = label_rows.tag_matches({(MODEL, 1, 0): "color"}, texts, {"color", "shape"})

    assert rows["consistent"].tolist() == [True, False]
    assert label_rows.tag_matches({(MODEL, 1, 0): "mood"}, texts, {"color", "shape"}).empty


def test_rows_have_the_number_of_texts_and_the_model():
    head = (MODEL, 1, 0)
    texts = {head: Texts(("red",) * 7, (frozenset(),) * 7)}

    labels = {head: MajorityLabel("color", 0.4, 5)}
    (row,) = label_rows.language_model_labels(labels, texts, {"color"}, "small").to_dict("records")

    assert (row["picks"], row["votes"], row["draws"], row["given_by"]) == (7, 0.4, 5, "small")
    assert not row["supported"]


@pytest.mark.parametrize(("label", "carrying"), [("color", 2), ("shape", 0), ("mood", None)])
def test_the_texts_that_carry_a_label_of_a_language_model_are_counted_if_it_is_a_property(label, carrying):
    head = (MODEL, 1, 0)
    texts = {head: Texts(("red", "two", "blue"), (frozenset({"color"}), frozenset(), frozenset({"color"})))}

    labels = {head: MajorityLabel(label, 1.0, 5)}
    rows = label_rows.language_model_labels(labels, texts, {"color", "shape"}, "small")

    assert [None if pd.isna(count) else count for count in rows["carrying_picks"]] == [carrying]


def test_a_persons_label_is_supported():
    (row,) = label_rows.personal_labels([Override(MODEL, 1, 0, "color", "Ada", None)]).to_dict("records")

    assert (row["method"], row["label"], row["given_by"], row["supported"]) == (
        "person",
        "color",
        "Ada",
        True,
    )


def test_a_label_has_the_same_spelling_in_all_heads():
    ask, _ = answering(*[f'{{"label": "{label}"}}' for label in ("color", "colors", "colors")])
    subjects = {label_rows.Subject(MODEL, 1, head, "label", 0, "m"): question_of_draw for head in range(3)}

    labels = label_rows.vote(draw(subjects, read, ask, draws=1), ())

    assert [label.label for label in labels.values()] == ["colors"] * 3
