"""The general pool is what its builder makes, says nothing twice, and favors no sentence and no continent."""

import re
from collections import Counter, defaultdict
from itertools import combinations

import pytest

from precompute.inputs import text_pool
from precompute.tools.build_general_pool import (
    CARRIERS,
    FRAMES,
    POOL_PATH,
    values,
    write_pool,
)
from precompute.tools.build_general_pool import pool as general_pool

VALUES = values()
TEXTS = [(text, tuple(properties.split("|"))) for text, properties in general_pool()]
PROPERTIES = sorted({one for _, carried in TEXTS for one in carried})
CONTINENTS = {"Africa", "Asia", "Europe", "North America", "South America", "Oceania"}

TOO_ALIKE = 0.75
"""Words two texts share, over the words either has, from which they would be one text said twice."""

WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
CONSONANT_SOUND = ("uni", "util", "uku", "eu", "USB", "one")
VOWEL_SOUND = ("hour", "honor", "L-", "S-", "X-", "LED", "MRI")


def words(text):
    """Its words in lower case, plurals and possessives as their singular. A hyphenated word is one word."""
    found = [word.removesuffix("'s").lower() for word in WORD.findall(text)]
    return [w[:-1] if len(w) > 3 and w.endswith("s") and not w.endswith("ss") else w for w in found]


EMPTY_WORDS = {"a", "an", "the", *words(" ".join(FRAMES + sum(CARRIERS.values(), ())).replace("{}", ""))}


def content(value):
    """What it says: its words less articles and those of the frames and carriers. A capital A is a letter."""
    phrase = re.sub(r"\bA\b", "letter-a", value.phrase or value.words)
    return frozenset(words(phrase)) - EMPTY_WORDS


def frame_of(text):
    """The frame a text stands in: the bare phrase where no other fits."""
    fits = [i for i, frame in enumerate(FRAMES) if re.fullmatch(frame.replace("{}", ".+"), text)]
    return max(fits)


def test_the_file_is_what_its_builder_makes(tmp_path):
    write_pool(tmp_path / "again.tsv")

    assert (tmp_path / "again.tsv").read_bytes() == POOL_PATH.read_bytes()


def test_it_has_thousands_of_texts_on_dozens_of_properties():
    carrying = Counter(one for _, carried in TEXTS for one in carried)

    assert len(TEXTS) >= 3000
    assert len(carrying) >= 40
    assert 60 <= min(carrying.values()) <= max(carrying.values()) <= 100


def test_the_pool_is_read_whole():
    read = text_pool.load(POOL_PATH)

    assert (read.dropped_duplicates, read.dropped_empty) == (0, 0)
    assert read.texts == tuple(text for text, _ in TEXTS)
    assert (read.name, read.language, read.license) == ("general", "en", "CC0-1.0")
    assert read.properties == tuple(PROPERTIES)


@pytest.mark.parametrize("most", [1, 2], ids=["texts of one property", "all texts"])
def test_every_property_stands_in_every_frame_as_often(most):
    counts = defaultdict(lambda: [0] * len(FRAMES))
    for text, carried in TEXTS:
        for one in carried if len(carried) <= most else ():
            counts[one][frame_of(text)] += 1

    assert set(counts) == set(PROPERTIES)
    assert {one: c for one, c in counts.items() if max(c) - min(c) > 1} == {}


def test_few_texts_carry_two_properties_and_each_property_shares_as_many():
    shared = Counter(one for _, carried in TEXTS if len(carried) > 1 for one in carried)

    assert {len(carried) for _, carried in TEXTS} == {1, 2}
    assert sum(len(carried) > 1 for _, carried in TEXTS) < 0.05 * len(TEXTS)
    assert shared == dict.fromkeys(PROPERTIES, len(FRAMES))


def test_no_two_texts_say_the_same():
    said = [content(value) for value in VALUES]
    holding = defaultdict(list)
    for row, has in enumerate(said):
        for word in has:
            holding[word].append(row)
    pairs = {pair for rows in holding.values() for pair in combinations(rows, 2)}

    assert all(said)
    alike = [(a, b) for a, b in pairs if len(said[a] & said[b]) >= TOO_ALIKE * len(said[a] | said[b])]
    assert [(VALUES[a].words, VALUES[b].words) for a, b in alike] == []


def test_no_text_holds_a_value_of_a_property_it_does_not_carry():
    means = defaultdict(set)
    for value in VALUES:
        means[tuple(words(value.words))] |= set(value.properties.split("|"))
    longest = max(map(len, means))

    def named(text):
        said = words(text)
        runs = {tuple(said[i : i + n]) for n in range(1, longest + 1) for i in range(len(said))}
        return set().union(*(means[run] for run in runs if run in means))

    assert {text: named(text) for text, carried in TEXTS if named(text) != set(carried)} == {}


def test_places_are_of_all_continents_alike():
    places = [value for value in VALUES if "location" in value.properties.split("|")]
    on = Counter(value.group.removeprefix("location: ") for value in places)

    assert set(on) == CONTINENTS
    assert len(set(on.values())) == 1


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

    with pytest.raises(ValueError, match="line 2 of values.tsv has 1 fields"):
        values(tmp_path / "values.tsv")
