"""Bad responses of a service are counted and asked again; none stops a run, takes its memory or its time."""

import gzip
import json
import time
from pathlib import Path

import pytest

from db import verify
from precompute.runtime import work_files
from precompute.tools.label import llm_client
from precompute.tools.label.llm_cache import AnswerCache, Form, Question
from precompute.tools.label.llm_client import LlmClient
from precompute.tools.label.llm_service import LlmError, Service
from precompute.tools.label.run import run
from tests.support.labeled import known_rows, last_message, most_frequent_word, select, task
from tests.support.llm_server import Reply, chat, failure, in_turn, json_chat, serving

SECRET = "sk-planted/0123456789+abc"

DEEP = "[" * 200_000

GOOD = json_chat(label="color")


def of_usage(**usage) -> Reply:
    """Returns a good answer with this field `usage`."""
    return Reply(json.dumps(json.loads(GOOD.body) | {"usage": usage}).encode())


BAD = [
    chat('{"label": "\ud800"}'),
    chat('{"label": "colo\\ud800"}'),
    json_chat(label="x" * 5_000_000),
    json_chat(label="x" * 200_000),
    json_chat(label="color\u202e\u0000"),
    chat([{"type": "image", "text": 5}]),
    chat(7),
    chat(DEEP),
    Reply(DEEP.encode()),
    Reply(b'{"choices": {"a": 1}}'),
    Reply(b'{"choices": [[]]}'),
    Reply(b"\xff\xfe\xfa"),
]
"""Responses without a label that can be stored."""


def question(draw: int = 0) -> Question:
    return Question("small", (("user", "what is it about?"),), Form("label"), 0.7, 64, draw)


def client_of(server, folder: Path, **options) -> LlmClient:
    quick = {"first_wait": 0.01, "max_wait": 0.02, "timeout": 5.0, "attempts": 4}
    service = Service(server.url, **(quick | options))
    return LlmClient(service, AnswerCache(folder, service.endpoint))


@pytest.fixture(scope="module")
def partly_bad(source, tmp_path_factory):
    """A bundle labeled by a model that answers badly, in twelve ways, about one head; and the requests."""

    def bad_on_weather(request):
        return BAD[request["seed"]] if "weather" in last_message(request) else most_frequent_word(request)

    folder = tmp_path_factory.mktemp("partly_bad")
    with serving(bad_on_weather) as server:
        out = run(task(source, folder / "new", server.url, llm="small", draws=4, work=folder / "answers"))
        yield out, folder / "answers", server


def test_bad_answers_about_one_head_do_not_stop_the_run(partly_bad):
    bundle, _, _ = partly_bad

    assert verify.problems(bundle) == []
    rows = known_rows(bundle, "label, method", "head_label", "chosen and layer = 11")
    assert rows == [("L11.H0", "weather", "enrichment"), ("L11.H1", "color", "language_model")]


def test_bad_answers_are_counted_as_unreadable(partly_bad):
    bundle, _, _ = partly_bad

    columns = "count(*), count(parsed), max(length(answer))"
    ((count, readable, longest),) = select(
        bundle, f"select {columns} from language_model_answer where layer = 11 and head = 0"
    )
    assert (count, readable) == (len(BAD), 0)
    assert longest < llm_client.MAX_ANSWER_BYTES


def test_the_same_run_again_asks_only_the_responses_without_an_answer(partly_bad, source, tmp_path):
    _, answers, server = partly_bad
    before = len(server.requests)

    run(task(source, tmp_path / "again", server.url, llm="small", draws=4, work=answers))

    seeds = {request["seed"] for request in server.requests[before:]}
    assert seeds == {2, 6, 8, 9, 10, 11}


@pytest.mark.parametrize("text", ["\ud800", 5, None, [1]])
def test_a_stored_answer_that_is_no_text_is_asked_again(tmp_path, text):
    with serving(in_turn(GOOD)) as server:
        client_of(server, tmp_path).ask([question()])
        (path,) = (tmp_path / "answers").iterdir()
        path.write_text(json.dumps(json.loads(path.read_text()) | {"text": text}))

        (answer,) = client_of(server, tmp_path).ask([question()])

    assert answer.text == '{"label": "color"}'
    assert len(server.requests) == 2


ZIPPED = Reply(gzip.compress(b" " * 50_000_000), headers=(("Content-Encoding", "gzip"),))


@pytest.mark.parametrize("reply", [BAD[2], BAD[8], Reply(b"<html>"), ZIPPED])
def test_a_bad_response_is_asked_again(tmp_path, reply, capsys):
    with serving(in_turn(reply, GOOD)) as server:
        (answer,) = client_of(server, tmp_path).ask([question()])

    assert answer.text == '{"label": "color"}'
    assert "1 bad responses" in capsys.readouterr().err


def test_a_service_with_bad_responses_alone_stops_the_run(tmp_path):
    page = Reply(b"<html>hello</html>", headers=(("Content-Type", "text/html"),))
    with serving(in_turn(page)) as server, pytest.raises(LlmError, match=r"--url.*/v1"):
        client_of(server, tmp_path, concurrency=1).ask([question(draw) for draw in range(50)])

    assert len(server.requests) == llm_client.MAX_BAD_QUESTIONS * llm_client.MAX_BAD_RESPONSES


def test_content_in_parts_is_read(tmp_path):
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": '{"label": '}]
    with serving(in_turn(chat([*parts, {"type": "text", "text": '"color"}'}]))) as server:
        (answer,) = client_of(server, tmp_path).ask([question()])

    assert answer.text == '{"label": "color"}'


def test_a_stored_token_count_that_is_no_count_is_dropped(tmp_path):
    with serving(in_turn(GOOD)) as server:
        client_of(server, tmp_path).ask([question()])
        (path,) = (tmp_path / "answers").iterdir()
        content = json.loads(path.read_text()) | {"prompt_tokens": 10**30}
        del content[work_files.CHECKSUM]  # as in answers of earlier versions
        path.write_text(json.dumps(content))

        (answer,) = client_of(server, tmp_path).ask([question()])

    assert (answer.prompt_tokens, answer.answer_tokens) == (None, 3)
    assert len(server.requests) == 1


@pytest.mark.parametrize("count", [10**30, -1, 1.5, "many", True, None])
def test_a_token_count_that_is_no_count_is_dropped(tmp_path, count):
    with serving(in_turn(of_usage(prompt_tokens=count, completion_tokens=3))) as server:
        (answer,) = client_of(server, tmp_path).ask([question()])

    assert (answer.prompt_tokens, answer.answer_tokens) == (None, 3)


@pytest.mark.parametrize("slow", [GOOD, Reply(b"")])
def test_a_byte_now_and_then_is_no_answer_in_time(tmp_path, slow):
    with serving(in_turn(slow._replace(byte_wait=0.05), GOOD)) as server:
        began = time.monotonic()
        (answer,) = client_of(server, tmp_path, timeout=0.3).ask([question()])

    assert answer.text == '{"label": "color"}'
    assert time.monotonic() - began < 2
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_origin_is_refused(tmp_path, status):
    with serving(in_turn(GOOD)) as other:
        location = other.url.replace("127.0.0.1", "localhost") + f"/chat/completions?key={SECRET}"
        with (
            serving(in_turn(failure(status, headers={"Location": location}))) as server,
            pytest.raises(LlmError, match="redirects to http://localhost:.*--url") as caught,
        ):
            client_of(server, tmp_path, key=SECRET).ask([question()])

    assert (len(server.requests), other.requests) == (1, [])
    assert SECRET not in str(caught.value)


def test_a_redirect_within_the_service_is_followed(tmp_path):
    replies = in_turn(failure(307, headers={"Location": "/v2/chat"}), GOOD)
    with serving(replies) as server:
        (answer,) = client_of(server, tmp_path).ask([question()])

    assert answer.text == '{"label": "color"}'
    assert [request["path"] for request in server.requests] == ["/v1/chat/completions", "/v2/chat"]


def test_redirects_in_a_circle_end(tmp_path):
    circle = failure(307, headers={"Location": "/v1/chat/completions"})
    with serving(in_turn(circle)) as server:
        (answer,) = client_of(server, tmp_path).ask([question()])

    assert "redirects more than" in answer.text


@pytest.mark.parametrize("value", ["nan", "-inf", "Mon, 01 Jan 99999999999 00:00:00 GMT", "soon"])
def test_an_invalid_pause_is_ignored(tmp_path, value):
    with serving(in_turn(failure(429, headers={"Retry-After": value}), GOOD)) as server:
        (answer,) = client_of(server, tmp_path).ask([question()])

    assert answer.text == '{"label": "color"}'


@pytest.mark.parametrize("message", [DEEP, "\ud800", "\x1b[2J\u202e"])
def test_an_error_is_told_in_printable_text(tmp_path, message):
    with serving(in_turn(failure(404, message))) as server, pytest.raises(LlmError, match="404") as caught:
        client_of(server, tmp_path).ask([question()])

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600
