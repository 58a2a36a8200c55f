"""What judges and tags say of chosen labels, by tables small enough to count."""

import pandas as pd

from precompute.tools.label import metrics
from precompute.tools.label import rows as label_rows
from precompute.tools.label.label_prompt import Voted, read
from precompute.tools.label.llm_cache import draw
from precompute.tools.label.overrides import Override
from precompute.tools.label.rows import HEAD, Texts
from tests.support.questions import about, asking

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
