"""A person's label is read from a CSV, or the line that cannot be used is named."""

import pytest

from precompute.tools.label.overrides import Override, OverridesError, load

MODELS = {"tiny/known": "tiny-known-1", "tiny-known-1": "tiny-known-1"}
HEADS = {("tiny-known-1", 1, 0), ("tiny-known-1", 1, 1)}
HEADER = "model,layer,head,label,by,why\n"


def loaded(tmp_path, text: str) -> tuple[Override, ...]:
    path = tmp_path / "overrides.csv"
    path.write_text(text, encoding="utf-8")
    return load(path, MODELS, HEADS)


def test_a_label_comes_with_who_gave_it_and_why(tmp_path):
    found = loaded(tmp_path, HEADER + 'tiny/known,1,0,Color,Ada,"red, green, blue"\n')

    assert found == (Override("tiny-known-1", 1, 0, "color", "Ada", "red, green, blue"),)


def test_a_model_may_be_called_by_its_key_and_who_and_why_may_be_left_out(tmp_path):
    found = loaded(tmp_path, HEADER + " tiny-known-1 , 1 ,1, time of day ,,\n")

    assert found == (Override("tiny-known-1", 1, 1, "time of day", None, None),)


def test_columns_may_stand_in_any_order_beside_others(tmp_path):
    found = loaded(tmp_path, "note,Label,head,layer,why,by,model\nx,color,1,1,,,tiny/known\n")

    assert found == (Override("tiny-known-1", 1, 1, "color", None, None),)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("tiny/other,1,0,color,,\n", 'line 2 .*no model "tiny/other".*It has: tiny-known-1, tiny/known'),
        ("tiny/known,1,0,color,,\ntiny/known,9,4,color,,\n", "line 3 .*tiny/known has no head L9.H4"),
        ("tiny/known,1,0, . ,,\n", "line 2 .*the label is empty"),
        ("tiny/known,1,0,color,,\ntiny-known-1,1,0,shape,,\n", "line 3 .*a label on line 2 already"),
        ("tiny/known,one,0,color,,\n", 'line 2 .*layer "one" .*whole numbers'),
        ("tiny/known,1,0,color,Ada,red, green\n", "line 2 .*more values than columns.*in quotes"),
        ("", "gives no label"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path, rows, says):
    with pytest.raises(OverridesError, match=says):
        loaded(tmp_path, HEADER + rows)


def test_a_header_that_lacks_a_column_is_named(tmp_path):
    with pytest.raises(OverridesError, match="lacks the column by. Its first line must be: model,layer"):
        loaded(tmp_path, "model,layer,head,label,why\n")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(OverridesError, match="cannot read the overrides .*nowhere.csv"):
        load(tmp_path / "nowhere.csv", MODELS, HEADS)
