"""Does a text agree with a label? Asked of language models, one text at a time.

Concept consistency as Madasu et al. 2025 (https://arxiv.org/abs/2503.11103) ask it. What several judges say
is weighed in `judges`.

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
    text: str, label: str, *, model: str, temperature: float, answer_tokens: int, draw: int
) -> Question:
    """Ask whether one text is consistent with one label."""
    asked = f"property: {label}\ndescription: {text}"
    return Question(model, (("system", _TASK), ("user", asked)), FORM, temperature, answer_tokens, draw)


def read(answer: str) -> str | None:
    """yes or no; None where an answer is neither."""
    return text_of(answer, FORM)
