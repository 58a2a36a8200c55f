"""The text pool and the prompts of the demo: reproducible, and balanced over properties."""

import unicodedata
from collections import Counter, defaultdict

import pytest

from precompute.demo import CONTEXT_LENGTH
from precompute.demo.world.pool import (
    FRAMES,
    OF_THINGS,
    POOL_PATH,
    POOL_PROPERTIES,
    PROMPTS_PATH,
    nouns_of,
    prompts,
    write_pool,
    write_prompts,
)
from precompute.demo.world.things import NOUNS
from precompute.demo.world.words import unknown_words
from precompute.texts import TEXTS


@pytest.fixture(scope="module")
def pool_lines():
    lines = POOL_PATH.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def test_the_text_pool_is_reproducible(tmp_path):
    write_pool(tmp_path / "again.tsv")

    assert (tmp_path / "again.tsv").read_bytes() == POOL_PATH.read_bytes()


def test_the_text_pool_uses_the_vocabulary_and_repeats_no_text(pool_lines):
    texts = [text for text, _ in pool_lines]

    assert len(texts) == len(set(texts)) == 2052
    for text in texts:
        assert text == unicodedata.normalize("NFC", text).strip()
        assert unknown_words(text) == []
        assert len(text.split()) + 2 <= CONTEXT_LENGTH


def test_every_property_has_the_same_number_of_texts_in_every_frame(pool_lines):
    by_property = defaultdict(Counter)
    openings = sorted((frame.format("") for frame in FRAMES), key=len, reverse=True)
    for text, tag in pool_lines:
        by_property[tag][next(opening for opening in openings if text.startswith(opening))] += 1

    assert set(by_property) == set(POOL_PROPERTIES)
    counts = {tuple(sorted(counter.items())) for counter in by_property.values()}
    assert len(counts) == 1
    assert len(openings) >= 5 and sum(dict(counts.pop()).values()) == 108


def test_every_noun_is_of_one_property():
    assert sorted(noun for property_ in OF_THINGS for noun in nouns_of(property_)) == sorted(NOUNS)


def test_properties_have_the_names_of_the_general_pool_where_it_has_them():
    lines = (TEXTS / "general.tsv").read_text(encoding="utf-8").splitlines()
    names = {name for line in lines if not line.startswith("#") for name in line.split("\t")[1].split("|")}

    assert set(POOL_PROPERTIES) - names == {"background", "position"}


def test_the_demo_prompts_are_reproducible(tmp_path):
    write_prompts(tmp_path / "again.tsv")

    assert (tmp_path / "again.tsv").read_bytes() == PROMPTS_PATH.read_bytes()


def test_the_demo_prompts_cover_every_value_in_the_vocabulary():
    """A count is a number, as in attributes.csv."""
    rows = prompts()

    assert len(rows) == len({row[:2] for row in rows}) == 20 + 160 + 8 + 8 + 5 + 9
    assert [word for _, _, text in rows for word in unknown_words(text)] == []
    assert ("counting", "1", "a picture with one thing") in rows
    assert ("animal", "fish", "a picture with fish") in rows
