"""Compares our label of each head with a label released by others, for the same lists of texts.

    python -m precompute.tools.label_agreement TEXTSPAN.csv LABELS.csv POOL.txt

TEXTSPAN.csv has a format that `textspan_files` reads; LABELS.csv has the columns architecture, weights,
layer, head, label; POOL.txt is the pool that the texts were chosen from. Two labels agree if
`texts/label_synonyms.tsv` maps the released word to our property. A word that it maps to no property never
agrees.

Prints the tables of docs/agreement.md.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from db.errors import UserError
from db.layout import head_name
from db.text_table import text_table
from precompute.inputs import text_pool, textspan_files
from precompute.method.labels_from_lists import label_lists
from precompute.method.types import Head, Label, Pool
from precompute.texts import TEXTS

SYNONYMS = TEXTS / "label_synonyms.tsv"
"""Lines of released word, tab, and the properties it stands for, separated by `|`; `-` for no property."""

MODEL = "ViT-B-16/laion2b_s34b_b88k"
"""Model of docs/agreement.md; `--model` selects another."""


class Compared(NamedTuple):
    """One head with both labels."""

    head: Head
    ours: Label
    released: str
    stands_for: frozenset[str]
    """Our properties that the released word stands for; may be empty."""

    @property
    def agrees(self) -> bool:
        """True if the released word stands for our label."""
        return self.ours.label in self.stands_for


def read_labels(path: Path, model: str) -> dict[Head, str]:
    """Returns the released labels of one model. Raises UserError if there are none or a column is missing."""
    all_rows = _rows(path)
    columns = ("architecture", "weights", "layer", "head", "label")
    if missing := [name for name in columns if all_rows and name not in all_rows[0]]:
        raise UserError(f"{path} lacks the column {missing[0]}. Its first line must be: {','.join(columns)}")
    rows = [row for row in all_rows if f"{row['architecture']}/{row['weights']}" == model]
    if not rows:
        raise UserError(f"{path} has no labels of {model}; name one it has with --model.")
    return {(int(row["layer"]), int(row["head"])): row["label"] for row in rows}


def read_synonyms(path: Path = SYNONYMS) -> dict[str, frozenset[str]]:
    """Returns our properties by normalized released word."""
    lines = (line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    pairs = (line.split("\t") for line in lines if line.strip())
    return {normalize(word): frozenset(names.split("|")) - {"-"} for word, names in pairs}


def normalize(label: str) -> str:
    """Returns a released label in lower case, without a final period and surrounding space."""
    return label.strip().rstrip(".").strip().casefold()


def properties_of(label: str, synonyms: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Returns our properties that a released label stands for. Raises UserError for an unlisted label."""
    if normalize(label) not in synonyms:
        raise UserError(
            f"the released label {label!r} has no line in {SYNONYMS.name}; add one, or - for none."
        )
    return synonyms[normalize(label)]


def compare(
    lists: Mapping[Head, Sequence[str]],
    released: Mapping[Head, str],
    texts: Pool,
    synonyms: Mapping[str, frozenset[str]],
) -> list[Compared]:
    """Returns both labels of every head that has both, by layer and head. Raises UserError."""
    heads = sorted(lists.keys() & released.keys())
    labels = label_lists(
        text_pool.pick_indices([lists[head] for head in heads], texts), texts.tags, texts.properties
    )
    return [
        Compared(head, label, released[head], properties_of(released[head], synonyms))
        for head, label in zip(heads, labels, strict=True)
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


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _line(row: Compared) -> tuple[str, ...]:
    q = f"{row.ours.q_value:.3f}" + ("" if row.ours.supported else " unsupported")
    agree = "yes" if row.agrees else "no" if row.stands_for else "no such property"
    return head_name(*row.head), row.ours.label, q, row.released, agree


def _share(name: str, count: int, total: int) -> tuple[object, ...]:
    return name, count, total, f"{count / total:.2f}" if total else ""


if __name__ == "__main__":
    main()
