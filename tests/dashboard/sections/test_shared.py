"""Tables to save, and what a spreadsheet makes of them; charts in words."""

import io

import pandas as pd

from dashboard.sections.shared import csv, ends


def test_no_text_of_a_table_is_a_formula():
    texts = ["=1+1", "+a", "-a", "@a", "\ta", "\ra", " =1", "＝1", "a\r=1", "red"]

    saved = pd.read_csv(io.BytesIO(csv(pd.DataFrame({"=name": texts}))))

    assert saved.columns.tolist() == ["'=name"]
    assert saved["'=name"].tolist() == [*(f"'{text}" for text in texts[:8]), "a\r=1", "red"]


def test_numbers_stay_numbers_and_missing_values_missing():
    table = pd.DataFrame(
        {"value": [-1.5, None], "text": ["-3", None], "mixed": [-2, True], "self": ["a", "b"]}
    )

    assert csv(table).decode() == "value,text,mixed,self\r\n-1.5,-3,-2,a\r\n,,True,b\r\n"


def test_names_in_words_keep_their_hyphens_and_numbers_have_a_minus():
    assert (
        ends(["ViT-B-16", "ViT-L-14"], [0.5, -0.5]) == "highest ViT-B-16 with 0.5, lowest ViT-L-14 with −0.5"
    )
