"""What judges and tags say of chosen labels, by tables small enough to count."""

import pandas as pd

from precompute.tools.label import metrics
from precompute.tools.label.rows import HEAD

MODEL = "tower-1"

TEXTS = {(MODEL, 1, 0): 3, (MODEL, 1, 1): 3}


def chosen(*heads: tuple[int, str, str, int]) -> pd.DataFrame:
    """Rows of head, label, method and the texts of the pool that carry the label."""
    rows = [(MODEL, 1, head, label, method, True, texts) for head, label, method, texts in heads]
    return pd.DataFrame(rows, columns=[*HEAD, "label", "method", "supported", "texts"])


def said(*answers: tuple[int, int, str, str]) -> pd.DataFrame:
    """Rows of head, position, judge and that judge's answers, y or n each."""
    rows = [
        (MODEL, 1, head, position, judge, draw, one == "y")
        for head, position, judge, draws in answers
        for draw, one in enumerate(draws)
    ]
    return pd.DataFrame(rows, columns=[*HEAD, "position", "judge", "draw", "consistent"])


def test_a_text_agrees_where_most_judges_say_so_each_by_most_of_its_draws():
    labels = chosen((0, "color", "language_model", 9))
    answers = said(
        *[(0, 0, "a", "yyn"), (0, 0, "b", "y"), (0, 0, "c", "n")],  # two of three judges: yes
        *[(0, 1, "a", "y"), (0, 1, "b", "n"), (0, 1, "c", "n")],  # one of three: no
        *[(0, 2, "a", "yn"), (0, 2, "b", "y"), (0, 2, "c", "y")],  # a tie of draws is a no, two are left: yes
    )

    scored = metrics.score(labels, answers, TEXTS)

    assert scored.ccs == [2]
    assert scored.judged
    assert scored.counts.tolist() == [[2, 1], [1, 2], [2, 1]]


def test_two_judges_who_disagree_do_not_make_a_text_agree():
    answers = said(*[(0, position, judge, "y") for position in (0, 1) for judge in "ab"])
    answers = pd.concat([answers, said((0, 2, "a", "y"), (0, 2, "b", "n"))])

    assert metrics.score(chosen((0, "color", "person", 9)), answers, TEXTS).ccs == [2]


def test_what_judges_say_goes_before_the_tags():
    answers = said(*[(0, position, "tag_match", "y") for position in range(3)])
    labels = chosen((0, "color", "person", 9))
    assert metrics.score(labels, answers, TEXTS).ccs == [3]

    judged = pd.concat([answers, said(*[(0, position, "a", "n") for position in range(3)])])
    assert metrics.score(labels, judged, TEXTS).ccs == [0]


def test_tags_of_too_few_texts_decide_nothing():
    answers = said(*[(0, position, "tag_match", "y") for position in range(3)])

    scored = metrics.score(chosen((0, "color", "person", 5)), answers, TEXTS)

    assert scored.ccs == [None]
    assert not scored.judged


def test_a_head_with_a_text_nobody_judged_has_no_consistency():
    answers = said((0, 0, "a", "y"), (0, 2, "a", "y"))

    assert metrics.score(chosen((0, "color", "person", 9)), answers, TEXTS).ccs == [None]


def test_agreement_is_over_the_texts_that_every_judge_answered():
    answers = said((0, 0, "a", "y"), (0, 0, "b", "y"), (0, 1, "a", "n"), (0, 1, "b", "y"), (0, 2, "a", "y"))

    assert metrics.score(chosen((0, "color", "person", 9)), answers, TEXTS).counts.tolist() == [
        [2, 0],
        [1, 1],
    ]


def test_metrics_of_a_model_are_those_of_its_chosen_labels():
    labels = chosen((0, "color", "language_model", 0), (1, "color", "person", 0))
    answers = said(*[(0, position, "a", "yy") for position in range(3)])
    scored = metrics.score(labels, answers, TEXTS)

    rows = metrics.model_metrics(labels, scored, smallest=2)

    value = rows.set_index(["metric", "heads_used"])["value"]
    assert set(rows["labels"]) == {"chosen"}
    assert value["entanglement", "all"] == 1
    assert value["uniqueness", "all"] == 0
    assert value["association_3", "all"] == 1  # of the one head that was judged
    assert value["self_consistency", "all"] == 1
    assert pd.isna(value["judge_agreement", "all"])  # one judge agrees with nobody
    assert metrics.head_metrics(labels, scored)["value"].fillna(-1).tolist() == [3, -1]


def test_a_model_that_nobody_labeled_or_judged_does_not_differ():
    labels = chosen((0, "color", "variance_share", 9))
    tags = said(*[(0, position, "tag_match", "y") for position in range(3)])

    assert not metrics.differs(labels, metrics.score(labels, tags, TEXTS))
    judged = said((0, 0, "a", "y"))
    assert metrics.differs(labels, metrics.score(labels, judged, TEXTS))
