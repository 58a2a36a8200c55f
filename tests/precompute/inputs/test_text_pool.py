"""A text pool is read the same on any machine, and refused with a reason."""

import pytest

from precompute.inputs import text_pool

FILE = """# language: en
# license: CC0-1.0
# A remark that describes nothing.
a red wall\tcolor|material
a round table\tshape

a blue sky\tcolor
a round table\tfurniture
"""


def test_texts_keep_their_order_and_properties_are_sorted():
    read = text_pool.parse(FILE, name="mine")

    assert read.texts == ("a red wall", "a round table", "a blue sky")
    assert read.properties == ("color", "furniture", "material", "shape")
    assert read.tags.int().tolist() == [[1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 0, 0]]


def test_repeated_and_empty_lines_are_left_out_and_counted():
    read = text_pool.parse(FILE, name="mine")

    assert (read.dropped_duplicates, read.dropped_empty) == (1, 1)


def test_the_head_of_the_file_describes_the_pool():
    read = text_pool.parse(FILE, name="mine")

    assert (read.name, read.language, read.license) == ("mine", "en", "CC0-1.0")


def test_a_file_that_says_nothing_has_an_undetermined_language():
    read = text_pool.parse("a\tb", name="mine")

    assert (read.language, read.license) == ("und", None)


def test_a_text_without_a_property_stays_in_a_tagged_pool():
    read = text_pool.parse("a red wall\tcolor\na thing\na thought\t\n", name="mine")

    assert read.tags.int().tolist() == [[1], [0], [0]]


def test_spellings_of_one_text_are_one_text():
    read = text_pool.parse("cafe\u0301\tplace\n  caf\u00e9 \tplace\n", name="mine")

    assert read.texts == ("caf\u00e9",)
    assert read.dropped_duplicates == 1


def test_the_id_of_a_text_is_a_hash_of_its_normal_form():
    assert text_pool.text_id("a red wall") == "85fb7aee2f796726"
    assert text_pool.text_id(" cafe\u0301\n") == text_pool.text_id("caf\u00e9")


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_break", [b"\n", b"\r\n", b"\r"])
def test_byte_order_marks_and_line_breaks_do_not_matter(tmp_path, prefix, line_break):
    path = tmp_path / "words.tsv"
    path.write_bytes(prefix + FILE.encode().replace(b"\n", line_break))

    read = text_pool.load(path)

    assert read.name == "words"
    assert read.texts == ("a red wall", "a round table", "a blue sky")
    assert read.language == "en"
    assert read.dropped_empty == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no texts"),
        ("# language: en\n\n", "has no texts"),
        ("a thing\nsomething else\n", "and the lexical rule found none .*\nAdd a tab and its properties"),
        ("# language: fr\nrouge\n", "could not be labeled.\nAdd a tab"),
        ("a wall\tcolor\tmaterial\n", "line 1 of the pool words has 2 tabs"),
    ],
)
def test_a_pool_that_cannot_be_used_is_refused_with_what_to_do(tmp_path, content, message):
    path = tmp_path / "words.tsv"
    path.write_text(content)

    with pytest.raises(text_pool.PoolError, match=message):
        text_pool.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(text_pool.PoolError, match="absent.tsv: No such file"):
        text_pool.load(tmp_path / "absent.tsv")


def test_a_file_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_bytes("a caf\u00e9\tplace\n".encode("latin-1"))

    with pytest.raises(text_pool.PoolError, match=r"not UTF-8 \(byte 5\)"):
        text_pool.load(path)


def test_texts_without_a_property_get_theirs_by_the_lexical_rule(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text("a tall wall\tmood\nsomething red\na thing\nin Kenya\n\nin Kenya\n")

    read = text_pool.load(path)

    carried = [[name for name, has in zip(read.properties, row, strict=True) if has] for row in read.tags]
    assert carried == [["mood"], ["color"], [], ["location"]]
    assert read.tagged_by_rule == 2
    assert (read.dropped_duplicates, read.dropped_empty) == (1, 1)


def test_a_repeated_text_that_is_tagged_once_is_not_tagged_by_rule(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text("something red\nsomething red\tmood\n")

    read = text_pool.load(path)

    assert (read.properties, read.tagged_by_rule) == (("mood",), 0)


def test_the_rule_leaves_texts_in_another_language_alone(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text("# language: de-AT\nein Wald\tnature\nrot, orange, blau\n")

    read = text_pool.load(path)

    assert (read.properties, read.tagged_by_rule) == (("nature",), 0)
