"""Asks a language model if a text agrees with a label, one text at a time.

Concept consistency of Madasu et al. 2025 (https://arxiv.org/abs/2503.11103). `metrics` combines the answers
of several judges.

Knows nothing of sockets or bundles: a text and a label in, a question out; an answer in, yes or no out.
"""

from precompute.tools.label.llm_cache import Form, Question, text_of

YES, NO = "yes", "no"

FORM = Form("consistent", (YES, NO))

_TASK = """\
You are given a property and a short description. Decide whether the description is about that property: \
whether it names or clearly shows a value of it. "a red door" is about color; "a door" is not. Answer as \
JSON: {"consistent": "yes"} or {"consistent": "no"}"""


def question(
    text: str, label: str, draw: int, *, model: str, temperature: float, answer_tokens: int
) -> Question:
    """Returns the question if one text is consistent with one label."""
    prompt = f"property: {label}\ndescription: {text}"
    return Question(model, (("system", _TASK), ("user", prompt)), FORM, temperature, answer_tokens, draw)


def read(answer: str) -> str | None:
    """Returns yes or no; None for any other answer."""
    return text_of(answer, FORM)
