"""Questions to language models, their answers, and where answers are kept.

A question is asked several times, as draws: with another seed, and for a label at a temperature above 0. An
answer that cannot be read (a sentence, broken JSON) stays among the draws, and one more draw is made in its
place, up to a limit. Every answer lies in a file of its own, named by the hash of what was asked, so that a
second run asks nothing and a killed one goes on.

Knows nothing of sockets, labels or bundles.
"""

import json
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from precompute.runtime import work_files

TRIES = 3
"""Draws of one question, at most, for each answer that is wanted: those that cannot be read count too."""

CHARACTERS_A_TOKEN = 4
"""To estimate tokens before anything is asked; English text, and no promise."""

Subject = TypeVar("Subject", bound=Hashable)


class Form(NamedTuple):
    """The form an answer must have: a JSON object of one text."""

    field: str
    choices: tuple[str, ...] = ()
    """The texts allowed; empty for any."""

    @property
    def response_format(self) -> dict[str, Any]:
        """As the field `response_format` of a request."""
        text = {"type": "string", **({"enum": list(self.choices)} if self.choices else {})}
        schema = {
            "type": "object",
            "properties": {self.field: text},
            "required": [self.field],
            "additionalProperties": False,
        }
        return {"type": "json_schema", "json_schema": {"name": self.field, "strict": True, "schema": schema}}


class Question(NamedTuple):
    """One request, whole but for the address it goes to."""

    model: str
    messages: tuple[tuple[str, str], ...]
    """Role and content of each."""

    form: Form
    temperature: float
    answer_tokens: int
    """Longest answer, tokens; room for a model that thinks before it answers."""

    draw: int
    """Number of the draw, zero-based; also its seed."""

    @property
    def options(self) -> dict[str, Any]:
        """What is asked for beside the messages."""
        return {
            "temperature": self.temperature,
            "seed": self.draw,
            "max_tokens": self.answer_tokens,
            "response_format": self.form.response_format,
        }

    @property
    def prompt(self) -> list[dict[str, str]]:
        """The messages as a request holds them."""
        return [{"role": role, "content": content} for role, content in self.messages]

    @property
    def estimated_tokens(self) -> int:
        """Tokens of the prompt, by its length in characters."""
        return sum(len(content) for _, content in self.messages) // CHARACTERS_A_TOKEN


class Answer(NamedTuple):
    """What came back."""

    text: str
    sent: dict[str, Any]
    """The options that the service took; it may have refused some."""

    asked_at: datetime
    """UTC, without a zone."""

    prompt_tokens: int | None
    answer_tokens: int | None


class Draw(NamedTuple):
    """One question with its answer."""

    question: Question
    answer: Answer
    parsed: str | None
    """What it says; None where it cannot be read."""


class Answers:
    """The folder of answers of one service."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self._folder = folder / "answers"
        self.endpoint = endpoint

    def find(self, question: Question) -> Answer | None:
        """The answer to exactly this question; None where it was never given, or its file is damaged."""
        try:
            kept = json.loads(self._path(question).read_text(encoding="utf-8"))
            fields = {name: kept[name] for name in Answer._fields}
            return Answer(**{**fields, "asked_at": datetime.fromisoformat(fields["asked_at"])})
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def keep(self, question: Question, answer: Answer) -> None:
        """Write an answer; its file appears whole. Raises WorkError where the disk is full."""
        content = {
            "endpoint": self.endpoint,
            "model": question.model,
            "draw": question.draw,
            "options": question.options,
            "messages": question.prompt,
            **answer._asdict(),
            "asked_at": answer.asked_at.isoformat(),
        }
        with work_files.atomic_write(self._path(question)) as aside:
            aside.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    def _path(self, question: Question) -> Path:
        name = work_files.key_of(
            self.endpoint, question.model, question.options, question.prompt, question.draw
        )
        return self._folder / f"{name}.json"


def draw(
    subjects: Mapping[Subject, Callable[[int], Question]],
    read: Callable[[str], str | None],
    ask: Callable[[Sequence[Question]], Sequence[Answer | None]],
    *,
    draws: int,
) -> dict[Subject, list[Draw]]:
    """Ask about every subject until `draws` answers can be read, or `TRIES * draws` were given.

    `subjects` makes the question of a draw, `read` reads an answer, `ask` puts questions. Where `ask` gives
    None (nothing is to be asked now), that draw is left out and not made up for.
    """
    found: dict[Subject, list[Draw]] = {subject: [] for subject in subjects}
    asked = dict.fromkeys(subjects, 0)
    missing = dict.fromkeys(subjects, draws)
    while missing:
        batch = [
            (subject, subjects[subject](number))
            for subject, wanted in missing.items()
            for number in range(asked[subject], asked[subject] + wanted)
        ]
        unread = dict.fromkeys(missing, 0)
        for (subject, question), answer in zip(batch, ask([one for _, one in batch]), strict=True):
            asked[subject] += 1
            if answer is None:
                continue
            found[subject].append(Draw(question, answer, read(answer.text)))
            unread[subject] += found[subject][-1].parsed is None
        missing = {
            subject: more
            for subject, again in unread.items()
            if (more := min(again, TRIES * draws - asked[subject])) > 0
        }
    return found


def text_of(answer: str, form: Form) -> str | None:
    """The one text of an answer in JSON; None where there is none, or it is not among the choices.

    What a model wrote while it thought, and a fence of backticks around the JSON, are passed over.
    """
    spoken = answer.rpartition("</think>")[2].strip()
    fenced = re.fullmatch(r"```(?:json)?\s*(.*?)\s*```", spoken, flags=re.DOTALL)
    try:
        given = json.loads(fenced[1] if fenced else spoken)
    except ValueError:
        return None
    text = given.get(form.field) if isinstance(given, dict) else None
    if not isinstance(text, str):
        return None
    if not form.choices:
        return text
    return text.strip().casefold() if text.strip().casefold() in form.choices else None
