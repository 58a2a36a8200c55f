"""A bundle labeled by a language model, judges and people: its labels, answers and metrics.

The bundle is that of `tests.support.imported`: three heads of one model have five texts of one property each,
and L10.H1 has three of shape and two of animal. The server answers with the most frequent first word of the
texts in a question.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from db import verify
from db.connection import open_bundle
from db.diff import diff
from db.errors import BundleExists
from precompute.runtime.config import ConfigError
from precompute.runtime.work_files import WorkError, locked
from precompute.tools.label.llm_service import HIDDEN, LlmError
from precompute.tools.label.overrides import OverridesError
from precompute.tools.label.run import run
from tests.support.imported import KNOWN, OWN
from tests.support.labeled import (
    is_judged,
    known_rows,
    last_message,
    metric,
    most_frequent_word,
    select,
    task,
)
from tests.support.llm_server import chat, failure, json_chat, serving

SECRET = "sk-planted-0123456789abc"

HEADER = "model,layer,head,label,by,why\n"

QUESTIONS = 6 * 5
"""Heads of both models, five draws each."""


def write_overrides(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "overrides.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def test_a_second_run_asks_nothing_and_makes_the_same_bundle(source, tmp_path):
    with serving(most_frequent_word) as server:
        options = {"llm": "small", "judges": ("strict",), "work": tmp_path / "answers"}
        first = run(task(source, tmp_path / "first", server.url, **options))
        request_count = len(server.requests)
        second = run(task(source, tmp_path / "second", server.url, **options))

    assert len(server.requests) == request_count > 0
    first_bundle, second_bundle = open_bundle(first), open_bundle(second)
    assert diff(first_bundle, second_bundle) == []
    assert first_bundle.manifest["input_id"] == second_bundle.manifest["input_id"]


def test_a_label_outside_the_pool_is_kept_without_a_judgement(source, labeled, tmp_path):
    with serving(lambda request: json_chat(label="mood")) as server:
        new = run(task(source, tmp_path / "new", server.url, llm="small"))

    assert select(new, "select texts from property where property = 'mood'") == [(0,)]
    assert metric(new, "entanglement") == 1
    rows = known_rows(new, "value is null", "head_metric", "metric = 'ccs_chosen'")
    assert [is_null for _, is_null in rows] == [True] * 4
    assert open_bundle(new).manifest["input_id"] != open_bundle(labeled).manifest["input_id"]


def test_a_stopped_run_leaves_no_bundle_and_can_be_resumed(source, tmp_path, capsys):
    def stops_after_ten(request):
        return most_frequent_word(request) if len(server.requests) <= 10 else failure(404, "gone")

    with serving(stops_after_ten) as server:
        with pytest.raises(LlmError, match="404"):
            run(task(source, tmp_path / "new", server.url, llm="small", concurrency=1))
        assert not (tmp_path / "new").exists()
        request_count = len(server.requests)

        server.answer = most_frequent_word
        run(task(source, tmp_path / "new", server.url, llm="small", concurrency=1))

    assert request_count == 11
    assert len(server.requests) == request_count + QUESTIONS - 10


def test_a_head_without_a_readable_answer_keeps_its_offline_label_and_is_named(source, tmp_path, capsys):
    def unreadable_on_weather(request):
        if "weather" in last_message(request):
            return chat("It is about the weather, I think.")
        return most_frequent_word(request)

    with serving(unreadable_on_weather) as server:
        run(task(source, tmp_path / "new", server.url, llm="small", draws=2))

    assert known_rows(tmp_path / "new", "method", "head_label", "chosen and layer = 11 and head = 0") == [
        ("L11.H0", "enrichment")
    ]
    answers = select(
        tmp_path / "new", "select answer, parsed from language_model_answer where layer = 11 and head = 0"
    )
    assert answers == [("It is about the weather, I think.", None)] * 6
    report = capsys.readouterr().err
    assert "6 of 16 answers" in report
    assert f"1 heads got no label and keep the one they had offline: {KNOWN} L11.H0" in report


def test_equally_frequent_labels_give_the_first_one_unsupported(source, tmp_path):
    def by_seed(request):
        return json_chat(label=["shape", "color", "color", "shape"][request["seed"]])

    with serving(by_seed) as server:
        run(task(source, tmp_path / "new", server.url, llm="small", draws=4, models=(KNOWN,)))

    rows = known_rows(tmp_path / "new", "label, votes, supported", "head_label", "chosen")
    assert {row[1:] for row in rows} == {("shape", 0.5, False)}
    assert metric(tmp_path / "new", "supported_share") == 0


def test_models_restricts_the_questions_to_these_models(source, tmp_path):
    with serving(most_frequent_word) as server:
        run(task(source, tmp_path / "new", server.url, llm="small", models=(OWN,)))

    assert len(server.requests) == 2 * 5
    rows = select(
        tmp_path / "new",
        "select distinct model, method from head_label join model using (model_key) where chosen "
        "order by all",
    )
    assert rows == [(KNOWN, "enrichment"), (OWN, "language_model")]
    models = select(tmp_path / "new", "select distinct model from model_metric join model using (model_key) "
                                      "where labels = 'chosen'")  # fmt: skip
    assert models == [(OWN,)]


def test_a_persons_label_is_chosen_over_a_language_models_label(labeled, tmp_path):
    file = write_overrides(tmp_path, f'{KNOWN},10,1,Animals,Ada,"two of five, but the strongest"')

    run(task(labeled, tmp_path / "new", overrides=file))

    assert known_rows(
        tmp_path / "new", "label, given_by, reason, supported", "head_label", "method = 'person'"
    ) == [("L10.H1", "animal", "Ada", "two of five, but the strongest", True)]
    rows = known_rows(tmp_path / "new", "label", "head_label", "chosen")
    assert rows == [("L10.H0", "color"), ("L10.H1", "animal"), ("L11.H0", "weather"), ("L11.H1", "color")]
    assert verify.problems(tmp_path / "new") == []

    second = write_overrides(tmp_path, f"{KNOWN},10,1,weather,Ben,")
    run(task(tmp_path / "new", tmp_path / "newer", overrides=second))

    columns = known_rows(tmp_path / "newer", "label, given_by", "head_label", "method = 'person' and chosen")
    assert columns == [("L10.H1", "weather", "Ben")]
    assert known_rows(tmp_path / "newer", "property", "property_head", "head = 1")[0] == ("L10.H1", "weather")


def test_judgements_of_another_label_do_not_count_for_a_new_one(labeled, tmp_path):
    """The new label of L10.H1 has no judgement, so its tags count: two of five. Other scores stay."""
    file = write_overrides(tmp_path, f"{KNOWN},10,1,animal,Ada,")

    run(task(labeled, tmp_path / "new", overrides=file))

    rows = known_rows(tmp_path / "new", "value", "head_metric", "metric = 'ccs_chosen'")
    assert rows == [("L10.H0", 5.0), ("L10.H1", 2.0), ("L11.H0", 5.0), ("L11.H1", 5.0)]


def test_a_judge_may_be_added_later(labeled, tmp_path):
    with serving(lambda request: json_chat(consistent="no")) as server:
        run(task(labeled, tmp_path / "new", server.url, judges=("harsh",)))

    judges = select(tmp_path / "new", "select distinct judge from judgement order by judge")
    assert judges == [("harsh",), ("mild",), ("strict",), ("tag_match",)]
    # The first two judges agree on 18 texts and outvote the third.
    assert metric(tmp_path / "new", "text_consistency") == 18 / 20
    # One of the three judges differs from the other two on every text, so a third of the pairs agree.
    assert metric(tmp_path / "new", "judge_agreement") == pytest.approx(1 / 3)


def test_judges_without_a_labeling_model_judge_the_existing_labels(source, tmp_path):
    with serving(most_frequent_word) as server:
        run(task(source, tmp_path / "new", server.url, judges=("strict",), judge_draws=3))

    assert known_rows(tmp_path / "new", "value", "head_metric", "metric = 'ccs_chosen'") == [
        ("L10.H0", 5.0),
        ("L10.H1", 3.0),
        ("L11.H0", 5.0),
        ("L11.H1", 5.0),
    ]
    assert metric(tmp_path / "new", "self_consistency") == 1
    assert {request["temperature"] for request in server.requests} == {0.7}


def test_a_dry_run_prints_the_number_of_questions_and_does_nothing_else(source, tmp_path, capsys):
    with serving(most_frequent_word) as server:
        options = task(source, tmp_path / "new", server.url, llm="small", judges=("strict",))
        run(replace(options, dry_run=True))
        assert server.requests == []
        assert [*tmp_path.iterdir()] == []
        before = capsys.readouterr().out

        run(options)
        requests = list(server.requests)
        run(replace(options, dry_run=True, out=tmp_path / "other", work=options.work_folder))

    assert f"labels by small: {QUESTIONS} questions left" in before
    tokens = sum(sum(len(m["content"]) for m in request["messages"]) // 4 for request in requests)
    assert f"together: {len(requests)} questions left, about {tokens} tokens to send" in before
    assert {request["temperature"] for request in requests} == {0.7, 0.0}  # 0 for a single draw of a judge
    assert "together: 0 questions left, about 0 tokens" in capsys.readouterr().out
    assert len(server.requests) == len(requests)


def test_no_key_is_in_any_file_or_output(source, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)

    def echoes(request):
        header = request["headers"]["authorization"]
        if len(server.requests) in (1, 4):
            return failure(500, f"you sent {header}")
        return json_chat(consistent="yes") if is_judged(request) else json_chat(label=header)

    with serving(echoes) as server:
        run(task(source, tmp_path / "new", server.url, llm="small", judges=("strict",)))

    assert server.requests[0]["headers"]["authorization"] == f"Bearer {SECRET}"
    output = capsys.readouterr()
    assert "asking again" in output.err
    assert f"asking {server.url} with the key in OPENAI_API_KEY" in output.err
    assert SECRET not in output.out + output.err
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > QUESTIONS
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
    # DuckDB may compress its contents, so the tables are read as well.
    everything = select(tmp_path / "new", "select answer, parsed, prompt, options, endpoint "
                                         "from language_model_answer")  # fmt: skip
    everything += select(tmp_path / "new", "select label, given_by, reason from head_label")
    everything += select(tmp_path / "new", "select options, software from run")
    assert HIDDEN in str(everything)
    assert SECRET not in str(everything)


def test_another_run_on_the_same_answers_is_refused(source, tmp_path):
    second = task(source, tmp_path / "new", "http://127.0.0.1:9/v1", llm="small")

    with locked(second.work_folder), pytest.raises(WorkError, match="--work"):
        run(second)


def test_an_existing_output_is_refused_before_any_question(source, labeled, tmp_path):
    with serving(most_frequent_word) as server, pytest.raises(BundleExists, match="--replace"):
        run(task(source, labeled, server.url, llm="small"))

    assert server.requests == []


def test_an_unusable_line_of_overrides_is_named_before_any_question(source, tmp_path):
    file = write_overrides(tmp_path, f"{KNOWN},10,7,color,,")
    with serving(most_frequent_word) as server, pytest.raises(OverridesError, match="line 2.*L10.H7"):
        run(task(source, tmp_path / "new", server.url, llm="small", overrides=file))

    assert server.requests == []


def test_an_unknown_model_is_named(source, tmp_path):
    with pytest.raises(ConfigError, match=f"--models other: .* {KNOWN}, {OWN}"):
        run(task(source, tmp_path / "new", "http://127.0.0.1:9/v1", llm="small", models=("other",)))
