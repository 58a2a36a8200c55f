"""Labels of people are read from a CSV; an error names the unusable line."""

import pytest

from precompute.tools.label.overrides import Override, OverridesError, load

MODELS = {"tiny/known": "tiny-known-1", "tiny-known-1": "tiny-known-1"}
HEADS = {("tiny-known-1", 1, 0), ("tiny-known-1", 1, 1)}
HEADER = "model,layer,head,label,by,why\n"


def loaded(tmp_path, text: str) -> tuple[Override, ...]:
    path = tmp_path / "overrides.csv"
    path.write_text(text, encoding="utf-8")
    return load(path, MODELS, HEADS)


def test_a_label_has_its_author_and_reason(tmp_path):
    labels = loaded(tmp_path, HEADER + 'tiny/known,1,0,Color,Ada,"red, green, blue"\n')

    assert labels == (Override("tiny-known-1", 1, 0, "color", "Ada", "red, green, blue"),)


def test_a_model_may_be_given_by_key_and_author_and_reason_may_be_empty(tmp_path):
    labels = loaded(tmp_path, HEADER + " tiny-known-1 , 1 ,1, time of day ,,\n")

    assert labels == (Override("tiny-known-1", 1, 1, "time of day", None, None),)


def test_an_apostrophe_that_guards_a_formula_is_no_part_of_a_reason(tmp_path):
    rows = "tiny/known,1,0,color,'@Ada,'=red or 'blue'\ntiny/known,1,1,shape,'t Hooft,'tis round\n"

    guarded, plain = loaded(tmp_path, HEADER + rows)

    assert guarded[4:] == ("@Ada", "=red or 'blue'")
    assert plain[4:] == ("'t Hooft", "'tis round")


def test_columns_may_have_any_order_and_there_may_be_more(tmp_path):
    labels = loaded(tmp_path, "note,Label,head,layer,why,by,model\nx,color,1,1,,,tiny/known\n")

    assert labels == (Override("tiny-known-1", 1, 1, "color", None, None),)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("tiny/other,1,0,color,,\n", 'line 2 .*"tiny/other".* tiny-known-1, tiny/known'),
        ("tiny/known,1,0,color,,\ntiny/known,9,4,color,,\n", "line 3 .*tiny/known .* L9.H4"),
        ("tiny/known,1,0, . ,,\n", "line 2 .* label is empty"),
        ("tiny/known,1,0,NaN,,\n", "line 2 .* label is empty"),
        ("tiny/known,1,0,color,,\ntiny-known-1,1,0,shape,,\n", "line 3 .* line 2 "),
        ("tiny/known,one,0,color,,\n", 'line 2 .*layer "one"'),
        ("tiny/known,1,0,color,Ada,red, green\n", "line 2.* quotes"),
        ("", "overrides.csv gives no label"),
    ],
)
def test_an_unusable_line_is_named(tmp_path, rows, message):
    with pytest.raises(OverridesError, match=message):
        loaded(tmp_path, HEADER + rows)


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(OverridesError, match="column by"):
        loaded(tmp_path, "model,layer,head,label,why\n")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(OverridesError, match="nowhere.csv"):
        load(tmp_path / "nowhere.csv", MODELS, HEADS)
