"""The labeled bundle: new labels, answers, metrics and options, beside the contents of the source."""

import json

import pytest

from db import verify
from db.connection import open_bundle
from tests.support.imported import KNOWN
from tests.support.labeled import known_rows, metric, select


def test_the_new_bundle_is_valid_and_the_source_unchanged(source, labeled):
    assert verify.problems(labeled) == []
    assert verify.problems(source) == []
    assert select(source, "select count(*) from head_label where method = 'language_model'") == [(0,)]


def test_labels_are_chosen_with_the_spelling_of_the_pool(labeled):
    assert known_rows(
        labeled, "label, method, picks, votes, draws, given_by, supported", "head_label", "chosen"
    ) == [
        ("L10.H0", "color", "language_model", 5, 1.0, 5, "small", True),
        ("L10.H1", "shape", "language_model", 5, 1.0, 5, "small", True),
        ("L11.H0", "weather", "language_model", 5, 1.0, 5, "small", True),
        ("L11.H1", "color", "language_model", 5, 1.0, 5, "small", True),
    ]


def test_offline_labels_stay_in_the_bundle(source, labeled):
    offline = "select * exclude (chosen) from head_label where method <> 'language_model' order by all"

    assert str(select(labeled, offline)) == str(select(source, offline))


def test_every_answer_is_in_the_bundle_with_its_question(labeled):
    rows = select(
        labeled,
        "select answer, parsed, prompt, options, endpoint, prompt_tokens from language_model_answer "
        "where task = 'label' and layer = 10 and head = 0 order by draw",
    )

    assert len(rows) == 5
    answer, parsed, prompt, options, endpoint, tokens = rows[0]
    assert (json.loads(answer)["label"], parsed, tokens) == (" Colors.", "colors", 11)
    assert "- color number 0" in json.loads(prompt)[-1]["content"]
    assert [json.loads(row[3])["seed"] for row in rows] == [0, 1, 2, 3, 4]
    assert endpoint.startswith("http://127.0.0.1:")


def test_a_text_agrees_if_both_judges_say_so(labeled):
    """The strict judge accepts three of the five texts of L10.H1, the mild one all; a tie counts as no."""
    assert known_rows(labeled, "value", "head_metric", "metric = 'ccs_chosen'") == [
        ("L10.H0", 5.0),
        ("L10.H1", 3.0),
        ("L11.H0", 5.0),
        ("L11.H1", 5.0),
    ]
    assert metric(labeled, "text_consistency") == 18 / 20
    assert metric(labeled, "association_5") == 3 / 4


def test_agreement_of_the_judges_equals_the_count_by_hand(labeled):
    """They agree on 18 of 20 texts; 38 of their 40 answers are yes."""
    assert metric(labeled, "judge_agreement") == pytest.approx(18 / 20)
    chance = (38 / 40) ** 2 + (2 / 40) ** 2
    assert metric(labeled, "fleiss_kappa") == pytest.approx((0.9 - chance) / (1 - chance))
    chance = 2 * (38 / 40) * (2 / 40)
    assert metric(labeled, "gwet_ac1") == pytest.approx((0.9 - chance) / (1 - chance))


def test_chosen_labels_have_metrics_beside_those_of_offline_labels(labeled):
    assert metric(labeled, "entanglement") == metric(labeled, "entanglement", labels="offline") == 0.5
    assert metric(labeled, "uniqueness") == 0.5
    with_chance = select(
        labeled, "select count(*) from model_metric where labels = 'chosen' and chance is not null"
    )
    assert with_chance == [(0,)]


def test_properties_of_heads_are_their_chosen_labels(labeled):
    assert known_rows(labeled, "property", "property_head") == [
        ("L10.H0", "color"),
        ("L10.H1", "shape"),
        ("L11.H0", "weather"),
        ("L11.H1", "color"),
    ]


def test_the_bundle_has_the_options_of_its_labeling(source, labeled):
    ((options, software),) = select(
        labeled,
        "select options, software from run join model using (model_key) "
        f"where stage = 'relabeling' and model = '{KNOWN}'",
    )

    options = json.loads(options)
    assert (options["llm"], options["judges"], options["draws"]) == ("small", ["strict", "mild"], 5)
    assert "openai" in json.loads(software)
    manifest, before = open_bundle(labeled).manifest, open_bundle(source).manifest
    assert manifest["labeled_from"] == before["input_id"] != manifest["input_id"]
