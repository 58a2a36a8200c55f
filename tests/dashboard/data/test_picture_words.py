"""Alt texts say what is seen, from whatever attributes a bundle has."""

import pytest

from dashboard.data.picture_words import plural, seen


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        (
            "animal: cat, background: pebbles, category: mammal, color: orange, counting: 3, kinds: 1",
            "three orange cats on pebbles",
        ),
        ("color: red, shape: square", "red square"),
        ("class: tabby cat", "tabby cat"),
        ("count: 1, position: top left, shape: circle", "one circle, top left"),
        ("color: red, count: 12", "12 red objects"),
        (
            "animal: cat, background: wood, color: green, color: red, counting: 1, counting: 3, food: pizza",
            "cat and pizza, green and red, on wood",
        ),
        ("breed: collie, scene: snow", "collie in snow"),
        (
            "beak: hooked, crown: red, tail: long, wing: white",
            "beak hooked, crown red, tail long, wing white",
        ),
        ("title: a cat, asleep", "a cat, asleep"),
        ("score: 0.5", "score 0.5"),
        ("uploaded image", ""),
        ("", ""),
    ],
)
def test_attributes_become_a_sentence(attributes, words):
    assert seen(attributes) == words


def test_a_plural_follows_the_last_word():
    nouns = ["butterfly", "sad face", "box", "tray", "mouse", "fish", "torch"]

    assert [plural(noun) for noun in nouns] == [
        "butterflies",
        "sad faces",
        "boxes",
        "trays",
        "mice",
        "fish",
        "torches",
    ]
