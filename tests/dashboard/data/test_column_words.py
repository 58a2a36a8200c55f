"""Tables speak the words of the pages."""

import pandas as pd

from dashboard.data import column_words
from dashboard.data.types import column_title


def test_saved_columns_have_the_words_of_the_pages_and_picks_count_from_one():
    table = pd.DataFrame({"position": [0, 1], "q_value": 0.01, "first_texts": "a", "image_id": "ff"})

    assert column_words.in_words(table).to_dict("list") == {
        "pick": [1, 2],
        "q": [0.01, 0.01],
        "first texts": ["a", "a"],
        "image_id": ["ff", "ff"],
    }


def test_a_text_that_names_a_column_keeps_its_name_and_its_numbers():
    table = pd.DataFrame({column_title(text, ()): [4.0] for text in ("position", "a_b", "low", "a star")})

    assert column_words.in_words(table).to_dict("list") == {
        '"position"': [4.0],
        '"a_b"': [4.0],
        '"low"': [4.0],
        "a star": [4.0],
    }


def test_a_checkbox_is_left_to_the_choice_of_rows():
    table = pd.DataFrame(
        {"chosen": [True, False], "supported": [None, True], "count": [1, 0], "share": [1.0, 0.0]}
    )

    assert column_words.marked(table).to_dict("list") == {
        "chosen": ["✓", "–"],
        "supported": ["", "✓"],
        "count": [1, 0],
        "share": [1.0, 0.0],
    }
