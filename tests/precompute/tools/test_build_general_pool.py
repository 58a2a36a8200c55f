"""The general pool is its builder's output, without near-duplicates, with balanced frames and continents."""

import re
from collections import Counter, defaultdict
from itertools import combinations

import pytest

from precompute.inputs import text_pool
from precompute.tools.build_general_pool import CARRIERS, FRAMES, POOL_PATH, values, write_pool
from precompute.tools.build_general_pool import pool as general_pool

VALUES = values()
TEXTS = [(text, tuple(properties.split("|"))) for text, properties in general_pool()]
PROPERTIES = sorted({name for _, properties in TEXTS for name in properties})
CONTINENTS = {"Africa", "Asia", "Europe", "North America", "South America", "Oceania"}

TOO_ALIKE = 0.75
"""Smallest Jaccard similarity of the words of two texts that makes them near-duplicates."""

WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
CONSONANT_SOUND = ("uni", "util", "uku", "eu", "USB", "one")
VOWEL_SOUND = ("hour", "honor", "L-", "S-", "X-", "LED", "MRI")


def words(text):
    """Returns the words in lower case, plurals and possessives as singular. A hyphenated word is one word."""
    lower = [word.removesuffix("'s").lower() for word in WORD.findall(text)]
    return [w[:-1] if len(w) > 3 and w.endswith("s") and not w.endswith("ss") else w for w in lower]


EMPTY_WORDS = {"a", "an", "the", *words(" ".join(FRAMES + sum(CARRIERS.values(), ())).replace("{}", ""))}


def content(value):
    """Returns the words without articles and words of frames and carriers. A capital A is a letter."""
    phrase = re.sub(r"\bA\b", "letter-a", value.phrase or value.words)
    return frozenset(words(phrase)) - EMPTY_WORDS


def frame_of(text):
    """Returns the index of a text's frame: the bare phrase if no other frame matches."""
    fits = [i for i, frame in enumerate(FRAMES) if re.fullmatch(frame.replace("{}", ".+"), text)]
    return max(fits)


def test_the_file_is_what_its_builder_makes(tmp_path):
    write_pool(tmp_path / "again.tsv")

    assert (tmp_path / "again.tsv").read_bytes() == POOL_PATH.read_bytes()


def test_it_has_thousands_of_texts_on_dozens_of_properties():
    counts = Counter(name for _, properties in TEXTS for name in properties)

    assert len(TEXTS) >= 3000
    assert len(counts) >= 40
    assert 60 <= min(counts.values()) <= max(counts.values()) <= 100


def test_the_pool_is_read_whole():
    pool = text_pool.load(POOL_PATH)

    assert (pool.dropped_duplicates, pool.dropped_empty) == (0, 0)
    assert pool.texts == tuple(text for text, _ in TEXTS)
    assert (pool.name, pool.language, pool.license) == ("general", "en", "CC0-1.0")
    assert pool.properties == tuple(PROPERTIES)


@pytest.mark.parametrize("max_properties", [1, 2], ids=["texts of one property", "all texts"])
def test_every_property_appears_equally_often_in_each_frame(max_properties):
    counts = defaultdict(lambda: [0] * len(FRAMES))
    for text, properties in TEXTS:
        for name in properties if len(properties) <= max_properties else ():
            counts[name][frame_of(text)] += 1

    assert set(counts) == set(PROPERTIES)
    assert {name: c for name, c in counts.items() if max(c) - min(c) > 1} == {}


def test_few_texts_carry_two_properties_and_each_property_shares_equally_many():
    shared = Counter(name for _, properties in TEXTS if len(properties) > 1 for name in properties)

    assert {len(properties) for _, properties in TEXTS} == {1, 2}
    assert sum(len(properties) > 1 for _, properties in TEXTS) < 0.05 * len(TEXTS)
    assert shared == dict.fromkeys(PROPERTIES, len(FRAMES))


def test_no_two_texts_are_near_duplicates():
    contents = [content(value) for value in VALUES]
    rows_by_word = defaultdict(list)
    for row, content_words in enumerate(contents):
        for word in content_words:
            rows_by_word[word].append(row)
    pairs = {pair for rows in rows_by_word.values() for pair in combinations(rows, 2)}

    def similarity(a, b):
        return len(contents[a] & contents[b]) / len(contents[a] | contents[b])

    assert all(contents)
    alike = [(a, b) for a, b in pairs if similarity(a, b) >= TOO_ALIKE]
    assert [(VALUES[a].words, VALUES[b].words) for a, b in alike] == []


def test_no_text_contains_a_value_of_a_property_it_does_not_carry():
    properties_by_words = defaultdict(set)
    for value in VALUES:
        properties_by_words[tuple(words(value.words))] |= set(value.properties.split("|"))
    longest = max(map(len, properties_by_words))

    def named(text):
        sequence = words(text)
        runs = {tuple(sequence[i : i + n]) for n in range(1, longest + 1) for i in range(len(sequence))}
        return set().union(*(properties_by_words[run] for run in runs if run in properties_by_words))

    assert {text: named(text) for text, properties in TEXTS if named(text) != set(properties)} == {}


def test_all_continents_have_equally_many_places():
    places = [value for value in VALUES if "location" in value.properties.split("|")]
    counts = Counter(value.group.removeprefix("location: ") for value in places)

    assert set(counts) == CONTINENTS
    assert len(set(counts.values())) == 1


def test_articles_fit_the_word_that_follows():
    def fits(article, word):
        vowel = word.startswith(VOWEL_SOUND) or (
            word[0].lower() in "aeiou" and not word.startswith(CONSONANT_SOUND)
        )
        return (article == "an") == vowel

    pairs = [pair for text, _ in TEXTS for pair in re.findall(r"\b(an?) (\S+)", text)]

    assert len(pairs) > 1000
    assert [pair for pair in pairs if not fits(*pair)] == []


def test_every_text_fits_a_text_tower_and_no_space_is_out_of_place():
    # A token takes one byte at least, and two of the 77 are start and end.
    assert max(len(text.encode()) for text, _ in TEXTS) <= 75
    assert [text for text, _ in TEXTS if text != " ".join(text.split())] == []


def test_a_value_stands_in_its_text_word_for_word():
    texts = [text for text, _ in TEXTS]

    def holds(text, value):
        return f" {' '.join(words(value.words))} " in f" {' '.join(words(text))} "

    assert [v.words for v, text in zip(VALUES, texts, strict=True) if not holds(text, v)] == []


def test_values_take_the_frames_in_turn_and_carriers_change_when_all_frames_had_one(tmp_path):
    rows = [f"tint {n}\tcolor" for n in range(7)] + ["owl\tanimal\tan owl"]
    (tmp_path / "values.tsv").write_text("# tints\n" + "\n".join(rows) + "\n", encoding="utf-8")

    texts = [text for text, _ in general_pool(tmp_path / "values.tsv")]

    assert texts == [
        "something tint 0",
        "a photo of something tint 1",
        "an image of something tint 2",
        "a picture showing something tint 3",
        "we see something tint 4",
        "something tint 5 can be seen",
        "tint 6 things",
        "an owl",
    ]


def test_a_value_without_a_property_is_refused_by_its_line(tmp_path):
    (tmp_path / "values.tsv").write_text("# animals\nowl\n", encoding="utf-8")

    with pytest.raises(ValueError, match="line 2 of values.tsv"):
        values(tmp_path / "values.tsv")
