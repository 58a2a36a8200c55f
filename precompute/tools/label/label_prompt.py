"""Asks a language model for the label of a head: worked examples, several draws, majority vote.

In-context learning as in Madasu et al. 2024 (https://arxiv.org/abs/2409.06579): a few lists of texts with
labels given by people, then the list of the head. The examples are in a file that people can edit.

Answers are normalized (`spelling`); answers that differ only in a plural count as equal. The label with most
draws wins; of labels with equally many draws, the first.

Knows nothing of sockets or bundles: texts in, questions out; answers in, a label out.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from db.errors import UserError
from precompute.texts import TEXTS
from precompute.tools.label.llm_cache import Form, Question, text_of
from precompute.tools.label.spelling import as_in_pool, is_label, normalize, singular

METHOD = "language_model"
"""Name of this method in the table `head_label`."""

TEXTS_SHOWN = 20
"""Number of first texts of a head in a question; later texts remove little of its variance."""

EXAMPLES = TEXTS / "label_examples.md"

MAX_LABEL_WORDS = 4
"""Maximum number of words of a label; a longer answer is a sentence and not a label."""

FORM = Form("label")

_TASK = """\
You are shown short descriptions that one attention head of an image model responds to, the strongest first. \
Name the property that most of them have in common, such as color, location or counting: the property, not \
one of its values. Some descriptions may not fit; go by the majority. Answer with one word or a short phrase \
of at most three words, lower case, American spelling, as JSON: {"label": "..."}"""


class ExamplesError(UserError):
    """A file of worked examples cannot be used. The message states what to change."""


class Example(NamedTuple):
    """A list of texts with a label given by a person."""

    label: str
    texts: tuple[str, ...]


class MajorityLabel(NamedTuple):
    """Majority vote over the draws of one head."""

    label: str
    votes: float
    """Share of the draws with this label."""

    draws: int
    """Number of draws with a readable answer."""

    @property
    def supported(self) -> bool:
        """True if more than half of the draws have this label."""
        return self.votes > 0.5


def load_examples(path: Path = EXAMPLES) -> tuple[Example, ...]:
    """Reads examples from a Markdown file: a heading `## color` per label, then its texts `- a red wall`.

    Other lines are notes. Raises ExamplesError.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ExamplesError(f"cannot read the examples {path}: {reason}.") from error
    examples: list[tuple[str, list[str]]] = []
    for number, line in enumerate(lines, start=1):
        if line.startswith("## "):
            examples.append((line[3:].strip(), []))
        elif line.startswith("- "):
            if not examples:
                raise ExamplesError(f"line {number} of {path} is a text above the first label (## label).")
            examples[-1][1].append(line[2:].strip())
    if not examples:
        raise ExamplesError(f"{path} has no example. Write ## label, and its texts below, each after a dash.")
    for label, texts in examples:
        if not texts or not normalize(label):
            raise ExamplesError(f'the example "{label}" of {path} lacks its {"label" if texts else "texts"}.')
    return tuple(Example(normalize(label), tuple(texts)) for label, texts in examples)


def question(
    texts: Sequence[str],
    examples: Sequence[Example],
    draw: int,
    *,
    model: str,
    temperature: float,
    answer_tokens: int,
) -> Question:
    """Returns the question for the label of one head, from its first texts."""
    messages = [("system", _TASK)]
    for example in examples:
        messages += [("user", _lines(example.texts)), ("assistant", f'{{"label": "{example.label}"}}')]
    messages.append(("user", _lines(texts[:TEXTS_SHOWN])))
    return Question(model, tuple(messages), FORM, temperature, answer_tokens, draw)


def read(answer: str) -> str | None:
    """Returns the normalized label of an answer; None for no label, an unprintable one, or a sentence."""
    text = text_of(answer, FORM)
    label = normalize(text) if text is not None else ""
    return label if is_label(label) and len(label.split()) <= MAX_LABEL_WORDS else None


def majority(labels: Sequence[str], properties: Sequence[str] = ()) -> MajorityLabel | None:
    """Returns the most frequent of the normalized labels, up to a plural; None for no labels.

    The spelling is that of the pool's property if there is one, else that of the first such label.
    """
    if not labels:
        return None
    singulars = [singular(label) for label in labels]
    # A Counter keeps insertion order, so the first of equally frequent labels wins.
    winner, votes = max(Counter(singulars).items(), key=lambda item: item[1])
    label = as_in_pool(labels[singulars.index(winner)], properties)
    return MajorityLabel(label, votes / len(labels), len(labels))


def _lines(texts: Sequence[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)
