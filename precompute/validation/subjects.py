"""Subjects of scores: the columns of the table `validation_score` that name what a row describes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from db.layout import head_name


class Subject(NamedTuple):
    """Columns that name a subject; db/schema.sql explains each kind."""

    subject_kind: str
    property: str | None = None
    layer: int | None = None
    head: int | None = None
    method: str | None = None
    comparison: str | None = None

    def __str__(self) -> str:
        """Returns the subject in words, for a terminal."""
        head = None if self.layer is None or self.head is None else head_name(self.layer, self.head)
        words = (self.subject_kind, self.property, head, self.method, self.comparison)
        return " ".join(word.replace("_", " ") for word in words if word is not None)


_TYPES = {"layer": "Int64", "head": "Int64"} | dict.fromkeys(["value", "low", "high", "chance"], "Float64")
_DEFAULTS = {"attribute": "", "effect": "", "k": 0}
COLUMNS = ("study", "measure", *Subject._fields, *_DEFAULTS, "value", "low", "high", "chance", "count")
"""Columns of the table except the model's."""


def score_frame(study: str, rows: Sequence[dict[str, Any]], **constants: object) -> pd.DataFrame:
    """Returns the rows of one study with all COLUMNS; each row has its subject under the key `subject`.

    `constants` are the values of columns that are the same in all rows.
    """
    records = [{"study": study} | _DEFAULTS | constants | row | row["subject"]._asdict() for row in rows]
    return pd.DataFrame(records, columns=list(COLUMNS)).astype(_TYPES)
