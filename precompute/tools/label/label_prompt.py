"""What is a head about, by a language model: worked examples, several draws, the majority.

In-context learning as in Madasu et al. 2024 (https://arxiv.org/abs/2409.06579): a few lists of texts with the
label a person gave them, then the list of the head. The examples lie in a file that people can edit.

Answers are spelled one way (`label_words`), and those that differ by a plural alone count as the same. The
label is what most draws say; of two that as many say, the one that was said first.

Knows nothing of sockets or bundles: texts in, questions out; answers in, a label out.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from db.errors import UserError
from precompute.texts import TEXTS
from precompute.tools.label.llm_cache import Form, Question, text_of
from precompute.tools.label.spelling import as_in_pool, kind, normalize

METHOD = "language_model"
"""Name of this method in the table `head_label`."""

TEXTS_SHOWN = 20
"""First texts of a head that are shown; the later ones remove little of its variance."""

EXAMPLES = TEXTS / "label_examples.md"

LONGEST = 4
"""Words of a label; more make a sentence, which is no label."""

FORM = Form("label")

_TASK = """\
You are shown short descriptions that one attention head of an image model responds to, the strongest first. \
Name the property that most of them have in common, such as color, location or counting: the property, not \
one of its values. Some descriptions may not fit; go by the majority. Answer with one word or a short phrase \
of at most three words, lower case, American spelling, as JSON: {"label": "..."}"""


class ExamplesError(UserError):
    """A file of worked examples cannot be used; the message says what to change."""


class Example(NamedTuple):
    """A list of texts with the label a person gave it."""

    label: str
    texts: tuple[str, ...]


class Voted(NamedTuple):
    """What the draws of one head say together."""

    label: str
    votes: float
    """Share of the draws that say so."""

    draws: int
    """Draws that could be read."""

    @property
    def supported(self) -> bool:
        """Whether most draws agree."""
        return self.votes > 0.5


def load_examples(path: Path = EXAMPLES) -> tuple[Example, ...]:
    """Examples of a Markdown file: the label as a heading `## color`, below it the texts, `- a red wall`.

    All other lines are notes to the reader. Raises ExamplesError.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ExamplesError(f"cannot read the examples {path}: {reason}.") from error
    found: list[tuple[str, list[str]]] = []
    for number, line in enumerate(lines, start=1):
        if line.startswith("## "):
            found.append((line[3:].strip(), []))
        elif line.startswith("- "):
            if not found:
                raise ExamplesError(f"line {number} of {path} is a text above the first label (## label).")
            found[-1][1].append(line[2:].strip())
    if not found:
        raise ExamplesError(f"{path} has no example. Write ## label, and its texts below, each after a dash.")
    for label, texts in found:
        if not texts or not normalize(label):
            raise ExamplesError(f'the example "{label}" of {path} lacks its {"label" if texts else "texts"}.')
    return tuple(Example(normalize(label), tuple(texts)) for label, texts in found)


def question(
    texts: Sequence[str],
    examples: Sequence[Example],
    *,
    model: str,
    temperature: float,
    answer_tokens: int,
    draw: int,
) -> Question:
    """Ask for the label of one head by its first texts."""
    messages = [("system", _TASK)]
    for example in examples:
        messages += [("user", _listed(example.texts)), ("assistant", f'{{"label": "{example.label}"}}')]
    messages.append(("user", _listed(texts[:TEXTS_SHOWN])))
    return Question(model, tuple(messages), FORM, temperature, answer_tokens, draw)


def read(answer: str) -> str | None:
    """The label an answer gives, normalized; None where it gives none, or a sentence."""
    text = text_of(answer, FORM)
    label = normalize(text) if text is not None else ""
    return label if 0 < len(label.split()) <= LONGEST else None


def majority(said: Sequence[str], properties: Sequence[str] = ()) -> Voted | None:
    """What most of the normalized labels say, up to a plural; None where there are none.

    It is spelled as the property of the pool that it is, where there is one, else as it was said first.
    """
    if not said:
        return None
    kinds = [kind(label) for label in said]
    # The first of equals: a Counter holds its keys in the order they came.
    most, votes = max(Counter(kinds).items(), key=lambda one: one[1])
    return Voted(as_in_pool(said[kinds.index(most)], properties), votes / len(said), len(said))


def _listed(texts: Sequence[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)
