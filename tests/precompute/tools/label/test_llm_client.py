"""A language model is asked through whatever a network does, once for each answer, and no key gets out."""

import json
import logging
import os
import signal
import threading
import time
import traceback
from pathlib import Path

import pytest

from precompute.tools.label.llm_cache import Answers, Form, Question
from precompute.tools.label.llm_client import Asker
from precompute.tools.label.llm_service import HIDDEN, LlmError, Service, key_of_environment
from tests.support.llm_server import Reply, chat, failure, in_turn, said, serving

SECRET = "sk-planted/0123456789+abc"

QUICK = {"first_wait": 0.01, "longest_wait": 0.02, "timeout": 5.0, "attempts": 4}


def question(draw: int = 0, model: str = "small") -> Question:
    return Question(model, (("user", "what is it about?"),), Form("label"), 0.7, 64, draw)


def asker(server, folder: Path, **options) -> Asker:
    service = Service(server.url, **(QUICK | options))
    return Asker(service, Answers(folder, service.endpoint))


def files_below(folder: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.rglob("*")) if path.is_file())


def test_an_answer_comes_with_what_was_sent_and_counted(tmp_path):
    with serving(in_turn(said(label="color"))) as server:
        (answer,) = asker(server, tmp_path).ask([question(draw=3)])

    assert (answer.text, answer.prompt_tokens, answer.answer_tokens) == ('{"label": "color"}', 11, 3)
    (sent,) = server.requests
    assert sent["path"] == "/v1/chat/completions"
    assert sent["messages"] == [{"role": "user", "content": "what is it about?"}]
    assert (sent["model"], sent["seed"], sent["temperature"], sent["max_tokens"]) == ("small", 3, 0.7, 64)
    schema = sent["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["required"] == ["label"]
    assert answer.sent == {name: sent[name] for name in answer.sent}


def test_answers_stand_in_the_order_of_the_questions(tmp_path):
    def by_seed(request):
        return said(label=f"draw {request['seed']}")._replace(wait=0.05 if request["seed"] == 0 else 0)

    with serving(by_seed) as server:
        answers = asker(server, tmp_path).ask([question(draw) for draw in (0, 1, 2, 1)])

    assert [json.loads(one.text)["label"] for one in answers] == ["draw 0", "draw 1", "draw 2", "draw 1"]
    assert len(server.requests) == 3  # the same question is asked once


def test_a_second_run_asks_nothing(tmp_path):
    questions = [question(draw) for draw in range(5)]
    with serving(in_turn(said(label="color"))) as server:
        first = asker(server, tmp_path).ask(questions)
        second = asker(server, tmp_path).ask(questions)

    assert len(server.requests) == 5
    assert second == first


@pytest.mark.parametrize(
    "other",
    [
        question(draw=1),
        question(model="large"),
        question()._replace(temperature=0.0),
        question()._replace(messages=(("user", "what else?"),)),
    ],
)
def test_another_question_is_asked_anew(tmp_path, other):
    with serving(in_turn(said(label="color"))) as server:
        asker(server, tmp_path).ask([question()])
        asker(server, tmp_path).ask([other])

    assert len(server.requests) == 2


def test_a_damaged_answer_is_asked_again(tmp_path):
    with serving(in_turn(said(label="color"))) as server:
        asker(server, tmp_path).ask([question()])
        (kept,) = (tmp_path / "answers").iterdir()
        kept.write_text(kept.read_text()[:40])

        (answer,) = asker(server, tmp_path).ask([question()])

    assert answer.text == '{"label": "color"}'
    assert len(server.requests) == 2


def test_no_more_questions_are_under_way_than_allowed(tmp_path):
    with serving(in_turn(said(label="color")._replace(wait=0.05))) as server:
        asker(server, tmp_path, concurrency=3).ask([question(draw) for draw in range(9)])

    assert server.busiest == 3


PASSING = {
    "too many": failure(429, "slow down"),
    "broken inside": failure(500),
    "overloaded": failure(503),
    "cut": said(label="color")._replace(cut=True),
    "half a JSON": Reply(b'{"choices": [{"ind'),
    "another page": Reply(b"<html>hello</html>", headers=(("Content-Type", "text/html"),)),
    "no choices": Reply(b'{"object": "chat.completion", "choices": []}'),
    "silence": said(label="late")._replace(wait=0.4),
}


@pytest.mark.parametrize("what", PASSING)
def test_what_passes_is_asked_again(tmp_path, what, capsys):
    with serving(in_turn(PASSING[what], said(label="color"))) as server:
        (answer,) = asker(server, tmp_path, timeout=0.2).ask([question()])

    assert answer.text == '{"label": "color"}'
    assert len(server.requests) == 2
    assert "asking again in" in capsys.readouterr().err


def test_the_pause_a_service_asks_for_is_kept_by_all(tmp_path):
    replies = in_turn(failure(429, headers={"Retry-After": "0.4"}), said(label="color"))
    with serving(replies) as server:
        asker(server, tmp_path, concurrency=1).ask([question(draw) for draw in range(3)])

    first, *later = [request["at"] for request in server.requests]
    assert len(later) == 3
    assert min(later) - first >= 0.4


def test_a_pause_too_long_to_wait_for_stops_the_run_and_says_so(tmp_path):
    refused = failure(429, headers={"Retry-After": "7200"})
    expected = pytest.raises(LlmError, match="a pause of 7200 seconds.*the same command again")
    with serving(in_turn(refused)) as server, expected:
        asker(server, tmp_path).ask([question()])

    assert len(server.requests) == 1


def test_a_run_stops_after_so_many_attempts_and_keeps_what_it_has(tmp_path):
    def fails_for_draw_1(request):
        return failure(500, "no memory") if request["seed"] == 1 else said(label="color")

    with serving(fails_for_draw_1) as server:
        with pytest.raises(LlmError, match=r"4 attempts.*500 \(.*no memory\).*the same command again"):
            asker(server, tmp_path, concurrency=1).ask([question(0), question(1)])
        assert len(server.requests) == 1 + QUICK["attempts"]

        server.answer = in_turn(said(label="color"))
        asker(server, tmp_path).ask([question(0), question(1)])

    assert len(server.requests) == 1 + QUICK["attempts"] + 1


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (failure(404, "no model small"), "no model small.*name of the model"),
        (failure(401, "bad key"), "the key is refused.*HEADLIGHT_LLM_KEY"),
        (failure(429, "pay first", code="insufficient_quota"), "quota"),
    ],
)
def test_what_does_not_pass_stops_at_once(tmp_path, reply, says):
    with serving(in_turn(reply)) as server, pytest.raises(LlmError, match=says):
        asker(server, tmp_path).ask([question()])

    assert len(server.requests) == 1


def test_a_service_that_is_not_there_is_named(tmp_path):
    with serving(in_turn(said(label="color"))) as server:
        gone = server.url

    service = Service(gone, **QUICK)
    with pytest.raises(LlmError, match=f"{gone} cannot be reached"):
        Asker(service, Answers(tmp_path, service.endpoint)).ask([question()])


def test_a_service_without_structured_output_is_asked_without_it_once_and_for_all(tmp_path, capsys):
    def rejects(request):
        wrong = "response_format" in request
        return failure(400, "json_schema is not supported") if wrong else said(label="color")

    with serving(rejects) as server:
        answers = asker(server, tmp_path, concurrency=1).ask([question(draw) for draw in range(3)])

    assert ["response_format" in request for request in server.requests] == [True, False, False, False]
    assert all("response_format" not in answer.sent for answer in answers)
    assert capsys.readouterr().err.count("asked without response_format") == 1


def test_the_option_that_a_service_names_is_left_out(tmp_path):
    def rejects(request):
        for name in ("max_tokens", "temperature"):
            if name in request:
                return failure(400, f"Unsupported parameter: '{name}'", param=name)
        return said(label="color")

    with serving(rejects) as server:
        (answer,) = asker(server, tmp_path).ask([question()])

    assert set(answer.sent) == {"seed", "response_format"}
    assert len(server.requests) == 3


def test_a_request_refused_whatever_is_left_out_ends(tmp_path):
    refused = failure(400, "I do not like you")
    with serving(in_turn(refused)) as server, pytest.raises(LlmError, match="I do not like you"):
        asker(server, tmp_path).ask([question()])

    assert len(server.requests) == 2


def test_a_question_that_a_filter_refuses_is_an_answer_that_says_so(tmp_path):
    with serving(in_turn(failure(400, "filtered out", code="content_filter"))) as server:
        (answer,) = asker(server, tmp_path).ask([question()])

    assert "filtered out" in answer.text


def test_the_key_is_sent_and_is_in_nothing_that_is_kept_or_shown(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_LLM_KEY", SECRET)

    def echoes(request):
        got = request["headers"]["authorization"]
        return chat(f'{{"label": "{got}"}}') if request["seed"] == 0 else failure(500, f"you sent {got}")

    with serving(echoes) as server:
        key = key_of_environment()
        with pytest.raises(LlmError) as caught:
            asker(server, tmp_path, key=key, concurrency=1).ask([question(0), question(1)])
        (answer,) = asker(server, tmp_path, key=key).ask([question(0)])

    assert server.requests[0]["headers"]["authorization"] == f"Bearer {SECRET}"
    assert answer.text == f'{{"label": "Bearer {HIDDEN}"}}'
    assert f"you sent Bearer {HIDDEN}" in str(caught.value)
    output = capsys.readouterr()
    seen = [output.out, output.err, str(caught.value), files_below(tmp_path), repr(Service(server.url, key))]
    assert "asking again" in output.err
    assert all(SECRET not in text for text in seen)


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_neither_a_traceback_nor_any_log_shows_the_key(tmp_path, caplog, status):
    def echoes(request):
        got = request["headers"]["authorization"]
        return failure(status, f"you sent {got}", headers={"X-Got": got})

    caplog.set_level(logging.DEBUG)
    with serving(echoes) as server, pytest.raises(LlmError) as caught:
        asker(server, tmp_path, key=SECRET).ask([question()])

    printed = "".join(traceback.format_exception(caught.value))
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("openai"))
    assert "llm_client.py" in printed
    assert "HTTP Response" in logged
    assert SECRET not in printed + logged
    assert server.requests[0]["headers"]["authorization"] == f"Bearer {SECRET}"


def test_user_and_password_of_an_address_are_sent_and_kept_nowhere(tmp_path, capsys):
    def echoes(request):
        got = request["headers"]["authorization"]
        return chat(f"{got} hunter22") if request["seed"] == 0 else failure(500, f"{got} hunter22")

    with serving(echoes) as server:
        server.url = server.url.replace("http://", "http://ann:hunter22@")
        with pytest.raises(LlmError) as caught:
            asker(server, tmp_path, concurrency=1).ask([question(0), question(1)])

    assert server.requests[0]["headers"]["authorization"] == "Basic YW5uOmh1bnRlcjIy"
    output = capsys.readouterr()
    kept = files_below(tmp_path)
    assert f'"endpoint": "{server.url.replace("ann:hunter22@", "")}"' in kept
    for secret in ("hunter22", "YW5uOmh1bnRlcjIy"):
        assert secret not in output.out + output.err + str(caught.value) + kept


def test_a_placeholder_for_a_key_is_no_secret(tmp_path):
    with serving(in_turn(said(label="none"))) as server:
        (answer,) = asker(server, tmp_path, key="none").ask([question()])

    assert answer.text == '{"label": "none"}'


def test_an_interrupted_run_ends_at_once_and_loses_nothing(tmp_path):
    """Ctrl-C while the third of three answers takes ten seconds."""

    def interrupts_at_the_third(request):
        if request["seed"] < 2:
            return said(label="color")
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        return said(label="color")._replace(wait=10)

    questions = [question(draw) for draw in range(3)]
    with serving(interrupts_at_the_third) as server:
        with pytest.raises(KeyboardInterrupt):
            asker(server, tmp_path, concurrency=1, timeout=30.0).ask(questions)
        took = time.monotonic() - server.requests[-1]["at"]

        server.answer = in_turn(said(label="color"))
        asker(server, tmp_path).ask(questions)

    assert took < 3
    assert [request["seed"] for request in server.requests] == [0, 1, 2, 2]
