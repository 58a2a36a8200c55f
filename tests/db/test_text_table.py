"""Tables for people, in both forms."""

import numpy as np
import pandas as pd
import pytest

from db.text_table import cell, text_table

COLUMNS, ROWS = ("map", "value", "count"), [("all heads", 0.5, 3), ("L3.H1", 12.25, None)]


def test_markdown_has_a_line_per_row_under_the_columns():
    assert text_table(COLUMNS, ROWS).splitlines() == [
        "| map | value | count |",
        "|---|---|---|",
        "| all heads | 0.500 | 3 |",
        "| L3.H1 | 12.250 | - |",
    ]


def test_aligned_columns_have_text_to_the_left_and_numbers_to_the_right():
    assert text_table(COLUMNS, ROWS, aligned=True, digits=1).splitlines() == [
        "map        value  count",
        "all heads    0.5      3",
        "L3.H1       12.2      -",
    ]


def test_a_table_without_rows_has_its_columns():
    assert text_table(["a", "b"], []) == "| a | b |\n|---|---|"
    assert text_table(["a", "b"], [], aligned=True) == "a  b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a|b", r"a\|b"),
        ("[x](http://b) `c` <!-- d -->", r"\[x\](http\://b) \`c\` \<!-- d --\>"),
        ("**e** _f_ ~g~ $h$ &amp; :smile: www.i.org j@k.org", None),
        ("L3.H1 few_colors_1 (control), 0.50: \u22121", "L3.H1 few_colors_1 (control), 0.50: \u22121"),
        ("two\nlines\x1b[2J", r"two lines\\x1b\[2J"),
    ],
)
def test_a_text_is_shown_in_markdown_as_it_is_written(text, shown):
    cell = text_table(["text"], [[text]]).splitlines()[-1].removeprefix("| ").removesuffix(" |")

    assert cell == (shown or r"\*\*e\*\* \_f\_ \~g\~ \$h\$ \&amp; \:smile: www\.i.org j\@k.org")
    assert len(text_table(["text"], [[text]], aligned=True).splitlines()) == 2


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "-"), (float("nan"), "-"), (pd.NA, "-"), (0.12345, "0.123"), (np.float64(1), "1.000"), (3, "3")],
)
def test_a_cell_is_short(value, shown):
    assert cell(value) == shown
