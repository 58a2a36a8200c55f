"""TEXTSPAN results of other programs: both formats are read; invalid input is refused with its line."""

import hashlib

import pytest

from precompute.inputs.textspan_files import ResultsError, parse, read
from tests.support import paths

REFERENCE = paths.REFERENCE / "textspan_vit_b_16_laion2b.csv"

BLOCKS = """\
------------------
Layer 8, Head 1
------------------
A photo of Paris, France
a red wall
------------------
Layer 8, Head 0
------------------
three  dogs
------------------
Current accuracy: 70.125
Number of texts: 3"""

TABLE = """\
layer,head,rank,text
8,1,1,"A photo of Paris, France"
8,1,2,a red wall
8,0,1,three  dogs
"""

LISTS = {(8, 0): ("three  dogs",), (8, 1): ("A photo of Paris, France", "a red wall")}


def refusal(content: str) -> str:
    with pytest.raises(ResultsError) as refused:
        parse(content, name="results.txt")
    return str(refused.value)


@pytest.mark.parametrize(
    "content", [BLOCKS, TABLE, BLOCKS.replace("\n", "\r\n"), TABLE.replace("\n", "\r\n")]
)
def test_reads_texts_by_head_and_in_order_from_either_format(content):
    assert parse(content, name="results.txt") == LISTS
    assert list(parse(content, name="results.txt")) == [(8, 0), (8, 1)]


@pytest.mark.parametrize(
    "header",
    [
        "Layer 3, Head 12",
        "layer 3, head 12:",
        "  LAYER  3 ,  HEAD 12 ",
        "Layer: 3, Head: 12",
        "Layer 3 Head 12",
    ],
)
def test_reads_headers_in_several_spellings(header):
    assert parse(f"{header}\na star\n\n\n", name="r") == {(3, 12): ("a star",)}


def test_the_summary_of_the_reference_is_no_text():
    assert "Current accuracy: 70.125" not in parse(BLOCKS, name="r")[8, 0]


def test_reads_several_results_appended_to_one_file():
    second = BLOCKS.replace("Layer 8", "Layer 9")

    texts = parse(f"{BLOCKS}\n{second}", name="r")

    assert list(texts) == [(8, 0), (8, 1), (9, 0), (9, 1)]


def test_heads_may_have_different_numbers_of_texts():
    assert [len(texts) for texts in parse(BLOCKS, name="r").values()] == [1, 2]


def test_texts_are_stripped_and_normalized():
    assert parse("Layer 0, Head 0\n  Cafe\u0301 terrace \n", name="r") == {(0, 0): ("Caf\u00e9 terrace",)}


def test_columns_and_rows_may_come_in_any_order_with_other_columns():
    table = "Text,score,HEAD,rank,layer\nb,0.1,0,1,2\n\na,0.2,0,0,2\n"

    assert parse(table, name="r") == {(2, 0): ("a", "b")}


def test_ranks_may_begin_at_one():
    assert parse("layer,head,rank,text\n2,0,2,b\n2,0,1,a\n", name="r") == {(2, 0): ("a", "b")}


def test_the_format_is_detected_from_the_content_and_not_from_the_file_name(tmp_path):
    for name, content in [("blocks.csv", BLOCKS), ("table.txt", TABLE)]:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8-sig")

        results = read(path)

        assert results.texts == LISTS
        assert (results.file, results.sha256) == (name, hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.mark.parametrize("content", ["", "\n  \n", "\ufeff\n".replace("\ufeff", "")])
def test_refuses_an_empty_file(content):
    assert "results.txt is empty" in refusal(content)


def test_refuses_lines_before_the_first_head_by_number():
    message = refusal("\nTEXTSPAN of my model\nLayer 0, Head 0\na star\n")

    assert "line 2" in message and "'TEXTSPAN of my model'" in message


def test_refuses_a_file_of_another_kind_and_names_the_format():
    assert "Layer 8, Head 0" in refusal("{'L0.H0': ['a star']}")


def test_refuses_an_inexact_header_so_that_two_heads_do_not_become_one():
    message = refusal("Layer 0, Head 0\na star\nLayer 0, Head 1 (shapes)\na circle\n")

    assert "line 3" in message and "Layer 0, Head 1 (shapes)" in message


def test_refuses_a_repeated_head():
    message = refusal("Layer 0, Head 0\na star\nLayer 0, Head 0\na circle\n")

    assert "line 3: L0.H0" in message and "line 1" in message


def test_refuses_a_head_without_texts():
    message = refusal("Layer 0, Head 0\na star\nLayer 0, Head 1\n\n")

    assert "line 3: L0.H1 has no texts" in message


def test_refuses_a_summary_without_heads():
    assert "names no head" in refusal("Current accuracy: 70.1\nNumber of texts: 3\n")


def test_refuses_a_repeated_text_in_a_head():
    message = refusal("Layer 0, Head 0\na star\na circle\na star \n")

    assert "line 4: L0.H0 has 'a star' in line 2" in message


def table(*rows: str) -> str:
    return "\n".join(["layer,head,rank,text", *rows]) + "\n"


def test_refuses_a_table_without_one_of_the_columns():
    message = refusal("layer,head,text\n0,0,a star\n")

    assert "line 1" in message and "lacks the column 'rank'" in message


def test_refuses_a_repeated_column():
    assert "has the column 'text' twice" in refusal("layer,head,rank,text,Text\n0,0,0,a,b\n")


def test_refuses_a_table_without_rows():
    assert "has no texts" in refusal("layer,head,rank,text\n\n")


def test_refuses_a_repeated_rank():
    message = refusal(table("0,0,1,a star", "0,0,1,a circle"))

    assert "line 3: rank 1 of L0.H0 stands in line 2" in message


def test_refuses_a_missing_rank():
    message = refusal(table("0,0,0,a star", "0,0,1,a circle", "0,1,0,a dog", "0,1,2,a cat"))

    assert "line 5: L0.H1 has rank 2, but no rank 1" in message


def test_refuses_heads_whose_ranks_begin_differently():
    """Ranks begin at 0 in one head and at 1 in another: the second lacks its first text."""
    message = refusal(table("0,0,0,a star", "0,1,1,a dog"))

    assert "L0.H1 has rank 1, but no rank 0" in message


def test_refuses_ranks_that_begin_at_two():
    assert "L0.H0 has rank 2, but no rank 1" in refusal(table("0,0,2,a star"))


def test_refuses_a_text_with_a_comma_outside_quotes_rather_than_cut_it():
    message = refusal(table("0,0,1,a photo of Paris, France"))

    assert "line 2" in message and "double quotes" in message


@pytest.mark.parametrize("number", ["-1", "1.5", "", "two", "²"])
def test_refuses_layers_that_are_not_numbers(number):
    message = refusal(table(f"{number},0,1,a star"))

    assert "line 2" in message and f"layer {number!r}" in message


def test_refuses_a_row_without_a_text():
    assert "line 2: the text is empty" in refusal(table('0,0,1,"  "'))


def test_refuses_a_quote_that_never_closes():
    assert "not CSV" in refusal(table('0,0,1,"a star'))


def test_refuses_other_encodings_with_the_line(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes("Layer 0, Head 0\na café\n".encode("latin-1"))

    with pytest.raises(ResultsError, match=r"latin\.txt is not UTF-8 \(.* line 2\)"):
        read(path)


def test_refuses_a_missing_file(tmp_path):
    with pytest.raises(ResultsError, match=r"none\.txt: No such file"):
        read(tmp_path / "none.txt")


@pytest.mark.skipif(not REFERENCE.exists(), reason="the folder of reference figures is not here")
def test_reads_published_results_of_the_reference_implementation():
    results = read(REFERENCE)

    assert list(results.texts) == [(layer, head) for layer in range(8, 12) for head in range(12)]
    assert {len(texts) for texts in results.texts.values()} == {60}
    assert results.texts[8, 0][:2] == ("intricate timekeeping mechanism", "Playful zoo animal interactions")
