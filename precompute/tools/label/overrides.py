"""Labels given by people: a CSV with the header model, layer, head, label, by, why.

    model,layer,head,label,by,why
    ViT-B-16/laion2b_s34b_b88k,11,3,color,Ada,the first twelve texts all name one

A person's label is chosen over all other labels, which stay in the bundle. `model` is the name or key of a
model; `by` and `why` may be empty. Labels are normalized (`spelling`): "Color" and "color" are equal.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from db.errors import UserError
from precompute.inputs.text_files import MISSING, open_table
from precompute.tools.label.spelling import MAX_LABEL_CHARACTERS, is_label, normalize

COLUMNS = ("model", "layer", "head", "label", "by", "why")

METHOD = "person"
"""Name of this method in the table `head_label`."""


GUARD = re.compile(r"^'(?=[=+\-@＝＋－＠])")
"""Apostrophe that the dashboard writes before a text that a spreadsheet would run as a formula."""


class OverridesError(UserError):
    """A file of overrides cannot be used. The message states the line and what to change."""


class Override(NamedTuple):
    """One label given by a person."""

    model_key: str
    layer: int
    head: int
    label: str
    given_by: str | None
    reason: str | None


def load(
    path: Path, models: Mapping[str, str], heads: Collection[tuple[str, int, int]]
) -> tuple[Override, ...]:
    """Returns all overrides of a file.

    `models` maps every accepted name, and every key, to the key of a model; `heads` are the heads of the
    bundle as (key of a model, layer, head). Raises OverridesError.
    """
    by_head: dict[tuple[str, int, int], tuple[int, Override]] = {}
    for number, row in _rows(path):
        where = f"line {number} of {path}"
        override = _override(row, models, where)
        head = (override.model_key, override.layer, override.head)
        if head not in heads:
            raise OverridesError(
                f"{where}: {row['model']} has no head L{override.layer}.H{override.head} in this bundle."
            )
        first, _ = by_head.setdefault(head, (number, override))
        if first != number:
            raise OverridesError(
                f"{where}: L{override.layer}.H{override.head} of {row['model']} has a label on line "
                f"{first} already. Keep one of the two."
            )
    if not by_head:
        raise OverridesError(f"{path} gives no label. Write one head a line below the header.")
    return tuple(override for _, override in by_head.values())


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Returns the stripped values of each row, "" for missing ones, with the number of its last line."""
    table = open_table(path, "model", OverridesError)
    header = [name.lower() for name in table.columns]
    if missing := [name for name in COLUMNS if name not in header]:
        raise OverridesError(
            f"{path} lacks the column {missing[0]}. Its first line must be: {','.join(COLUMNS)}"
        )
    return [(line, {name.lower(): _value(cell) for name, cell in row.items()}) for line, row in table.rows]


def _value(cell: str) -> str:
    value = cell.strip()
    return "" if value in MISSING else GUARD.sub("", value, count=1)


def _override(row: dict[str, str], models: Mapping[str, str], where: str) -> Override:
    if row["model"] not in models:
        raise OverridesError(
            f'{where}: no model "{row["model"]}" in this bundle. It has: {", ".join(sorted(models))}.'
        )
    label = normalize(row["label"])
    if not label:
        raise OverridesError(f"{where}: the label is empty. Give one, or take the line out.")
    if not is_label(label):
        raise OverridesError(
            f"{where}: the label has more than {MAX_LABEL_CHARACTERS} characters, or some that cannot be "
            "printed. Give a word or a short phrase."
        )
    try:
        layer, head = int(row["layer"]), int(row["head"])
    except ValueError:
        raise OverridesError(
            f'{where}: layer "{row["layer"]}" and head "{row["head"]}" are to be whole numbers, as 11 and 3.'
        ) from None
    return Override(models[row["model"]], layer, head, label, row["by"] or None, row["why"] or None)
