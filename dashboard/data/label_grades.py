"""Grades of the evidence for a head's label: strong, weak or unsupported, with the reasons.

    grade         | rule
    --------------|----------------------------------------------------------------------------------------
    unsupported   | the label failed its own test (`head_label.supported` is false)
    untested      | nobody tested it
    weak          | it passed, but one of RULES gives a reason against it
    strong        | it passed, and no rule does; or a person gave it

Knows nothing of Streamlit or bundles. A label that is no property of the pool, such as a phrase of a language
model, has no texts of its own and no attribute: rules without their numbers are silent.
"""

from collections.abc import Callable, Mapping
from math import isnan, nan
from typing import NamedTuple

STRONG, WEAK, UNSUPPORTED, UNTESTED = "strong", "weak", "unsupported", "untested"

FIRST, PICKS = 5, 10
"""First texts that consistency is judged on; first texts that the offline label reads."""

MIN_FIRST = 2
"""Fewest of the first texts with a label that is not weak."""

MARKS = {STRONG: "", WEAK: "~", UNSUPPORTED: "?", UNTESTED: ""}
"""Short signs behind a label, where there is no room for words."""


class Property(NamedTuple):
    """A property of a head's first texts."""

    first_texts: int
    """Of the first FIRST texts."""

    texts: int
    """Of the first PICKS texts."""

    share: float
    """Share of the head's variance of those PICKS texts; NaN if unknown."""


class Selectivity(NamedTuple):
    """Selectivity of a head for an attribute; an interval of one point if it is unknown."""

    value: float
    low: float
    high: float


class Evidence(NamedTuple):
    """Evidence for the label of one head."""

    label: str
    supported: bool | None
    by_person: bool = False
    read: int = FIRST
    """Number of first texts that the head has, at most FIRST."""

    properties: Mapping[str, Property] = {}
    """Properties of its first texts."""

    is_property: bool = True
    """True if texts of the pool have the label as property."""

    consistency: float = nan
    """CCS, cross-fitted where known."""

    chance: float = nan
    """The same for rotated heads."""

    selectivity: Mapping[str, Selectivity] = {}
    """By attribute."""


class Grade(NamedTuple):
    """The grade of a label and the reasons against it."""

    grade: str
    reasons: tuple[str, ...] = ()


def few_texts(evidence: Evidence) -> str:
    """Fewer than MIN_FIRST of the first texts have the label."""
    count = _property(evidence, evidence.label).first_texts
    few = evidence.is_property and count < min(MIN_FIRST, evidence.read)
    return f"{count} of the first {evidence.read} texts" if few else ""


def consistency_below_chance(evidence: Evidence) -> str:
    """Consistency with the label does not exceed that of rotated heads."""
    below = evidence.consistency <= evidence.chance  # false if either is unknown
    return f"consistency {evidence.consistency:.2g}, by chance {evidence.chance:.2g}" if below else ""


def another_property(evidence: Evidence) -> str:
    """Another property leads in texts (share of variance) or, clearly, in selectivity."""
    texts, attribute = _leads_in_texts(evidence), _leads_in_selectivity(evidence)
    counts = {name: part.texts for name, part in evidence.properties.items()}
    if attribute and (attribute == texts or counts.get(attribute, 0) > counts.get(evidence.label, 0)):
        return f"{attribute} leads in texts and selectivity"
    leads = {"texts": texts, "selectivity": attribute}
    return ", ".join(f"{name} leads in {where}" for where, name in leads.items() if name)


def _leads_in_texts(evidence: Evidence) -> str:
    def weight(name: str) -> float:
        """Share of variance of the texts with a property; their number if shares are unknown."""
        part = _property(evidence, name)
        return part.texts if isnan(part.share) else part.share

    if not evidence.is_property or not evidence.properties:
        return ""
    first = max(sorted(evidence.properties), key=weight)
    return first if weight(first) > weight(evidence.label) else ""


def _leads_in_selectivity(evidence: Evidence) -> str:
    """Returns the most selective attribute if its interval lies above that of the label."""
    label = evidence.selectivity.get(evidence.label)
    if label is None:
        return ""
    first = max(sorted(evidence.selectivity), key=lambda name: evidence.selectivity[name].value)
    return first if evidence.selectivity[first].low > label.high else ""


def _property(evidence: Evidence, name: str) -> Property:
    unknown = any(isnan(part.share) for part in evidence.properties.values())
    return evidence.properties.get(name, Property(0, 0, nan if unknown else 0.0))


RULES: tuple[Callable[[Evidence], str], ...] = (few_texts, consistency_below_chance, another_property)
"""Each returns a reason against a label, or an empty string."""


def grade(evidence: Evidence) -> Grade:
    """Returns the grade of a label, by the table above."""
    if evidence.supported is None:
        return Grade(UNTESTED)
    if not evidence.supported:
        return Grade(UNSUPPORTED)
    if evidence.by_person:
        return Grade(STRONG)
    reasons = tuple(filter(None, (rule(evidence) for rule in RULES)))
    return Grade(WEAK if reasons else STRONG, reasons)
