"""Subjects of scores, in words and as columns."""

from precompute.validation.subjects import COLUMNS, Subject, score_frame


def test_a_subject_in_words_leaves_out_what_it_does_not_have():
    assert str(Subject("embedding", comparison="cosine")) == "embedding cosine"
    assert str(Subject("best_head", "color", 0, 3)) == "best head color L0.H3"


def test_rows_of_a_study_have_all_columns_and_missing_values():
    subject = Subject("head", layer=2, head=0)
    rows = [{"subject": subject, "value": 0.5, "count": 8}, {"subject": Subject("mlps"), "count": 3, "k": 5}]

    frame = score_frame("mean_ablation", rows, measure="accuracy", effect="direct")

    assert tuple(frame.columns) == COLUMNS
    assert set(frame["study"]) == {"mean_ablation"} and set(frame["effect"]) == {"direct"}
    assert frame["head"].isna().tolist() == [False, True]
    assert frame["value"].isna().tolist() == [False, True]
    assert frame["k"].tolist() == [0, 5]
