"""Compares our label of each head with a label released by others, for the same lists of texts.

    python -m precompute.tools.label_agreement TEXTSPAN.csv LABELS.csv POOL.txt

TEXTSPAN.csv has a format that `textspan_files` reads; LABELS.csv has the columns architecture, weights,
layer, head, label; POOL.txt is the pool that the texts were chosen from. Two labels agree if
`texts/label_synonyms.tsv` maps the released word to our property, or if the word is the property's name. A
word that stands for no property never agrees; words without a line are counted and listed.

Prints the tables of docs/agreement.md.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from db.errors import UserError
from db.layout import head_name
from db.text_table import text_table
from precompute.inputs import text_pool, textspan_files
from precompute.inputs.text_files import lines_of, open_table, read_text, shown
from precompute.method.labels_from_lists import label_lists
from precompute.method.types import Head, Label, Pool
from precompute.texts import TEXTS

SYNONYMS = TEXTS / "label_synonyms.tsv"
"""Lines of released word, tab, and the properties it stands for, separated by `|`; `-` for no property."""

MODEL = "ViT-B-16/laion2b_s34b_b88k"
"""Model of docs/agreement.md; `--model` selects another."""


MAX_WORDS_LISTED = 8
"""Maximum number of unknown words that a message lists."""

MAX_WORD_CHARACTERS = 40
"""Longer released words are cut where they are printed."""


class Compared(NamedTuple):
    """One head with both labels."""

    head: Head
    ours: Label
    released: str
    stands_for: frozenset[str]
    """Our properties that the released word stands for; may be empty."""

    is_known: bool = True
    """False if the word has no line in the synonyms and is no property's name."""

    @property
    def agrees(self) -> bool:
        """True if the released word stands for our label."""
        return self.ours.label in self.stands_for


def read_labels(path: Path, model: str) -> dict[Head, str]:
    """Returns the released labels of one model. Raises UserError if there are none or a row is unusable."""
    table = open_table(path, "label", UserError)
    columns = ("architecture", "weights", "layer", "head", "label")
    if missing := [name for name in columns if name not in table.columns]:
        raise UserError(f"{path} lacks the column {missing[0]}. Its first line must be: {','.join(columns)}")
    labels: dict[Head, str] = {}
    for number, row in table.rows:
        values = [row[name].strip() for name in columns]
        if "/".join(values[:2]) != model:
            continue
        try:
            head = int(values[2]), int(values[3])
        except ValueError:
            raise UserError(
                f"line {number} of {path}: layer {values[2]!r} and head {values[3]!r} must be whole numbers."
            ) from None
        if labels.setdefault(head, values[4]) != values[4]:
            raise UserError(
                f"line {number} of {path}: {head_name(*head)} of {model} has another label above. Keep one."
            )
    if not labels:
        raise UserError(f"{path} has no labels of {model}; name one it has with --model.")
    return labels


def read_synonyms(path: Path = SYNONYMS) -> dict[str, frozenset[str]]:
    """Returns our properties by normalized released word. Raises UserError for a line of another form."""
    synonyms = {}
    for number, line in lines_of(read_text(path, "the synonyms in", UserError)).entries:
        word, *names = line.split("\t")
        if len(names) != 1:
            raise UserError(
                f"line {number} of {path} is {shown(line)}. Write a released word, a tab, and its properties "
                "separated by |, or - for none."
            )
        synonyms[normalize(word)] = frozenset(map(str.strip, names[0].split("|"))) - {"-", ""}
    return synonyms


def normalize(label: str) -> str:
    """Returns a released label in lower case, with spaces between words, and without a final period."""
    return " ".join(re.split(r"[\s_-]+", label.casefold())).strip().rstrip(".").strip()


def properties_of(
    label: str, synonyms: Mapping[str, frozenset[str]], properties: Iterable[str] = ()
) -> frozenset[str] | None:
    """Returns our properties that a released label stands for; None for an unknown word.

    A word without a line is looked up in the other number (colors, color), then among the `properties` of
    the pool.
    """
    word = normalize(label)
    forms = (word, word.removesuffix("s"), f"{word}s")
    for form in forms:
        if form in synonyms:
            return synonyms[form]
    names = frozenset(name for name in properties if normalize(name) in forms)
    return names or None


def unknown_words(compared: Iterable[Compared]) -> str:
    """Returns a sentence that counts and lists the unknown released words; empty if there are none."""
    counts = Counter(_cut(normalize(row.released)) for row in compared if not row.is_known)
    if not counts:
        return ""
    words = [f"{word} ({count})" for word, count in counts.most_common(MAX_WORDS_LISTED)]
    more = f" and {len(counts) - len(words)} more" if len(counts) > len(words) else ""
    return f"{counts.total()} heads have a released word without a line: {', '.join(words)}{more}"


def compare(
    lists: Mapping[Head, Sequence[str]],
    released: Mapping[Head, str],
    texts: Pool,
    synonyms: Mapping[str, frozenset[str]],
) -> list[Compared]:
    """Returns both labels of every head that has both, by layer and head. Raises UserError if none has."""
    heads = sorted(lists.keys() & released.keys())
    if not heads:
        raise UserError("no head has both a list of texts and a released label. Give files of one model.")
    labels = label_lists(
        text_pool.pick_indices([lists[head] for head in heads], texts), texts.tags, texts.properties
    )
    stand_for = [properties_of(released[head], synonyms, texts.properties) for head in heads]
    return [
        Compared(head, label, released[head], names or frozenset(), names is not None)
        for head, label, names in zip(heads, labels, stand_for, strict=True)
    ]


def most_common_property(compared: Sequence[Compared]) -> tuple[str, int]:
    """Returns the property that most released words stand for, and their number.

    This label for every head is the constant baseline.
    """
    counts = Counter(name for row in compared for name in row.stands_for)
    return min(counts.items(), key=lambda item: (-item[1], item[0]), default=("nothing", 0))


def permuted_agreement(compared: Sequence[Compared]) -> float:
    """Returns the expected share of heads that agree after a random permutation of our labels."""
    counts = Counter(row.ours.label for row in compared)
    return sum(counts[name] for row in compared for name in row.stands_for) / len(compared) ** 2


def table(compared: Sequence[Compared]) -> str:
    """Returns a Markdown table with one line per head."""
    return text_table(["head", "ours", "q", "released", "agree"], map(_line, compared))


def summary(compared: Sequence[Compared]) -> str:
    """Returns a Markdown table of the shares that agree, by group of heads, with two baselines."""
    comparable = [row for row in compared if row.stands_for]
    name, count = most_common_property(compared)
    groups = {
        "all heads": compared,
        "heads whose released word names a property of ours": comparable,
        "of these, supported labels (q <= 0.05)": [row for row in comparable if row.ours.supported],
        "of these, unsupported labels": [row for row in comparable if not row.ours.supported],
    }
    lines = [_share(group, sum(row.agrees for row in rows), len(rows)) for group, rows in groups.items()]
    lines += [_share(f"{name} for every head", count, len(compared))]
    by_chance, heads = permuted_agreement(compared), len(compared)
    lines += [("our labels, permuted at random", f"{by_chance * heads:.1f}", heads, f"{by_chance:.2f}")]
    return text_table(["heads", "agree", "of", "share"], lines)


def main(command_line: Sequence[str] | None = None) -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(prog="python -m precompute.tools.label_agreement", description=__doc__)
    for name in ("lists", "labels", "pool"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--model", default=MODEL, help="model of the lists (default: %(default)s)")
    arguments = parser.parse_args(command_line)
    try:
        compared = compare(
            textspan_files.read(arguments.lists).texts,
            read_labels(arguments.labels, arguments.model),
            text_pool.load(arguments.pool),
            read_synonyms(),
        )
    except (UserError, OSError, ValueError) as error:
        parser.exit(1, f"error: {error}\n")
    print(summary(compared), table(compared), sep="\n\n")
    if unknown := unknown_words(compared):
        print(f"\n{unknown}. They stand for no property of ours; add lines to {SYNONYMS.name} if they do.")


def _cut(word: str) -> str:
    """Returns a word of others on one line, printable, and not too long."""
    printable = "".join(character if character.isprintable() else "?" for character in word)
    return printable if len(printable) <= MAX_WORD_CHARACTERS else f"{printable[: MAX_WORD_CHARACTERS - 1]}…"


def _line(row: Compared) -> tuple[str, ...]:
    q = f"{row.ours.q_value:.3f}" + ("" if row.ours.supported else " unsupported")
    agree = "yes" if row.agrees else "no" if row.stands_for else "no such property"
    return head_name(*row.head), row.ours.label, q, _cut(row.released), agree


def _share(name: str, count: int, total: int) -> tuple[object, ...]:
    return name, count, total, f"{count / total:.2f}" if total else ""


if __name__ == "__main__":
    main()
