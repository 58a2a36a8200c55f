"""A bundle labeled by a language model, judges and people: what was said, and what follows from it.

The bundle is that of `tests.support.imported`: of the heads of one model, three have five texts of one
property each, and L10.H1 three of shape and two of animal. The server names what most of the texts it is
shown begin with.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from db import bundle as commands
from db.connection import open_bundle
from db.diff import diff
from db.errors import BundleExists
from precompute.runtime.config import ConfigError
from precompute.runtime.work_files import WorkError, locked
from precompute.tools.label.llm_service import HIDDEN, LlmError
from precompute.tools.label.overrides import OverridesError
from precompute.tools.label.run import run
from tests.support.imported import KNOWN, OWN
from tests.support.labeled import found, is_judged, metric, names_most, of_known, shown, task
from tests.support.llm_server import chat, failure, said, serving

SECRET = "sk-planted-0123456789abc"

HEADER = "model,layer,head,label,by,why\n"

QUESTIONS = 6 * 5
"""Heads of both models, five draws each."""


def overridden(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "overrides.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def test_a_second_run_asks_nothing_and_makes_the_same_bundle(source, tmp_path):
    with serving(names_most) as server:
        options = {"llm": "small", "judges": ("strict",), "work": tmp_path / "answers"}
        first = run(task(source, tmp_path / "first", server.url, **options))
        asked = len(server.requests)
        second = run(task(source, tmp_path / "second", server.url, **options))

    assert asked > 0
    assert len(server.requests) == asked
    one, two = open_bundle(first), open_bundle(second)
    assert diff(one, two) == []
    assert one.manifest["input_id"] == two.manifest["input_id"]


def test_a_label_that_the_pool_has_not_is_kept_and_nobody_judges_it(source, labeled, tmp_path):
    with serving(lambda request: said(label="mood")) as server:
        new = run(task(source, tmp_path / "new", server.url, llm="small"))

    assert found(new, "select texts from property where property = 'mood'") == [(0,)]
    assert metric(new, "entanglement") == 1
    rows = of_known(new, "value is null", "head_metric", "metric = 'ccs_chosen'")
    assert [unknown for _, unknown in rows] == [True] * 4
    assert open_bundle(new).manifest["input_id"] != open_bundle(labeled).manifest["input_id"]


def test_a_run_that_stopped_goes_on_and_leaves_no_bundle(source, tmp_path, capsys):
    def stops_after_ten(request):
        return names_most(request) if len(server.requests) <= 10 else failure(404, "gone")

    with serving(stops_after_ten) as server:
        with pytest.raises(LlmError, match="the same command again"):
            run(task(source, tmp_path / "new", server.url, llm="small", concurrency=1))
        assert not (tmp_path / "new").exists()
        stopped = len(server.requests)

        server.answer = names_most
        run(task(source, tmp_path / "new", server.url, llm="small", concurrency=1))

    assert stopped == 11
    assert len(server.requests) == stopped + QUESTIONS - 10


def test_a_head_without_a_readable_answer_keeps_its_offline_label_and_is_named(source, tmp_path, capsys):
    def silent_on_weather(request):
        return (
            chat("It is about the weather, I think.") if "weather" in shown(request) else names_most(request)
        )

    with serving(silent_on_weather) as server:
        run(task(source, tmp_path / "new", server.url, llm="small", draws=2))

    assert of_known(tmp_path / "new", "method", "head_label", "chosen and layer = 11 and head = 0") == [
        ("L11.H0", "enrichment")
    ]
    kept = found(
        tmp_path / "new", "select answer, parsed from language_model_answer where layer = 11 and head = 0"
    )
    assert kept == [("It is about the weather, I think.", None)] * 6
    told = capsys.readouterr().err
    assert "6 of 16 answers could not be read" in told
    assert f"1 heads got no label and keep the one they had offline: {KNOWN} L11.H0" in told


def test_split_draws_give_the_first_of_equals_unsupported(source, tmp_path):
    def by_seed(request):
        return said(label=["shape", "color", "color", "shape"][request["seed"]])

    with serving(by_seed) as server:
        run(task(source, tmp_path / "new", server.url, llm="small", draws=4, models=(KNOWN,)))

    rows = of_known(tmp_path / "new", "label, votes, supported", "head_label", "chosen")
    assert {row[1:] for row in rows} == {("shape", 0.5, False)}
    assert metric(tmp_path / "new", "supported_share") == 0


def test_only_the_models_named_are_asked_about(source, tmp_path):
    with serving(names_most) as server:
        run(task(source, tmp_path / "new", server.url, llm="small", models=(OWN,)))

    assert len(server.requests) == 2 * 5
    rows = found(
        tmp_path / "new",
        "select distinct model, method from head_label join model using (model_key) where chosen "
        "order by all",
    )
    assert rows == [(KNOWN, "enrichment"), (OWN, "language_model")]
    marked = found(tmp_path / "new", "select distinct model from model_metric join model using (model_key) "
                                     "where labels = 'chosen'")  # fmt: skip
    assert marked == [(OWN,)]


def test_a_persons_label_is_chosen_over_a_language_models(labeled, tmp_path):
    file = overridden(tmp_path, f'{KNOWN},10,1,Animals,Ada,"two of five, but the strongest"')

    run(task(labeled, tmp_path / "new", overrides=file))

    assert of_known(
        tmp_path / "new", "label, given_by, reason, supported", "head_label", "method = 'person'"
    ) == [("L10.H1", "animal", "Ada", "two of five, but the strongest", True)]
    rows = of_known(tmp_path / "new", "label", "head_label", "chosen")
    assert rows == [("L10.H0", "color"), ("L10.H1", "animal"), ("L11.H0", "weather"), ("L11.H1", "color")]
    assert commands.problems(tmp_path / "new") == []

    second = overridden(tmp_path, f"{KNOWN},10,1,weather,Ben,")
    run(task(tmp_path / "new", tmp_path / "newer", overrides=second))

    columns = of_known(tmp_path / "newer", "label, given_by", "head_label", "method = 'person' and chosen")
    assert columns == [("L10.H1", "weather", "Ben")]
    assert of_known(tmp_path / "newer", "property", "property_head", "head = 1")[0] == ("L10.H1", "weather")


def test_judgements_of_another_label_do_not_count_for_a_new_one(labeled, tmp_path):
    """Nobody judged "animal" for L10.H1, so its tags say: two of five. The others stay as judged."""
    file = overridden(tmp_path, f"{KNOWN},10,1,animal,Ada,")

    run(task(labeled, tmp_path / "new", overrides=file))

    rows = of_known(tmp_path / "new", "value", "head_metric", "metric = 'ccs_chosen'")
    assert rows == [("L10.H0", 5.0), ("L10.H1", 2.0), ("L11.H0", 5.0), ("L11.H1", 5.0)]


def test_a_judge_may_be_added_later(labeled, tmp_path):
    with serving(lambda request: said(consistent="no")) as server:
        run(task(labeled, tmp_path / "new", server.url, judges=("harsh",)))

    judges = found(tmp_path / "new", "select distinct judge from judgement order by judge")
    assert judges == [("harsh",), ("mild",), ("strict",), ("tag_match",)]
    # The two before carry the day where they agree.
    assert metric(tmp_path / "new", "text_consistency") == 18 / 20
    # Of three judges, all yes but one: a third of the pairs agree on 18 texts, a third on the other 2.
    assert metric(tmp_path / "new", "judge_agreement") == pytest.approx(1 / 3)


def test_judges_alone_judge_the_labels_that_are_there(source, tmp_path):
    with serving(names_most) as server:
        run(task(source, tmp_path / "new", server.url, judges=("strict",), judge_draws=3))

    assert of_known(tmp_path / "new", "value", "head_metric", "metric = 'ccs_chosen'") == [
        ("L10.H0", 5.0),
        ("L10.H1", 3.0),
        ("L11.H0", 5.0),
        ("L11.H1", 5.0),
    ]
    assert metric(tmp_path / "new", "self_consistency") == 1
    assert {request["temperature"] for request in server.requests} == {0.7}


def test_a_dry_run_says_what_is_left_and_does_nothing(source, tmp_path, capsys):
    with serving(names_most) as server:
        options = task(source, tmp_path / "new", server.url, llm="small", judges=("strict",))
        run(replace(options, dry_run=True))
        assert server.requests == []
        assert [*tmp_path.iterdir()] == []
        before = capsys.readouterr().out

        run(options)
        asked = list(server.requests)
        run(replace(options, dry_run=True, out=tmp_path / "other", work=options.work_folder))

    assert f"labels by small: {QUESTIONS} questions left" in before
    tokens = sum(sum(len(one["content"]) for one in request["messages"]) // 4 for request in asked)
    assert f"together: {len(asked)} questions left, about {tokens} tokens to send" in before
    assert {request["temperature"] for request in asked} == {0.7, 0.0}  # a judge asked once does not vary
    assert "together: 0 questions left, about 0 tokens" in capsys.readouterr().out
    assert len(server.requests) == len(asked)


def test_no_key_is_in_any_file_or_output(source, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)

    def echoes(request):
        got = request["headers"]["authorization"]
        if len(server.requests) in (1, 4):
            return failure(500, f"you sent {got}")
        return said(consistent="yes") if is_judged(request) else said(label=got)

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
    # What a database holds may be compressed: ask it too.
    everything = found(tmp_path / "new", "select answer, parsed, prompt, options, endpoint "
                                         "from language_model_answer")  # fmt: skip
    everything += found(tmp_path / "new", "select label, given_by, reason from head_label")
    everything += found(tmp_path / "new", "select options, software from run")
    assert HIDDEN in str(everything)
    assert SECRET not in str(everything)


def test_another_run_on_the_same_answers_is_kept_out(source, tmp_path):
    held = task(source, tmp_path / "new", "http://127.0.0.1:9/v1", llm="small")

    with (
        locked(held.work_folder),
        pytest.raises(WorkError, match="Wait for it to end, or give another --work"),
    ):
        run(held)


def test_an_output_that_is_taken_is_refused_before_anything_is_asked(source, labeled, tmp_path):
    with serving(names_most) as server, pytest.raises(BundleExists, match="--replace"):
        run(task(source, labeled, server.url, llm="small"))

    assert server.requests == []


def test_a_wrong_line_of_overrides_is_named_before_anything_is_asked(source, tmp_path):
    file = overridden(tmp_path, f"{KNOWN},10,7,color,,")
    with serving(names_most) as server, pytest.raises(OverridesError, match="line 2.*no head L10.H7"):
        run(task(source, tmp_path / "new", server.url, llm="small", overrides=file))

    assert server.requests == []


def test_an_unknown_model_is_named(source, tmp_path):
    with pytest.raises(ConfigError, match=f"--models other: the bundle has {KNOWN}, {OWN}"):
        run(task(source, tmp_path / "new", "http://127.0.0.1:9/v1", llm="small", models=("other",)))
