"""A person's own labels: what can be one, and what a file or the memory of a tab may hold."""

import pytest

from dashboard.data.own_labels import (
    NoLabels,
    OwnLabel,
    from_csv,
    from_json,
    merged,
    problem,
    to_json,
    with_label,
)

STRIPES = OwnLabel("a/b", 1, 0, "stripes", "Ada", "")
HEADER = "model,layer,head,label,by,why\r\n"


@pytest.mark.parametrize("label", ["", " . ", "None", "n/a", "x" * 81, "a\u202eb"])
def test_what_the_label_stage_would_refuse_is_no_label(label):
    assert problem(label)


@pytest.mark.parametrize("label", ["stripes", "time of day", "É", "4"])
def test_words_are_labels(label):
    assert problem(label) == ""


def test_a_head_has_one_label_the_last():
    other = STRIPES._replace(label="dots")

    assert with_label((STRIPES,), other) == (other,)
    assert merged((STRIPES,), [other, other._replace(head=1)]) == (other, other._replace(head=1))


def test_a_file_is_read_with_any_order_of_columns_and_guarded_texts():
    data = b'why,by,label,head,layer,model\r\n\'=1+1,Ada,Stripes,0,1,a/b\r\n"b, c",,dots,1,1,a/b\r\n'

    first, second = from_csv(b"\xef\xbb\xbf" + data)

    assert first == OwnLabel("a/b", 1, 0, "Stripes", "Ada", "=1+1")
    assert second == OwnLabel("a/b", 1, 1, "dots", "", "b, c")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"model,layer,head,label,by\r\n", "lacks the column why"),
        (b"", "lacks the column model"),
        (b"\xff\xfe", "no CSV in UTF-8"),
        (f"{HEADER}a/b,one,0,stripes,,".encode(), "Row 1: layer and head"),
        (f"{HEADER}a/b,1,0,stripes,,\r\na/b,1,1,.,,".encode(), "Row 2: A label needs"),
        (b"x" * (2**20 + 1), "larger than 1 MB"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(data, message):
    with pytest.raises(NoLabels, match=message):
        from_csv(data)


def test_the_memory_of_a_tab_gives_the_same_labels_back():
    assert from_json(to_json((STRIPES,))) == (STRIPES,)


@pytest.mark.parametrize(
    "text", ["", "{}]", "[1]", "[[1, 2]]", "null", '[["a","b","c","d","e","f"]]', "[" * 9999]
)
def test_a_memory_that_somebody_changed_gives_none(text):
    with pytest.raises(NoLabels):
        from_json(text)
