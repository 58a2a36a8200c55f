"""Cells as text."""

import numpy as np
import pandas as pd

from headlight.report.tables import table, words


def test_cells_have_three_digits_and_missing_values_none():
    cells = [words(value) for value in (0.12345, 12.0, -0.5, np.nan, None, 7, "x", True)]
    assert cells == ["0.123", "12", "−0.5", "", "", "7", "x", "True"]


def test_empty_columns_are_left_out_and_positions_count_from_one():
    frame = pd.DataFrame({"position": [0, 1], "p_value": [0.5, np.nan], "tail": [None, None]})
    shown = table("title", frame)

    assert shown.columns == ["pick", "p"]
    assert shown.rows == [["1", "0.5"], ["2", ""]]
    assert shown.numeric == [True, True]
