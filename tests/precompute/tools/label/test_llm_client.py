"""The client survives network failures, requests each answer once, and never reveals the key."""

import json
import logging
import os
import signal
import threading
import time
import traceback
from pathlib import Path

import pytest

from precompute.tools.label.llm_cache import AnswerCache, Form, Question
from precompute.tools.label.llm_client import LlmClient
from precompute.tools.label.llm_service import HIDDEN, LlmError, Service, key_of_environment
from tests.support.llm_server import Reply, chat, failure, in_turn, json_chat, serving

SECRET = "sk-planted/0123456789+abc"

QUICK = {"first_wait": 0.01, "max_wait": 0.02, "timeout": 5.0, "attempts": 4}


def question(draw: int = 0, model: str = "small") -> Question:
    return Question(model, (("user", "what is it about?"),), Form("label"), 0.7, 64, draw)


def client_of(server, folder: Path, **options) -> LlmClient:
    service = Service(server.url, **(QUICK | options))
    return LlmClient(service, AnswerCache(folder, service.endpoint))


def files_below(folder: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.rglob("*")) if path.is_file())


def test_an_answer_comes_with_what_was_sent_and_counted(tmp_path):
    with serving(in_turn(json_chat(label="color"))) as server:
        (answer,) = client_of(server, tmp_path).ask([question(draw=3)])

    assert (answer.text, answer.prompt_tokens, answer.answer_tokens) == ('{"label": "color"}', 11, 3)
    (sent,) = server.requests
    assert sent["path"] == "/v1/chat/completions"
    assert sent["messages"] == [{"role": "user", "content": "what is it about?"}]
    assert (sent["model"], sent["seed"], sent["temperature"], sent["max_tokens"]) == ("small", 3, 0.7, 64)
    schema = sent["response_format"]["json_schema"]
    assert schema["strict"] is True
    assert schema["schema"]["required"] == ["label"]
    assert answer.sent == {name: sent[name] for name in answer.sent}


def test_answers_have_the_order_of_the_questions(tmp_path):
    def by_seed(request):
        return json_chat(label=f"draw {request['seed']}")._replace(wait=0.05 if request["seed"] == 0 else 0)

    with serving(by_seed) as server:
        answers = client_of(server, tmp_path).ask([question(draw) for draw in (0, 1, 2, 1)])

    labels = [json.loads(answer.text)["label"] for answer in answers]
    assert labels == ["draw 0", "draw 1", "draw 2", "draw 1"]
    assert len(server.requests) == 3  # the same question is asked once


def test_a_second_run_asks_nothing(tmp_path):
    questions = [question(draw) for draw in range(5)]
    with serving(in_turn(json_chat(label="color"))) as server:
        first = client_of(server, tmp_path).ask(questions)
        second = client_of(server, tmp_path).ask(questions)

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
def test_another_question_is_a_new_request(tmp_path, other):
    with serving(in_turn(json_chat(label="color"))) as server:
        client_of(server, tmp_path).ask([question()])
        client_of(server, tmp_path).ask([other])

    assert len(server.requests) == 2


def test_a_damaged_answer_is_asked_again(tmp_path):
    with serving(in_turn(json_chat(label="color"))) as server:
        client_of(server, tmp_path).ask([question()])
        (file,) = (tmp_path / "answers").iterdir()
        file.write_text(file.read_text()[:40])

        (answer,) = client_of(server, tmp_path).ask([question()])

    assert answer.text == '{"label": "color"}'
    assert len(server.requests) == 2


def test_an_answer_with_a_flipped_bit_is_asked_again(tmp_path):
    with serving(in_turn(json_chat(label="color"))) as server:
        client_of(server, tmp_path).ask([question()])
        (file,) = (tmp_path / "answers").iterdir()
        file.write_text(file.read_text().replace("color", "bolor"))

        (answer,) = client_of(server, tmp_path).ask([question()])

    assert answer.text == '{"label": "color"}'
    assert len(server.requests) == 2


def test_concurrency_limits_simultaneous_questions(tmp_path):
    with serving(in_turn(json_chat(label="color")._replace(wait=0.05))) as server:
        client_of(server, tmp_path, concurrency=3).ask([question(draw) for draw in range(9)])

    assert server.max_concurrent == 3


TRANSIENT = {
    "too many": failure(429, "slow down"),
    "broken inside": failure(500),
    "overloaded": failure(503),
    "cut": json_chat(label="color")._replace(cut=True),
    "half a JSON": Reply(b'{"choices": [{"ind'),
    "another page": Reply(b"<html>hello</html>", headers=(("Content-Type", "text/html"),)),
    "no choices": Reply(b'{"object": "chat.completion", "choices": []}'),
    "silence": json_chat(label="late")._replace(wait=0.4),
}


@pytest.mark.parametrize("failure_kind", TRANSIENT)
def test_transient_errors_are_retried(tmp_path, failure_kind, capsys):
    with serving(in_turn(TRANSIENT[failure_kind], json_chat(label="color"))) as server:
        (answer,) = client_of(server, tmp_path, timeout=0.2).ask([question()])

    assert answer.text == '{"label": "color"}'
    assert len(server.requests) == 2
    assert "asking again in" in capsys.readouterr().err


def test_the_pause_that_a_service_requests_applies_to_all_questions(tmp_path):
    replies = in_turn(failure(429, headers={"Retry-After": "0.4"}), json_chat(label="color"))
    with serving(replies) as server:
        client_of(server, tmp_path, concurrency=1).ask([question(draw) for draw in range(3)])

    first, *later = [request["at"] for request in server.requests]
    assert len(later) == 3
    assert min(later) - first >= 0.4


def test_too_long_a_pause_stops_the_run(tmp_path):
    refusal = failure(429, headers={"Retry-After": "7200"})
    with serving(in_turn(refusal)) as server, pytest.raises(LlmError, match="7200 seconds"):
        client_of(server, tmp_path).ask([question()])

    assert len(server.requests) == 1


def test_a_run_stops_after_the_last_attempt_and_keeps_its_answers(tmp_path):
    def fails_for_draw_1(request):
        return failure(500, "no memory") if request["seed"] == 1 else json_chat(label="color")

    with serving(fails_for_draw_1) as server:
        with pytest.raises(LlmError, match=r"4 attempts.*500 \(.*no memory\)"):
            client_of(server, tmp_path, concurrency=1).ask([question(0), question(1)])
        assert len(server.requests) == 1 + QUICK["attempts"]

        server.answer = in_turn(json_chat(label="color"))
        client_of(server, tmp_path).ask([question(0), question(1)])

    assert len(server.requests) == 1 + QUICK["attempts"] + 1


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (failure(404, "no model small"), "no model small.* --url"),
        (failure(401, "bad key"), "401.*HEADLIGHT_LLM_KEY"),
        (failure(429, "pay first", code="insufficient_quota"), "quota"),
    ],
)
def test_other_errors_stop_the_run_at_once(tmp_path, reply, message):
    with serving(in_turn(reply)) as server, pytest.raises(LlmError, match=message):
        client_of(server, tmp_path).ask([question()])

    assert len(server.requests) == 1


def test_a_service_that_does_not_run_is_named(tmp_path):
    with serving(in_turn(json_chat(label="color"))) as server:
        url = server.url

    service = Service(url, **QUICK)
    with pytest.raises(LlmError, match=url):
        LlmClient(service, AnswerCache(tmp_path, service.endpoint)).ask([question()])


def test_structured_output_is_omitted_from_the_first_refusal_on(tmp_path, capsys):
    def rejects(request):
        refused = "response_format" in request
        return failure(400, "json_schema is not supported") if refused else json_chat(label="color")

    with serving(rejects) as server:
        answers = client_of(server, tmp_path, concurrency=1).ask([question(draw) for draw in range(3)])

    assert ["response_format" in request for request in server.requests] == [True, False, False, False]
    assert all("response_format" not in answer.sent for answer in answers)
    assert capsys.readouterr().err.count("asked without response_format") == 1


def test_the_option_that_a_service_names_is_omitted(tmp_path):
    def rejects(request):
        for name in ("max_tokens", "temperature"):
            if name in request:
                return failure(400, f"Unsupported parameter: '{name}'", param=name)
        return json_chat(label="color")

    with serving(rejects) as server:
        (answer,) = client_of(server, tmp_path).ask([question()])

    assert set(answer.sent) == {"seed", "response_format"}
    assert len(server.requests) == 3


def test_a_request_refused_without_options_stops_the_run(tmp_path):
    refusal = failure(400, "I do not like you")
    with serving(in_turn(refusal)) as server, pytest.raises(LlmError, match="I do not like you"):
        client_of(server, tmp_path).ask([question()])

    assert len(server.requests) == 2


def test_a_filtered_question_gets_the_filters_message_as_answer(tmp_path):
    with serving(in_turn(failure(400, "filtered out", code="content_filter"))) as server:
        (answer,) = client_of(server, tmp_path).ask([question()])

    assert "filtered out" in answer.text


def test_the_key_is_sent_but_neither_stored_nor_shown(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_LLM_KEY", SECRET)

    def echoes(request):
        header = request["headers"]["authorization"]
        if request["seed"] == 0:
            return chat(f'{{"label": "{header}"}}')
        return failure(500, f"you sent {header}")

    with serving(echoes) as server:
        key = key_of_environment()
        with pytest.raises(LlmError) as caught:
            client_of(server, tmp_path, key=key, concurrency=1).ask([question(0), question(1)])
        (answer,) = client_of(server, tmp_path, key=key).ask([question(0)])

    assert server.requests[0]["headers"]["authorization"] == f"Bearer {SECRET}"
    assert answer.text == f'{{"label": "Bearer {HIDDEN}"}}'
    assert f"you sent Bearer {HIDDEN}" in str(caught.value)
    output = capsys.readouterr()
    texts = [output.out, output.err, str(caught.value), files_below(tmp_path), repr(Service(server.url, key))]
    assert "asking again" in output.err
    assert all(SECRET not in text for text in texts)


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_neither_a_traceback_nor_any_log_shows_the_key(tmp_path, caplog, status):
    def echoes(request):
        header = request["headers"]["authorization"]
        return failure(status, f"you sent {header}", headers={"X-Got": header})

    caplog.set_level(logging.DEBUG)
    with serving(echoes) as server, pytest.raises(LlmError) as caught:
        client_of(server, tmp_path, key=SECRET).ask([question()])

    printed = "".join(traceback.format_exception(caught.value))
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("openai"))
    assert "llm_client.py" in printed
    assert "HTTP Response" in logged
    assert SECRET not in printed + logged
    assert server.requests[0]["headers"]["authorization"] == f"Bearer {SECRET}"


def test_user_and_password_of_an_address_are_sent_but_neither_stored_nor_shown(tmp_path, capsys):
    def echoes(request):
        header = request["headers"]["authorization"]
        return chat(f"{header} hunter22") if request["seed"] == 0 else failure(500, f"{header} hunter22")

    with serving(echoes) as server:
        server.url = server.url.replace("http://", "http://ann:hunter22@")
        with pytest.raises(LlmError) as caught:
            client_of(server, tmp_path, concurrency=1).ask([question(0), question(1)])

    assert server.requests[0]["headers"]["authorization"] == "Basic YW5uOmh1bnRlcjIy"
    output = capsys.readouterr()
    stored = files_below(tmp_path)
    assert f'"endpoint": "{server.url.replace("ann:hunter22@", "")}"' in stored
    for secret in ("hunter22", "YW5uOmh1bnRlcjIy"):
        assert secret not in output.out + output.err + str(caught.value) + stored


def test_a_placeholder_for_a_key_is_no_secret(tmp_path):
    with serving(in_turn(json_chat(label="none"))) as server:
        (answer,) = client_of(server, tmp_path, key="none").ask([question()])

    assert answer.text == '{"label": "none"}'


def test_an_interrupted_run_ends_at_once_and_loses_no_answer(tmp_path):
    """Ctrl-C while the third of three answers takes ten seconds."""

    def interrupts_at_the_third(request):
        if request["seed"] < 2:
            return json_chat(label="color")
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        return json_chat(label="color")._replace(wait=10)

    questions = [question(draw) for draw in range(3)]
    with serving(interrupts_at_the_third) as server:
        with pytest.raises(KeyboardInterrupt):
            client_of(server, tmp_path, concurrency=1, timeout=30.0).ask(questions)
        seconds = time.monotonic() - server.requests[-1]["at"]

        server.answer = in_turn(json_chat(label="color"))
        client_of(server, tmp_path).ask(questions)

    assert seconds < 3
    assert [request["seed"] for request in server.requests] == [0, 1, 2, 2]
