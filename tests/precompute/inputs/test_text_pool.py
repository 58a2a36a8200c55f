"""A text pool is read alike from files of any system, or refused with a reason."""

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
    pool = text_pool.parse(FILE, name="mine")

    assert pool.texts == ("a red wall", "a round table", "a blue sky")
    assert pool.properties == ("color", "furniture", "material", "shape")
    assert pool.tags.int().tolist() == [[1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 0, 0]]


def test_repeated_and_empty_lines_are_dropped_and_counted():
    pool = text_pool.parse(FILE, name="mine")

    assert (pool.dropped_duplicates, pool.dropped_empty) == (1, 1)


def test_comments_that_describe_nothing_are_kept_to_be_shown():
    assert text_pool.parse(FILE, name="mine").comments == ("# A remark that describes nothing.",)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("ending", [".csv", ".txt"])
def test_a_csv_is_read_by_its_columns(tmp_path, mark, ending):
    path = tmp_path / f"words{ending}"
    rows = [
        ["Property", "Text"],
        ["color|material", "a red wall"],
        ["", "#x1"],
        ["nan", "NULL"],
        ["", ""],
        ["mood", '"a, b; c"'],
    ]
    path.write_text("# language: en\n" + "\n".join(mark.join(row) for row in rows))

    pool = text_pool.load(path)

    assert pool.texts == ("a red wall", "#x1", "a, b; c")
    assert pool.properties == ("color", "material", "mood")
    assert (pool.language, pool.comments, pool.is_csv) == ("en", (), True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a red wall,color\n", "no column text"),
        ("text,color\na wall,red\n", "the column 'color'"),
        ("text,property\na wall, red,color\n", "line 2: 3 cells under 2 columns"),
        ('{"texts": ["a wall"]}', "is JSON"),
        ("[\n" + '"a wall",\n' * 99_999, "^.{,100}is JSON.{,100}$"),
    ],
)
def test_a_csv_without_the_columns_of_a_pool_is_refused_in_a_line(tmp_path, content, message):
    path = tmp_path / "words.csv"
    path.write_text(content)

    with pytest.raises(text_pool.PoolError, match=message):
        text_pool.load(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a red wall,color\n\na table,shape|material\n", "CSV without names .*'a red wall,color'. Write"),
        ('"a wall, red";color\na table;shape', "CSV without names of columns"),
        ("caption,label\na red wall,color\n", "CSV without names of columns"),
        ("# language: en\ncaption\tlabel\na red wall\tcolor\n", "line 2 .* names columns: 'caption"),
    ],
)
def test_rows_of_a_table_without_the_names_of_a_pool_are_no_texts(content, message):
    with pytest.raises(text_pool.PoolError, match=message):
        text_pool.parse(content, name="mine", by_rule=True)


@pytest.mark.parametrize("second", ["a wall, blue", "1,000 walls", "a wall,red\tcolor", "a wall"])
def test_commas_in_texts_are_no_csv(second):
    pool = text_pool.parse(f"a red wall,a blue sky\n{second}\n", name="mine", by_rule=True)

    assert pool.texts == ("a red wall,a blue sky", second.partition("\t")[0])


def test_a_text_with_a_comma_is_no_csv():
    assert text_pool.parse("text, red\tcolor\n", name="mine").texts == ("text, red",)


def test_the_head_of_the_file_describes_the_pool():
    pool = text_pool.parse(FILE, name="mine")

    assert (pool.name, pool.language, pool.license) == ("mine", "en", "CC0-1.0")


def test_a_file_without_metadata_has_an_undetermined_language():
    pool = text_pool.parse("a\tb", name="mine")

    assert (pool.language, pool.license) == ("und", None)


def test_a_text_without_a_property_stays_in_a_tagged_pool():
    pool = text_pool.parse("a red wall\tcolor\na thing\na thought\t\n", name="mine")

    assert pool.tags.int().tolist() == [[1], [0], [0]]


def test_spellings_of_one_text_are_one_text():
    pool = text_pool.parse("cafe\u0301\tplace\n  caf\u00e9 \tplace\n", name="mine")

    assert pool.texts == ("caf\u00e9",)
    assert pool.dropped_duplicates == 1


def test_the_id_of_a_text_is_a_hash_of_its_normal_form():
    assert text_pool.text_id("a red wall") == "85fb7aee2f796726"
    assert text_pool.text_id(" cafe\u0301\n") == text_pool.text_id("caf\u00e9")


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_break", [b"\n", b"\r\n", b"\r"])
def test_byte_order_marks_and_line_breaks_do_not_matter(tmp_path, prefix, line_break):
    path = tmp_path / "words.tsv"
    path.write_bytes(prefix + FILE.encode().replace(b"\n", line_break))

    pool = text_pool.load(path)

    assert pool.name == "words"
    assert pool.texts == ("a red wall", "a round table", "a blue sky")
    assert pool.language == "en"
    assert pool.dropped_empty == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no texts"),
        ("# language: en\n\n", "has no texts"),
        ("a thing\nsomething else\n", "lexical rule"),
        ("# language: fr\nrouge\n", r"could not be labeled\.\n"),
        ("a wall\tColor\na sky\tcolor\n", "the properties 'Color' and 'color'"),
        ("text\tproperties\na red wall\tcolor\n", "the column 'properties'.*Rename"),
        ("text,category\na red wall,color\n", "the column 'category'.*Rename"),
        ("a wall\tcolor\tmaterial\n", "line 1 of the pool words has 2 tabs"),
    ],
)
def test_an_unusable_pool_is_refused_with_a_reason(tmp_path, content, message):
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

    with pytest.raises(text_pool.PoolError, match=r"not UTF-8 \(byte 5,"):
        text_pool.load(path)


def test_texts_without_a_property_are_tagged_by_the_lexical_rule(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text("a tall wall\tmood\nsomething red\na thing\nin Kenya\n\nin Kenya\n")

    pool = text_pool.load(path)

    tags = [[name for name, has in zip(pool.properties, row, strict=True) if has] for row in pool.tags]
    assert tags == [["mood"], ["color"], [], ["location"]]
    assert pool.tagged_by_rule == 2
    assert (pool.dropped_duplicates, pool.dropped_empty) == (1, 1)


def test_a_repeated_text_that_is_tagged_once_is_not_tagged_by_rule(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text("something red\nsomething red\tmood\n")

    pool = text_pool.load(path)

    assert (pool.properties, pool.tagged_by_rule) == (("mood",), 0)


def test_the_rule_does_not_tag_texts_in_another_language(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text("# language: de-AT\nein Wald\tnature\nrot, orange, blau\n")

    pool = text_pool.load(path)

    assert (pool.properties, pool.tagged_by_rule) == (("nature",), 0)
