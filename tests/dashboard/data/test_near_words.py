"""Words near a word that is not known."""

import pytest

from dashboard.data.near_words import near_words


@pytest.mark.parametrize(("word", "near"), [("circel", ["circle"]), ("CIRCLES", ["circle"]), ("three", [])])
def test_only_words_that_are_spelled_alike_are_near(word, near):
    assert near_words(word, ["circle", "green", "tiles"]) == near
