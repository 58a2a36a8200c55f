"""A badge says what all of the evidence says: one rule, on heads made by hand."""

from math import nan

import pytest

from dashboard.data import label_grades
from dashboard.data.label_grades import Evidence, Grade, Property, Selectivity, grade

GOOD = Evidence(
    label="color",
    supported=True,
    properties={"color": Property(4, 6, 0.8), "shape": Property(1, 3, 0.2)},
    consistency=4.0,
    chance=1.6,
    selectivity={"color": Selectivity(0.6, 0.55, 0.65), "shape": Selectivity(0.1, 0.05, 0.15)},
)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"properties": {"color": Property(2, 2, 0.8), "shape": Property(3, 5, 0.2)}}, ""),
        ({"properties": {"color": Property(1, 2, 0.8)}}, "1 of the first 5 texts"),
        ({"properties": {}}, "0 of the first 5 texts"),
        ({"properties": {"color": Property(1, 1, 0.8)}, "read": 1}, ""),  # the head has one text
        ({"consistency": 1.0}, "consistency 1, by chance 1.6"),
        ({"consistency": 1.6}, "consistency 1.6, by chance 1.6"),
        ({"consistency": nan}, ""),
        ({"chance": nan}, ""),
        (
            {"properties": {"color": Property(2, 2, 0.3), "shape": Property(3, 4, 0.5)}},
            "shape leads in texts",
        ),
        (  # an imported list has no shares: the number of texts counts
            {"properties": {"color": Property(2, 2, nan), "shape": Property(3, 4, nan)}},
            "shape leads in texts",
        ),
        (
            {"selectivity": {**GOOD.selectivity, "shape": Selectivity(0.9, 0.7, 1.0)}},
            "shape leads in selectivity",
        ),
        ({"selectivity": {**GOOD.selectivity, "shape": Selectivity(0.66, 0.6, 0.7)}}, ""),  # not clearly
        ({"selectivity": {"shape": Selectivity(0.9, 0.8, 1.0)}}, ""),  # color is no attribute here
        (
            {
                "properties": {"color": Property(1, 1, 0.6), "pattern": Property(3, 4, 0.4)},
                "consistency": 1.0,
                "selectivity": {**GOOD.selectivity, "pattern": Selectivity(0.9, 0.8, 1.0)},
            },
            "1 of the first 5 texts; consistency 1, by chance 1.6; pattern leads in texts and selectivity",
        ),
    ],
)
def test_a_label_that_passed_its_test_is_weak_where_other_evidence_speaks_against_it(change, reason):
    reached = grade(GOOD._replace(**change))

    assert reached.grade == (label_grades.WEAK if reason else label_grades.STRONG)
    assert "; ".join(reached.reasons) == reason


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"supported": False}, label_grades.UNSUPPORTED),
        ({"supported": None}, label_grades.UNTESTED),
        ({"by_person": True, "properties": {}, "consistency": 0.0}, label_grades.STRONG),
        (
            {"label": "warm things", "is_property": False, "properties": {"shape": Property(3, 4, 0.5)}},
            label_grades.STRONG,
        ),
    ],
)
def test_other_grades_need_no_reason(change, expected):
    assert grade(GOOD._replace(**change)) == Grade(expected)
