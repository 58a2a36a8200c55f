"""Spelling of labels: plurals, spaces and punctuation."""

import pytest

from precompute.tools.label.spelling import as_in_pool, normalize, singular


@pytest.mark.parametrize(
    ("label", "same"),
    [("colors", "color"), ("cities", "city"), ("glass", "glass"), ("focus", "focus"), ("bus", "bus")]
    + [("tennis", "tennis"), ("art styles", "art style"), ("gas", "gas")],
)
def test_plurals_are_recognized_by_their_ending(label, same):
    assert singular(label) == same


def test_words_are_separated_by_one_space_and_have_no_punctuation():
    assert normalize("  “Black–and–White”,  photos! ") == "black and white photos"
    assert as_in_pool("texture", ("color", "Textures")) == "Textures"
    assert as_in_pool("mood", ("color",)) == "mood"
