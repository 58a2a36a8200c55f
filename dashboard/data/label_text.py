"""Texts on labels and their evidence."""

from typing import Any

import pandas as pd

from dashboard.data import cached, label_grades, texts
from dashboard.data.label_grades import MARKS, UNTESTED, WEAK, Evidence, Grade, Property, Selectivity
from dashboard.data.types import Source
from dashboard.state.views import Head, head_name

ROTATED_HEADS, MIXED_LISTS = "rotated heads", "texts mixed from all its heads"
"""Null hypotheses of offline labels: imported results have no heads to rotate."""

MAX_Q, MIN_CARRYING = 0.05, 2
"""The two conditions of a supported offline label: its q-value, and the number of texts that carry it."""


@cached.kept(max_entries=16)
def heads(source: Source) -> pd.DataFrame:
    """Returns the heads of a model with their labels, and the grade of every label with its reasons."""
    grades = _grades(source)
    reasons = ["; ".join(grade.reasons) for grade in grades]
    return cached.heads(source).assign(grade=[grade.grade for grade in grades], reasons=reasons)


def _grades(source: Source) -> list[Grade]:
    """Returns the grade of every head's label, in the order of `cached.heads`."""
    counts = {"first": label_grades.FIRST, "picks": label_grades.PICKS}
    profiles = _by_head(cached.of_model(source, "head_profiles", **counts))
    metrics = {
        place: rows.set_index("metric")["value"]
        for place, rows in _by_head(cached.head_metrics(source)).items()
    }
    selective = _by_head(cached.head_selectivity(source))
    properties = set(cached.of_model(source, "properties")["property"])
    grades = []
    for row in cached.heads(source).itertuples():
        place = row.layer, row.head
        evidence = Evidence(
            label=row.label,
            supported=row.supported if isinstance(row.supported, bool) else None,
            by_person=row.method == "person",
            read=min(label_grades.FIRST, row.texts),
            properties={
                r.property: Property(r.first_texts, r.texts, r.share) for r in _rows(profiles, place)
            },
            is_property=row.label in properties,
            selectivity={r.attribute: _interval(r) for r in _rows(selective, place)},
            **_consistency(metrics.get(place, {})),
        )
        grades.append(label_grades.grade(evidence))
    return grades


def _by_head(rows: pd.DataFrame) -> dict[Head, pd.DataFrame]:
    return dict(list(rows.groupby(["layer", "head"])))


def _rows(by_head: dict[Head, pd.DataFrame], head: Head) -> list[Any]:
    return list(by_head[head].itertuples()) if head in by_head else []


def _interval(row: Any) -> Selectivity:
    unknown = pd.isna(row.low) or pd.isna(row.high)
    return Selectivity(row.value, *((row.value, row.value) if unknown else (row.low, row.high)))


def _consistency(metrics: Any) -> dict[str, float]:
    """Returns consistency and chance, cross-fitted where both are known."""
    for name in ("ccs_crossfit", "ccs"):
        if name in metrics and f"{name}_rotated" in metrics:
            return {"consistency": metrics[name], "chance": metrics[f"{name}_rotated"]}
    return {}


GRADES = (
    "Strong: the label passed its test. Weak: it did, but fewer than two of the first five texts have it, or "
    "its consistency is no better than chance, or another property leads. Unsupported: it failed its test."
)


def display_label(row: Any) -> str:
    """Returns the label of a head of `heads`, with its grade unless it is strong."""
    if not isinstance(row.label, str):
        return "no label"
    return f"{row.label} (weak)" if row.grade == WEAK else f"{row.label}{MARKS[row.grade]}"


def cell_label(row: Any) -> str:
    """Returns the label of a head of `heads` for a cell of a grid: its grade is a sign."""
    return f"{row.label}{MARKS[row.grade]}" if isinstance(row.label, str) else "no label"


def label_evidence(source: Source, head: Head) -> str:
    """Returns a line with a head's label, its evidence and its first texts."""
    row = head_row(source, head)
    first_texts = "; ".join(texts.of_head(source, head)[:3]) or "none"
    if not isinstance(row.label, str):
        return f"{head_name(head)} has no label. Texts that describe it best: {first_texts}."
    label = f"{head_name(head)} is labeled “{row.label}” ({label_support(row)})"
    return f"{label}. Texts that describe it best: {first_texts}."


def head_row(source: Source, head: Head) -> Any:
    """Returns the row of one head in `heads`."""
    return next(row for row in heads(source).itertuples() if (row.layer, row.head) == head)


def label_support(row: Any) -> str:
    """Returns the evidence for a head's label in a few words."""
    if row.method == "person":
        return f"given by {row.given_by}"
    if row.method == "language_model":
        draws = f"{100 * row.votes:.0f} % of {row.draws:.0f} draws of {row.given_by}"
        return f"{row.grade}: {'; '.join(filter(None, (row.reasons, f'{draws} agree')))}"
    q = "" if pd.isna(row.q_value) else f", q = {row.q_value:.2g}"
    if row.grade == UNTESTED:
        return f"not tested{q}" if isinstance(row.label, str) else "no label"
    if row.supported:
        return f"{row.grade}{': ' * bool(row.reasons)}{row.reasons}{q}"
    return f"unsupported: {', '.join(_failed_conditions(row))}{q}"


def _failed_conditions(row: Any) -> list[str]:
    """Returns why an offline label is unsupported: no better than chance, too few texts that carry it."""
    null = MIXED_LISTS if row.method == "enrichment" else ROTATED_HEADS
    few = not pd.isna(row.carrying_picks) and row.carrying_picks < MIN_CARRYING
    reasons = [f"not better than {null}"] if not few or row.q_value > MAX_Q else []
    if few:
        reasons.append("only one text carries it" if row.carrying_picks else "no text carries it")
    return reasons


def tested_against(source: Source) -> str:
    """Returns the null hypothesis of the offline labels of a model."""
    return ROTATED_HEADS if source.has_vectors else MIXED_LISTS
