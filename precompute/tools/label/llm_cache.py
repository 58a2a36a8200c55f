"""Questions to language models, their answers, and the cache of answers.

A question has several draws, each with its own seed; labels are drawn at a temperature above 0. An answer
that cannot be read (a sentence, broken JSON) is stored, and one more draw replaces it, up to a limit. Each
answer is a file named by the hash of the question, so a second run asks nothing and a stopped run resumes.

Knows nothing of sockets, labels or bundles.
"""

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from precompute.runtime import work_files

MAX_TRIES = 3
"""Maximum number of draws of one question per readable answer, unreadable answers included."""

MAX_TOKEN_COUNT = 2**31 - 1
"""Larger counts of tokens are not stored."""

CHARACTERS_PER_TOKEN = 4
"""Rough average for English text, to estimate tokens before anything is sent."""

Subject = TypeVar("Subject", bound=Hashable)


class Form(NamedTuple):
    """Required form of an answer: a JSON object with one string."""

    field: str
    choices: tuple[str, ...] = ()
    """Allowed strings; empty for any string."""

    @property
    def response_format(self) -> dict[str, Any]:
        """The field `response_format` of a request."""
        text = {"type": "string", **({"enum": list(self.choices)} if self.choices else {})}
        schema = {
            "type": "object",
            "properties": {self.field: text},
            "required": [self.field],
            "additionalProperties": False,
        }
        return {"type": "json_schema", "json_schema": {"name": self.field, "strict": True, "schema": schema}}


class Question(NamedTuple):
    """One request, without the address of the service."""

    model: str
    messages: tuple[tuple[str, str], ...]
    """Role and content of each message."""

    form: Form
    temperature: float
    answer_tokens: int
    """Maximum length of an answer in tokens, reasoning included."""

    draw: int
    """Number of the draw, from 0; also its seed."""

    @property
    def options(self) -> dict[str, Any]:
        """Fields of the request besides model and messages."""
        return {
            "temperature": self.temperature,
            "seed": self.draw,
            "max_tokens": self.answer_tokens,
            "response_format": self.form.response_format,
        }

    @property
    def prompt(self) -> list[dict[str, str]]:
        """The field `messages` of the request."""
        return [{"role": role, "content": content} for role, content in self.messages]

    @property
    def estimated_tokens(self) -> int:
        """Number of tokens of the prompt, estimated from its length in characters."""
        return sum(len(content) for _, content in self.messages) // CHARACTERS_PER_TOKEN


class Answer(NamedTuple):
    """One answer of a language model."""

    text: str
    sent: dict[str, Any]
    """Options of the request, without those that the service refused."""

    asked_at: datetime
    """Time of the request in UTC, without a zone."""

    prompt_tokens: int | None
    answer_tokens: int | None


class Draw(NamedTuple):
    """One question with its answer."""

    question: Question
    answer: Answer
    parsed: str | None
    """Label or judgement in the answer; None if it cannot be read."""


class AnswerCache:
    """Folder of the answers of one service."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self._folder = folder / "answers"
        self.endpoint = endpoint

    def find(self, question: Question) -> Answer | None:
        """Returns the stored answer to exactly this question; None if it is missing or damaged."""
        try:
            content = json.loads(self._path(question).read_text(encoding="utf-8"))
            # Answers of earlier versions have no checksum.
            if content.pop(work_files.CHECKSUM, None) not in (None, _checksum(content)):
                return None
            content["text"].encode("utf-8")  # lone surrogates cannot be written to a bundle
            return Answer(
                content["text"],
                dict(content["sent"]),
                datetime.fromisoformat(content["asked_at"]).replace(tzinfo=None),
                token_count(content["prompt_tokens"]),
                token_count(content["answer_tokens"]),
            )
        except (FileNotFoundError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None

    def store(self, question: Question, answer: Answer) -> None:
        """Writes an answer to its file atomically. Raises WorkError if the disk is full."""
        content = {
            "endpoint": self.endpoint,
            "model": question.model,
            "draw": question.draw,
            "options": question.options,
            "messages": question.prompt,
            **answer._asdict(),
            "asked_at": answer.asked_at.isoformat(),
        }
        content[work_files.CHECKSUM] = _checksum(content)
        with work_files.atomic_write(self._path(question)) as file:
            file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    def _path(self, question: Question) -> Path:
        name = work_files.key_of(
            self.endpoint, question.model, question.options, question.prompt, question.draw
        )
        return self._folder / f"{name}.json"


def token_count(value: object) -> int | None:
    """Returns a count of tokens; None for anything else that a service or a file may contain."""
    return value if type(value) is int and 0 <= value <= MAX_TOKEN_COUNT else None


def _checksum(content: dict[str, object]) -> str:
    return work_files.checksum(json.dumps(content, sort_keys=True).encode())


def draw(
    subjects: Mapping[Subject, Callable[[int], Question]],
    read: Callable[[str], str | None],
    ask: Callable[[Sequence[Question]], Sequence[Answer | None]],
    *,
    draws: int,
) -> dict[Subject, list[Draw]]:
    """Asks about every subject until it has `draws` readable answers or `MAX_TRIES * draws` answers.

    `subjects` maps a subject to a function from draw number to question; `ask` returns the answers of
    questions; `read` parses an answer. If `ask` returns None for a question (dry run), its draw is omitted
    and not repeated.
    """
    results: dict[Subject, list[Draw]] = {subject: [] for subject in subjects}
    question_count = dict.fromkeys(subjects, 0)
    missing = dict.fromkeys(subjects, draws)
    while missing:
        batch = [
            (subject, subjects[subject](number))
            for subject, count in missing.items()
            for number in range(question_count[subject], question_count[subject] + count)
        ]
        unreadable = dict.fromkeys(missing, 0)
        for (subject, question), answer in zip(batch, ask([item[1] for item in batch]), strict=True):
            question_count[subject] += 1
            if answer is None:
                continue
            results[subject].append(Draw(question, answer, read(answer.text)))
            unreadable[subject] += results[subject][-1].parsed is None
        missing = {
            subject: repeats
            for subject, count in unreadable.items()
            if (repeats := min(count, MAX_TRIES * draws - question_count[subject])) > 0
        }
    return results


def text_of(answer: str, form: Form) -> str | None:
    """Returns the string of a JSON answer; None if there is none or it is not among the choices.

    Ignores reasoning before `</think>` and a fence of backticks around the JSON.
    """
    reply = answer.rpartition("</think>")[2].strip()
    if reply.startswith("```") and reply.endswith("```"):
        reply = reply[3:-3].removeprefix("json")
    try:
        parsed = json.loads(reply)
    except (ValueError, RecursionError):  # a model can nest brackets without end
        return None
    text = parsed.get(form.field) if isinstance(parsed, dict) else None
    if not isinstance(text, str):
        return None
    if not form.choices:
        return text
    return text.strip().casefold() if text.strip().casefold() in form.choices else None
