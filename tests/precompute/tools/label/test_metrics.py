"""Metrics of chosen labels from judges and tags, on tables small enough to count."""

import pandas as pd

from precompute.tools.label import metrics
from precompute.tools.label.rows import HEAD

MODEL = "tower-1"

TEXTS = {(MODEL, 1, 0): 3, (MODEL, 1, 1): 3}


def chosen(*heads: tuple[int, str, str, int]) -> pd.DataFrame:
    """Returns chosen labels from tuples of head, label, method and number of texts in the pool."""
    rows = [(MODEL, 1, head, label, method, True, texts) for head, label, method, texts in heads]
    return pd.DataFrame(rows, columns=[*HEAD, "label", "method", "supported", "texts"])


def judgements(*answers: tuple[int, int, str, str]) -> pd.DataFrame:
    """Returns judgements from tuples of head, position, judge and a string of answers, y or n."""
    rows = [
        (MODEL, 1, head, position, judge, draw, answer == "y")
        for head, position, judge, draws in answers
        for draw, answer in enumerate(draws)
    ]
    return pd.DataFrame(rows, columns=[*HEAD, "position", "judge", "draw", "consistent"])


def test_a_text_agrees_if_most_judges_say_so_each_by_most_of_its_draws():
    labels = chosen((0, "color", "language_model", 9))
    answers = judgements(
        *[(0, 0, "a", "yyn"), (0, 0, "b", "y"), (0, 0, "c", "n")],  # two of three judges: yes
        *[(0, 1, "a", "y"), (0, 1, "b", "n"), (0, 1, "c", "n")],  # one of three: no
        *[(0, 2, "a", "yn"), (0, 2, "b", "y"), (0, 2, "c", "y")],  # a tie of draws is a no, two are left: yes
    )

    scores = metrics.score(labels, answers, TEXTS)

    assert scores.ccs == [2]
    assert scores.judged
    assert scores.counts.tolist() == [[2, 1], [1, 2], [2, 1]]


def test_two_judges_who_disagree_do_not_make_a_text_agree():
    answers = judgements(*[(0, position, judge, "y") for position in (0, 1) for judge in "ab"])
    answers = pd.concat([answers, judgements((0, 2, "a", "y"), (0, 2, "b", "n"))])

    assert metrics.score(chosen((0, "color", "person", 9)), answers, TEXTS).ccs == [2]


def test_judges_have_precedence_over_tags():
    answers = judgements(*[(0, position, "tag_match", "y") for position in range(3)])
    labels = chosen((0, "color", "person", 9))
    assert metrics.score(labels, answers, TEXTS).ccs == [3]

    judged = pd.concat([answers, judgements(*[(0, position, "a", "n") for position in range(3)])])
    assert metrics.score(labels, judged, TEXTS).ccs == [0]


def test_tags_of_too_few_texts_give_no_score():
    answers = judgements(*[(0, position, "tag_match", "y") for position in range(3)])

    scores = metrics.score(chosen((0, "color", "person", 5)), answers, TEXTS)

    assert scores.ccs == [None]
    assert not scores.judged


def test_a_head_with_a_text_without_judgement_has_no_score():
    answers = judgements((0, 0, "a", "y"), (0, 2, "a", "y"))

    assert metrics.score(chosen((0, "color", "person", 9)), answers, TEXTS).ccs == [None]


def test_agreement_uses_the_texts_that_every_judge_answered():
    answers = judgements(
        (0, 0, "a", "y"), (0, 0, "b", "y"), (0, 1, "a", "n"), (0, 1, "b", "y"), (0, 2, "a", "y")
    )

    assert metrics.score(chosen((0, "color", "person", 9)), answers, TEXTS).counts.tolist() == [
        [2, 0],
        [1, 1],
    ]


def test_metrics_of_a_model_are_those_of_its_chosen_labels():
    labels = chosen((0, "color", "language_model", 0), (1, "color", "person", 0))
    answers = judgements(*[(0, position, "a", "yy") for position in range(3)])
    scores = metrics.score(labels, answers, TEXTS)

    rows = metrics.model_metrics(labels, scores, smallest=2)

    value = rows.set_index(["metric", "heads_used"])["value"]
    assert set(rows["labels"]) == {"chosen"}
    assert value["entanglement", "all"] == 1
    assert value["uniqueness", "all"] == 0
    assert value["association_3", "all"] == 1  # of the single judged head
    assert value["self_consistency", "all"] == 1
    assert pd.isna(value["judge_agreement", "all"])  # undefined for a single judge
    assert metrics.head_metrics(labels, scores)["value"].fillna(-1).tolist() == [3, -1]


def test_a_model_with_offline_labels_and_tags_only_does_not_differ():
    labels = chosen((0, "color", "variance_share", 9))
    tags = judgements(*[(0, position, "tag_match", "y") for position in range(3)])

    assert not metrics.differs(labels, metrics.score(labels, tags, TEXTS))
    judged = judgements((0, 0, "a", "y"))
    assert metrics.differs(labels, metrics.score(labels, judged, TEXTS))
