"""The lexical rule matches whole words and simple inflections, the longest value first."""

import subprocess
import sys

import pytest

from precompute.inputs import lexical_tags

LEXICON = lexical_tags.build(
    {
        "crimson": ["color"],
        "orange": ["color", "plant"],
        "orange juice": ["food"],
        "polka dots": ["pattern"],
        "a pair of": ["counting"],
        "city": ["urban"],
        "stripe": ["pattern"],
        "texture": ["texture"],
        "cloth": ["material"],
        "clothing": ["clothing"],
        "mouse": ["animal"],
        "smile": ["emotion"],
        "café": ["food"],
        "tie-dye": ["pattern"],
        "spring": ["season"],
        "glass": ["material"],
        "glasses": ["clothing"],
        "dark orange": ["color"],
    }
)


@pytest.mark.parametrize(
    ("text", "properties"),
    [
        ("a crimson wall", ("color",)),
        ("A CRIMSON wall, in the city.", ("color", "urban")),
        ("two polka dots", ("pattern",)),
        ("a polka-dot dress", ("pattern",)),
        ("a pair of orange cups", ("color", "counting", "plant")),
        ("a photo taken somewhere", ()),
        ("", ()),
        ("?!", ()),
    ],
)
def test_a_text_carries_the_properties_of_the_values_in_it(text, properties):
    assert lexical_tags.tags(text, LEXICON) == properties


@pytest.mark.parametrize("text", ["crimsonish", "citywide", "a pair", "polka", "dots polka", "mousetrap"])
def test_parts_of_words_and_of_values_do_not_count(text):
    assert lexical_tags.tags(text, LEXICON) == ()


def test_the_longest_value_consumes_its_words():
    assert lexical_tags.tags("a glass of orange juice", LEXICON) == ("food", "material")


def test_the_first_of_overlapping_values_of_equal_length_counts():
    assert lexical_tags.tags("dark orange juice", LEXICON) == ("color",)


@pytest.mark.parametrize(
    ("text", "properties"),
    [
        ("cities at war", ("urban",)),
        ("the city's heart", ("urban",)),
        ("striped, stripes", ("pattern",)),
        ("textured textures", ("texture",)),
        ("field mice", ("animal",)),
        ("a smiling face that smiled", ("emotion",)),
        ("cafes", ("food",)),
        ("cafe\u0301", ("food",)),
        ("a tie dye shirt", ("pattern",)),
        ("Spring’s here", ("season",)),
    ],
)
def test_simple_inflections_are_the_same_word(text, properties):
    assert lexical_tags.tags(text, LEXICON) == properties


def test_a_word_as_written_wins_over_one_with_the_same_stem():
    assert lexical_tags.tags("clothing", LEXICON) == ("clothing",)
    assert lexical_tags.tags("cloths", LEXICON) == ("material",)
    assert lexical_tags.tags("glasses", LEXICON) == ("clothing",)
    assert lexical_tags.tags("a glass", LEXICON) == ("material",)


@pytest.mark.parametrize("word", ["king", "wing", "red", "seed", "bus", "lens", "grass", "spring", "ring"])
def test_short_words_keep_letters_that_only_look_like_an_ending(word):
    assert lexical_tags.bases(word) in [(word,), (lexical_tags.singular(word),)]


@pytest.mark.parametrize(
    ("base", "forms"),
    [
        ("run", ["runs", "running"]),
        ("ride", ["rides", "riding"]),
        ("dance", ["dances", "danced", "dancing"]),
        ("walk", ["walks", "walked", "walking"]),
        ("box", ["boxes", "boxed", "boxing"]),
        ("fall", ["falls", "falling"]),
        ("carry", ["carries", "carried", "carrying"]),
        ("texture", ["textures", "textured"]),
        ("horse", ["horses"]),
        ("cookie", ["cookies"]),
        ("tomato", ["tomatoes"]),
        ("shoe", ["shoes"]),
        ("church", ["churches"]),
        ("child", ["children", "child's"]),
    ],
)
def test_a_word_is_found_in_its_inflections(base, forms):
    lexicon = lexical_tags.build({base: ["found"]})

    assert [lexical_tags.tags(f"the {form} here", lexicon) for form in [base, *forms]] == [("found",)] * (
        len(forms) + 1
    )


@pytest.mark.parametrize("form", ["rode", "runner", "ran"])
def test_other_inflections_are_not_found(form):
    assert lexical_tags.tags(form, lexical_tags.build({"run": ["found"], "ride": ["found"]})) == ()


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("red", "ring"),
        ("car", "care"),
        ("car", "caring"),
        ("rid", "riding"),
        ("plan", "plane"),
        ("Andes", "and"),
        ("star", "staring"),
        ("hop", "hoping"),
        ("wind", "wine"),
    ],
)
def test_different_words_do_not_match(value, word):
    assert lexical_tags.tags(word, lexical_tags.build({value: ["found"]})) == ()


def test_a_value_without_words_matches_no_text():
    assert lexical_tags.tags("what ?!", lexical_tags.build({"?!": ["found"], "how": ["other"]})) == ()


@pytest.mark.parametrize("line", ["crimson", "crimson\t", "\tcolor", "crimson\t | "])
def test_an_incomplete_line_is_refused_by_number(tmp_path, line):
    path = tmp_path / "values.tsv"
    path.write_text(f"# a comment\n\n{line}\n")

    with pytest.raises(lexical_tags.LexiconError, match=r"line 3 of values.tsv"):
        lexical_tags.load_lexicon(path)


def test_property_words_are_added_for_properties_of_the_values(tmp_path):
    path = tmp_path / "values.tsv"
    path.write_text("crimson\tcolor\tsomething crimson\nat dusk\ttime of day|lighting\ncrimson\tmood\n")

    lexicon = lexical_tags.load_lexicon(path)

    assert lexicon.properties == ("color", "lighting", "mood", "time of day")
    assert lexical_tags.tags("crimson walls", lexicon) == ("color", "mood")
    assert lexical_tags.tags("walls at dusk", lexicon) == ("lighting", "time of day")
    assert lexical_tags.tags("a colorful wall", lexicon) == ("color",)
    assert (
        lexical_tags.tags("a photo taken in Paris", lexicon) == ()
    )  # there is no location among these values


def test_the_shipped_lexicon_tags_texts_of_other_people():
    lexicon = lexical_tags.load_lexicon()

    for frame in ("a photo", "an image of a thing", "picture taken in"):
        assert lexical_tags.tags(frame, lexicon) == ()
    assert "location" in lexical_tags.tags("Photo taken in Nairobi, Kenya", lexicon)
    assert "color" in lexical_tags.tags("A charcoal gray color", lexicon)
    assert "texture" in lexical_tags.tags("textured surfaces", lexicon)


def test_all_property_words_are_of_properties_of_the_general_pool():
    general = {name for _, names in lexical_tags.read_lines(lexical_tags.GENERAL) for name in names}

    assert {name for name, _ in lexical_tags.read_lines(lexical_tags.PROPERTY_WORDS)} <= general


def test_a_pool_of_thousands_is_tagged_within_a_second():
    """Runs in a separate process: the type checks of the test run make every call ten times as slow."""
    program = """
import time
from precompute.inputs import lexical_tags
lexicon = lexical_tags.load_lexicon()
texts = [
    f"a {how} {what} on table number {n}"
    for how in ("red", "plain", "striped", "wooden", "tall", "old", "wet")
    for what in ("car", "cup", "wall", "mouse", "tower", "coat", "lake", "song", "leaf", "letter")
    for n in range(50)
]
start = time.process_time()
assert all(lexical_tags.tags(text, lexicon) for text in texts)
print(len(texts), time.process_time() - start)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    texts, seconds = done.stdout.split()
    assert (int(texts), float(seconds) < 1) == (3500, True)
