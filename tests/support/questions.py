"""Questions about a label, and answers in a given order."""

from collections.abc import Sequence
from datetime import datetime

from precompute.tools.label import label_prompt
from precompute.tools.label.llm_cache import Answer, Question

TEXTS = [f"text {number}" for number in range(30)]

OPTIONS = {"model": "small", "temperature": 0.7, "answer_tokens": 64}


def answering(*texts: str):
    """Returns a function that gives these answers in order, and the list of questions that it gets."""
    left, asked_questions = list(texts), []

    def ask(questions: Sequence[Question]) -> list[Answer]:
        asked_questions.extend(questions)
        return [Answer(left.pop(0), {}, datetime(2024, 5, 1), 1, 1) for _ in questions]

    return ask, asked_questions


def question_of_draw(number: int) -> Question:
    return label_prompt.question(TEXTS, (), draw=number, **OPTIONS)
