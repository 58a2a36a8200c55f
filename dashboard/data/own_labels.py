"""Labels that a person gives to heads: checked, kept in a session, and read from a CSV.

The CSV is the one that `headlight label --overrides` reads: model, layer, head, label, by, why. Knows nothing
of Streamlit or bundles.
"""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

COLUMNS = ("model", "layer", "head", "label", "by", "why")
MAX_LABEL, MAX_BY, MAX_WHY = 80, 80, 500
"""Letters of a label, of a name and of a reason."""

MAX_LABELS = 5000
MAX_BYTES = 2**20
NO_LABELS = {"na", "n/a", "nan", "none", "null", "nat"}
"""Words that the label stage reads as a missing value."""

GUARD = re.compile(r"^'(?=[=+\-@＝＋－＠])")
"""Apostrophe before a text that a spreadsheet would run, as `sections.shared.csv` writes it."""


class OwnLabel(NamedTuple):
    """A label of one head, in the order of the CSV's columns."""

    model: str
    """Name of the model, or its key if the name is not unique."""

    layer: int
    head: int
    label: str
    by: str
    why: str

    @property
    def place(self) -> tuple[str, int, int]:
        return self.model, self.layer, self.head


class NoLabels(ValueError):
    """A file or a text that holds no labels. The message gives the reason."""


def problem(label: str) -> str:
    """Returns why a text can be no label of a head; empty if it can."""
    plain = unicodedata.normalize("NFKC", label).casefold().strip()
    if not any(letter.isalnum() for letter in plain):
        return "A label needs a letter or a number."
    if plain in NO_LABELS:
        return f"“{label}” means that a value is missing. Choose another word."
    if len(plain) > MAX_LABEL or not plain.isprintable():
        return f"A label has at most {MAX_LABEL} letters, all of which can be printed."
    return ""


def with_label(labels: Sequence[OwnLabel], label: OwnLabel) -> tuple[OwnLabel, ...]:
    """Returns the labels with one more, in place of the former label of the head."""
    return tuple(sorted([*(other for other in labels if other.place != label.place), label]))


def merged(labels: Sequence[OwnLabel], more: Iterable[OwnLabel]) -> tuple[OwnLabel, ...]:
    """Returns the labels with more; those of heads that have one already are replaced."""
    by_place = {label.place: label for label in [*labels, *more]}
    return tuple(sorted(by_place.values())[:MAX_LABELS])


def from_csv(data: bytes) -> tuple[OwnLabel, ...]:
    """Returns the labels of a file. Raises NoLabels."""
    if len(data) > MAX_BYTES:
        raise NoLabels("The file is larger than 1 MB.")
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        header = [str(name).strip().lower() for name in reader.fieldnames or ()]
        if missing := [name for name in COLUMNS if name not in header]:
            raise NoLabels(
                f"The file lacks the column {missing[0]}. Its first line must be: {','.join(COLUMNS)}"
            )
        reader.fieldnames = header
        return _checked([[row[name] or "" for name in COLUMNS] for row in reader])
    except (UnicodeDecodeError, csv.Error):
        raise NoLabels("The file is no CSV in UTF-8.") from None


def to_json(labels: Sequence[OwnLabel]) -> str:
    return json.dumps(labels)


def from_json(text: str) -> tuple[OwnLabel, ...]:
    """Returns the labels of `to_json`. Raises NoLabels."""
    try:
        if len(text) > 4 * MAX_BYTES:
            raise ValueError("too long")
        rows = json.loads(text)
        return _checked([[str(cell) for cell in row] for row in rows])
    except (ValueError, TypeError, RecursionError) as error:
        raise NoLabels("These are no labels.") from error


def _checked(rows: Sequence[Sequence[Any]]) -> tuple[OwnLabel, ...]:
    """Returns rows of texts as labels. Raises NoLabels with the number of a row that is none."""
    labels = []
    for number, row in enumerate(rows[:MAX_LABELS], 1):
        if len(row) != len(COLUMNS):
            raise NoLabels(f"Row {number} does not have {len(COLUMNS)} cells.")
        model, layer, head, *words = (GUARD.sub("", cell.strip()) for cell in row)
        if not re.fullmatch("[0-9]{1,4}", layer) or not re.fullmatch("[0-9]{1,4}", head):
            raise NoLabels(f"Row {number}: layer and head are whole numbers, as 11 and 3.")
        if reason := problem(words[0]):
            raise NoLabels(f"Row {number}: {reason}")
        label, by, why = (word[:most] for word, most in zip(words, (MAX_LABEL, MAX_BY, MAX_WHY), strict=True))
        labels.append(OwnLabel(model, int(layer), int(head), label, by, why))
    return merged((), labels)
