"""Things of the demo: nouns, plurals, articles, categories and their properties."""

import pytest

from precompute.demo.world.things import CATEGORIES, CATEGORY, GROUP, NOUNS, PROPERTY, THINGS, article, plural


def test_nouns_are_distinct_and_equally_many_in_every_category():
    assert len(NOUNS) == len(set(NOUNS)) == 160 and len(CATEGORIES) == 20
    assert {len(nouns) for nouns in THINGS.values()} == {8}


def test_no_two_nouns_have_the_same_artwork_or_the_same_plural():
    artwork = [code for nouns in THINGS.values() for code in nouns.values()]

    assert len(set(artwork)) == len(NOUNS)
    assert len({plural(noun) for noun in NOUNS}) == len(NOUNS)


@pytest.mark.parametrize(
    ("noun", "plurals"),
    [
        ("dog", "dogs"),
        ("key", "keys"),
        ("butterfly", "butterflies"),
        ("church", "churches"),
        ("axe", "axes"),
        ("bus", "buses"),
        ("scarf", "scarves"),
        ("snowman", "snowmen"),
        ("cactus", "cacti"),
        ("fish", "fish"),
        ("mosquito", "mosquitoes"),
        ("piano", "pianos"),
        ("happy face", "happy faces"),
        ("sea creature", "sea creatures"),
    ],
)
def test_plurals_are_those_of_english(noun, plurals):
    assert plural(noun) == plurals


def test_articles_follow_the_sound():
    assert [article(word) for word in ("apple", "dog", "ok sign", "sos sign", "umbrella")] == [
        "an", "a", "an", "an", "an",
    ]  # fmt: skip


def test_every_category_has_a_property_and_groups_are_of_several_categories():
    assert set(PROPERTY) == set(CATEGORIES) == set(CATEGORY.values())
    for property_ in GROUP:
        assert list(PROPERTY.values()).count(property_) > 1
