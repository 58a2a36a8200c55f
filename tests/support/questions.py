"""Questions about a label, and answers in a given order."""

from collections.abc import Sequence
from datetime import datetime

from precompute.tools.label import label_prompt
from precompute.tools.label.llm_cache import Answer, Question

TEXTS = [f"text {number}" for number in range(30)]

HOW = {"model": "small", "temperature": 0.7, "answer_tokens": 64}


def asking(*said: str):
    """Answers one after the other, as a service would give them, and the questions that came."""
    left, came = list(said), []

    def ask(questions: Sequence[Question]) -> list[Answer]:
        came.extend(questions)
        return [Answer(left.pop(0), {}, datetime(2024, 5, 1), 1, 1) for _ in questions]

    return ask, came


def about(number: int) -> Question:
    return label_prompt.question(TEXTS, (), draw=number, **HOW)
