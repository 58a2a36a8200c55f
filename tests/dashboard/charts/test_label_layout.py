"""Marks and names of models cover neither each other nor a mark."""

import numpy as np

from dashboard.charts.label_layout import APART, Box, Name, name_places, side_by_side


def test_marks_of_one_place_stand_side_by_side_by_value():
    moved = side_by_side(np.array([100.0, 100.0, 300.0, 100.0]), [0.3, 0.1, 0.5, 0.2])

    assert moved.tolist() == [100 + APART, 100 - APART, 300, 100]


def test_marks_that_are_far_apart_stay_where_they_are():
    assert side_by_side(np.array([300.0, 20.0]), [0, 1]).tolist() == [300, 20]


def test_groups_that_grow_into_each_other_become_one():
    moved = side_by_side(np.array([100.0, 100.0, 120.0, 120.0]), [0, 1, 0, 1])

    assert np.diff(np.sort(moved)).tolist() == [APART] * 3
    assert moved.mean() == 110


def test_a_name_stands_right_of_its_mark_unless_something_is_there():
    assert name_places([(100, 50)], [], ["name"], 500, 100) == [Name(50, 1)]
    assert name_places([(100, 50)], [Box(110, 40, 140, 60)], ["name"], 500, 100) == [Name(50, -1)]
    assert name_places([(490, 50)], [], ["name"], 500, 100) == [Name(50, -1)], "no room at the edge"


def test_a_name_without_a_free_place_is_left_out():
    wall = Box(0, 0, 500, 100)

    assert name_places([(100, 50)], [wall], ["name"], 500, 100) == [Name(50, 0)]
