"""A bundle labeled by a language model, judges and people: what was said, and what follows from it.

The bundle is that of `tests.support.imported`: of the heads of one model, three have five texts of one
property each, and L10.H1 three of shape and two of animal. The server names what most of the texts it is
shown begin with.
"""

import argparse
import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from db import bundle as commands
from db.connection import open_bundle, query
from db.diff import diff
from db.errors import BundleExists
from precompute.runtime import arguments
from precompute.runtime.config import ConfigError
from precompute.runtime.work_files import WorkError, locked
from precompute.tools.label.llm_service import HIDDEN, LlmError
from precompute.tools.label.options import LabelTask, add_options
from precompute.tools.label.overrides import OverridesError
from precompute.tools.label.run import run
from tests.support.imported import KNOWN, OWN, write_imported
from tests.support.llm_server import (
    chat,
    failure,
    said,
    serving,
)

SECRET = "sk-planted-0123456789abc"
HEADER = "model,layer,head,label,by,why\n"
QUESTIONS = 6 * 5
"""Heads of both models, five draws each."""


@pytest.fixture(autouse=True)
def no_key_of_mine(monkeypatch):
    for name in ("HEADLIGHT_LLM_KEY", "OPENAI_API_KEY", "OPENAI_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """Made once for all tests; not to be changed."""
    folder = tmp_path_factory.mktemp("imported")
    return write_imported(folder / "results", folder / "bundle")


def is_judged(request) -> bool:
    return request["messages"][-1]["content"].startswith("property: ")


def shown(request) -> str:
    """What is asked, without examples."""
    return request["messages"][-1]["content"]


def names_most(request):
    """A label in the plural and a capital, from the first words of the texts; a judge compares these."""
    if is_judged(request):
        label, text = (line.split(": ")[1] for line in shown(request).splitlines())
        return said(consistent="yes" if text.startswith(label) else "no")
    words = Counter(line.split()[1] for line in shown(request).splitlines())
    return said(label=f" {words.most_common(1)[0][0].title()}s.")


def task(source: Path, out: Path, url: str | None = None, **options) -> LabelTask:
    return LabelTask(source, out, url=url, **({"first_wait": 0.01, "attempts": 3} | options))


def overridden(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "overrides.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def found(path: Path, sql: str) -> list[tuple]:
    bundle = open_bundle(path)
    try:
        return [tuple(row) for row in query(bundle, sql).itertuples(index=False)]
    finally:
        bundle.close()


def of_known(path: Path, columns: str, table: str, where: str = "true") -> list[tuple]:
    """Columns of one model's rows, head by head."""
    head = f"'L' || {table}.layer || '.H' || {table}.head"
    return found(
        path,
        f"select {head} as name, {columns} from {table} join model using (model_key) "
        f"where model = '{KNOWN}' and ({where}) order by {table}.layer, {table}.head",
    )


def metric(path: Path, name: str, labels: str = "chosen", heads_used: str = "all") -> float:
    ((value,),) = found(
        path,
        f"select value from model_metric join model using (model_key) where model = '{KNOWN}' "
        f"and metric = '{name}' and labels = '{labels}' and heads_used = '{heads_used}'",
    )
    return value


@pytest.fixture(scope="module")
def labeled(source, tmp_path_factory) -> Path:
    """Labels by one model and the judgement of two, the second of which says yes to everything."""

    def answer(request):
        return said(consistent="yes") if request["model"] == "mild" else names_most(request)

    out = tmp_path_factory.mktemp("labeled") / "new"
    with serving(answer) as server:
        run(task(source, out, server.url, llm="small", judges=("strict", "mild")))
    return out


def test_the_new_bundle_is_sound_and_the_old_one_untouched(source, labeled):
    assert commands.problems(labeled) == []
    assert commands.problems(source) == []
    assert found(source, "select count(*) from head_label where method = 'language_model'") == [(0,)]


def test_labels_are_chosen_and_spelled_as_the_pool_does(labeled):
    assert of_known(
        labeled, "label, method, picks, votes, draws, given_by, supported", "head_label", "chosen"
    ) == [
        ("L10.H0", "color", "language_model", 5, 1.0, 5, "small", True),
        ("L10.H1", "shape", "language_model", 5, 1.0, 5, "small", True),
        ("L11.H0", "weather", "language_model", 5, 1.0, 5, "small", True),
        ("L11.H1", "color", "language_model", 5, 1.0, 5, "small", True),
    ]


def test_offline_labels_stay_beside(source, labeled):
    offline = "select * exclude (chosen) from head_label where method <> 'language_model' order by all"

    assert str(found(labeled, offline)) == str(found(source, offline))


def test_every_answer_is_in_the_bundle_with_its_question(labeled):
    rows = found(
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


def test_a_text_agrees_where_both_judges_say_so(labeled):
    """The strict judge takes three of the five texts of L10.H1, the mild one all; who differ make a no."""
    assert of_known(labeled, "value", "head_metric", "metric = 'ccs_chosen'") == [
        ("L10.H0", 5.0),
        ("L10.H1", 3.0),
        ("L11.H0", 5.0),
        ("L11.H1", 5.0),
    ]
    assert metric(labeled, "text_consistency") == 18 / 20
    assert metric(labeled, "association_5") == 3 / 4


def test_agreement_of_the_judges_is_as_counted_by_hand(labeled):
    """They agree on 18 of 20 texts; 38 of their 40 answers are yes."""
    assert metric(labeled, "judge_agreement") == pytest.approx(18 / 20)
    chance = (38 / 40) ** 2 + (2 / 40) ** 2
    assert metric(labeled, "fleiss_kappa") == pytest.approx((0.9 - chance) / (1 - chance))
    chance = 2 * (38 / 40) * (2 / 40)
    assert metric(labeled, "gwet_ac1") == pytest.approx((0.9 - chance) / (1 - chance))


def test_metrics_of_labels_are_given_for_chosen_ones_beside_the_offline_ones(labeled):
    assert metric(labeled, "entanglement") == metric(labeled, "entanglement", labels="offline") == 0.5
    assert metric(labeled, "uniqueness") == 0.5
    unknown = found(
        labeled, "select count(*) from model_metric where labels = 'chosen' and chance is not null"
    )
    assert unknown == [(0,)]


def test_heads_are_found_by_their_chosen_label(labeled):
    assert of_known(labeled, "property", "property_head") == [
        ("L10.H0", "color"),
        ("L10.H1", "shape"),
        ("L11.H0", "weather"),
        ("L11.H1", "color"),
    ]


def test_the_bundle_says_how_it_was_labeled(source, labeled):
    ((options, software),) = found(
        labeled,
        "select options, software from run join model using (model_key) "
        f"where stage = 'relabeling' and model = '{KNOWN}'",
    )

    options = json.loads(options)
    assert (options["llm"], options["judges"], options["draws"]) == ("small", ["strict", "mild"], 5)
    assert "openai" in json.loads(software)
    manifest, before = open_bundle(labeled).manifest, open_bundle(source).manifest
    assert manifest["labeled_from"] == before["input_id"] != manifest["input_id"]


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


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "nothing to do"),
        ({"llm": "small"}, "need the address of a service, --url"),
        ({"llm": "small", "url": "http://h/v1", "draws": 0}, "--draws 0: give 1 or more"),
        ({"llm": "small", "url": "http://h/v1", "temperature": -1.0}, "--temperature"),
        ({"judges": ("a", "a"), "url": "http://h/v1"}, "given twice"),
        ({"llm": "small", "url": "http://h/v1", "timeout": 0.0}, "--timeout"),
    ],
)
def test_a_task_that_makes_no_sense_is_refused(options, says):
    with pytest.raises(ConfigError, match=says):
        LabelTask(Path("a"), Path("b"), **options)


def test_the_command_line_says_it_all():
    parser = argparse.ArgumentParser()
    add_options(parser)
    words = "old --out new --llm small --url http://h/v1 --judge a --judge b --models x y --dry-run"

    given = arguments.read(parser.parse_args(words.split()), LabelTask)

    assert given == LabelTask(
        Path("old"),
        Path("new"),
        llm="small",
        url="http://h/v1",
        judges=("a", "b"),
        models=("x", "y"),
        dry_run=True,
    )
    assert given.work_folder == Path(".new.labels.work")
    elsewhere = parser.parse_args([*words.split(), "--work", "w"])
    assert os.fspath(arguments.read(elsewhere, LabelTask).work_folder) == "w"
