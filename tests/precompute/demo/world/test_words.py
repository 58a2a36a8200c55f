"""Words and captions: one token a word, and what a caption names."""

import re
from collections import Counter

import pytest

from precompute.demo import BPE_PATH, CONTEXT_LENGTH
from precompute.demo.bpe import write_bpe
from precompute.demo.hashing import Stream
from precompute.demo.models.build import tokenizer
from precompute.demo.world.artwork import NATURAL
from precompute.demo.world.scenes import content_of
from precompute.demo.world.things import GROUP, PROPERTY, plural
from precompute.demo.world.words import (
    PROPERTIES,
    VALUES,
    VOCABULARY,
    caption,
    kind_caption,
    one_property,
    prompt,
    some_properties,
    unknown_words,
)
from tests.support.captions import sample_captions

FORMS = {
    property_: {form: value for value in values for form in (value, plural(value))}
    for property_, values in VALUES.items()
    if property_ in ("noun", "category", "group")
}
FORMS |= {
    property_: {value: value for value in VALUES[property_]}
    for property_ in ("color", "background", "counting", "position")
}


def named_in(text):
    """Returns the values of each property in a text; the longest words first, each word counted once."""
    forms = [(form, property_, value) for property_, of in FORMS.items() for form, value in of.items()]
    named = []
    for form, property_, value in sorted(forms, key=lambda row: -len(row[0])):
        text, count = re.subn(rf"\b{form}\b", "_", text)
        named += [(property_, value)] * count
    return sorted(set(named))


def test_every_word_is_one_token_and_decodes_to_itself():
    encode = tokenizer()

    for word in VOCABULARY:
        tokens = encode.encode(word)
        assert len(tokens) == 1
        assert encode.decode(tokens).strip() == word


def test_the_tokenizer_file_is_reproducible_from_the_vocabulary(tmp_path):
    write_bpe(tmp_path / "again.gz", VOCABULARY)

    assert (tmp_path / "again.gz").read_bytes() == BPE_PATH.read_bytes()


def test_unknown_words_are_named_once_and_in_order():
    assert unknown_words("A red gnu, on brick: a gnu or a Walrus?") == ["gnu", "or", "walrus"]
    assert unknown_words("Two blue hearts at the top left.") == []


def test_captions_use_the_vocabulary_and_fit_the_context():
    for text in sample_captions(300):
        assert unknown_words(text) == []
        assert len(text.split()) + 2 <= CONTEXT_LENGTH


def test_a_full_caption_names_everything_but_the_category():
    for index in range(60):
        content = content_of(index, 5, kinds=1)
        kind = content.kinds[0]
        expected = [("background", content.background), ("noun", kind.noun), ("position", kind.position)]
        if kind.color != NATURAL:
            expected.append(("color", kind.color))

        text = caption(content, Stream(1, index))

        counted = ("counting", VALUES["counting"][kind.count - 1])
        article = kind.count == 1 and counted not in named_in(text)
        assert named_in(text) == sorted(expected if article else [*expected, counted]), text


def test_a_caption_without_the_noun_names_the_category_or_its_group():
    for index in range(60):
        content = content_of(index, 5, kinds=1)
        category = content.kinds[0].category

        named = named_in(caption(content, Stream(1, index), {"category", "background"}))

        assert ("background", content.background) in named and len(named) == 2
        assert {("category", category), ("group", GROUP.get(PROPERTY[category]))} & set(named)


def test_a_natural_thing_has_no_color_in_any_caption():
    for index in range(300):
        content = content_of(index, 5, kinds=1)
        if content.kinds[0].color == NATURAL:
            text = caption(content, Stream(1, index))
            assert "color" not in [property_ for property_, _ in named_in(text)]
            assert "  " not in kind_caption(content.kinds[0])


@pytest.mark.parametrize("property_", VALUES)
def test_a_caption_of_one_property_names_that_value_and_nothing_else(property_):
    for index in range(12):
        for value in VALUES[property_]:
            assert named_in(one_property(property_, value, Stream(6, index))) == [(property_, value)]


def test_several_properties_are_two_or_three_or_all():
    sizes = Counter(len(some_properties(PROPERTIES, Stream(3, index))) for index in range(200))

    assert set(sizes) == {2, 3, len(PROPERTIES)}
    assert 70 < sizes[len(PROPERTIES)] < 130


def test_every_prompt_uses_the_vocabulary():
    texts = [prompt(property_, value) for property_ in PROPERTIES for value in VALUES[property_]]

    assert len(set(texts)) == sum(len(VALUES[property_]) for property_ in PROPERTIES)
    assert [word for text in texts for word in unknown_words(text)] == []
