"""Agreement: our label of each head beside the one that others released, for the same lists of texts.

    python -m precompute.tools.label_agreement TEXTSPAN.csv LABELS.csv POOL.txt

TEXTSPAN.csv is in a form that `textspan_files` reads; LABELS.csv has the columns architecture, weights,
layer, head, label; POOL.txt is the pool that the texts were picked from. Two labels agree if
`texts/label_synonyms.tsv` names our property for the released word. Where it names none, none of ours can.

Prints the table that docs/agreement.md shows. Reading files apart, everything is pure.
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
"""Released word, tab, the properties it stands for with `|` between; `-` where it stands for none."""

MODEL = "ViT-B-16/laion2b_s34b_b88k"
"""The model whose lists the project compares; another is named by `--model`."""


class Compared(NamedTuple):
    """One head with both labels."""

    layer: int
    head: int
    ours: Label
    released: str
    stands_for: frozenset[str]
    """Our properties that the released word stands for; empty where it stands for none."""

    @property
    def agrees(self) -> bool:
        """Whether our label is one of them."""
        return self.ours.label in self.stands_for


def read_labels(path: Path, model: str) -> dict[Head, str]:
    """Released labels of one model. Raises UserError where the file has none of it, or lacks a column."""
    every = _rows(path)
    wanted = ("architecture", "weights", "layer", "head", "label")
    if missing := [name for name in wanted if every and name not in every[0]]:
        raise UserError(f"{path} lacks the column {missing[0]}. Its first line must be: {','.join(wanted)}")
    rows = [row for row in every if f"{row['architecture']}/{row['weights']}" == model]
    if not rows:
        raise UserError(f"{path} has no labels of {model}; name one it has with --model.")
    return {(int(row["layer"]), int(row["head"])): row["label"] for row in rows}


def read_synonyms(path: Path = SYNONYMS) -> dict[str, frozenset[str]]:
    """Our properties by released word, folded."""
    lines = (line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    pairs = (line.split("\t") for line in lines if line.strip())
    return {folded(word): frozenset(meant.split("|")) - {"-"} for word, meant in pairs}


def folded(label: str) -> str:
    """A released label without case, marks at its end and space around it."""
    return label.strip().rstrip(".").strip().casefold()


def meant(label: str, synonyms: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Our properties that a released label stands for. Raises UserError where nothing is said of it."""
    if folded(label) not in synonyms:
        raise UserError(
            f"the released label {label!r} has no line in {SYNONYMS.name}; add one, or - for none."
        )
    return synonyms[folded(label)]


def compare(
    lists: Mapping[Head, Sequence[str]],
    released: Mapping[Head, str],
    texts: Pool,
    synonyms: Mapping[str, frozenset[str]],
) -> list[Compared]:
    """Both labels of every head that has both, by layer and head. Raises UserError as `meant` does."""
    heads = sorted(lists.keys() & released.keys())
    labels = label_lists(
        text_pool.pick_indices([lists[head] for head in heads], texts), texts.tags, texts.properties
    )
    return [
        Compared(*head, label, released[head], meant(released[head], synonyms))
        for head, label in zip(heads, labels, strict=True)
    ]


def commonest(compared: Sequence[Compared]) -> tuple[str, int]:
    """The property that most released words can stand for, and how many do: always saying it agrees there."""
    counts = Counter(one for row in compared for one in row.stands_for)
    return min(counts.items(), key=lambda item: (-item[1], item[0]), default=("nothing", 0))


def shuffled(compared: Sequence[Compared]) -> float:
    """Share that would agree, in the mean, if our labels were dealt to the heads at random."""
    ours = Counter(row.ours.label for row in compared)
    return sum(ours[one] for row in compared for one in row.stands_for) / len(compared) ** 2


def table(compared: Sequence[Compared]) -> str:
    """One line a head, in Markdown."""
    return text_table(["head", "ours", "q", "released", "agree"], map(_line, compared))


def summary(compared: Sequence[Compared]) -> str:
    """Shares that agree: of all heads, of those that can, supported and not; beside two baselines."""
    able = [row for row in compared if row.stands_for]
    name, count = commonest(compared)
    parts = {
        "all heads": compared,
        "heads whose released word names a property of ours": able,
        "of these, supported labels (q <= 0.05)": [row for row in able if row.ours.supported],
        "of these, unsupported labels": [row for row in able if not row.ours.supported],
    }
    lines = [_share(name, sum(row.agrees for row in rows), len(rows)) for name, rows in parts.items()]
    lines += [_share(f"always saying {name}", count, len(compared))]
    by_chance, heads = shuffled(compared), len(compared)
    lines += [("our labels dealt at random", f"{by_chance * heads:.1f}", heads, f"{by_chance:.2f}")]
    return text_table(["heads", "agree", "of", "share"], lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(prog="python -m precompute.tools.label_agreement", description=__doc__)
    for name in ("lists", "labels", "pool"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--model", default=MODEL, help="model of the lists (default: %(default)s)")
    given = parser.parse_args(arguments)
    try:
        compared = compare(
            textspan_files.read(given.lists).texts,
            read_labels(given.labels, given.model),
            text_pool.load(given.pool),
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
    return head_name(row.layer, row.head), row.ours.label, q, row.released, agree


def _share(name: str, count: int, of: int) -> tuple[object, ...]:
    return name, count, of, f"{count / of:.2f}" if of else ""


if __name__ == "__main__":
    main()
