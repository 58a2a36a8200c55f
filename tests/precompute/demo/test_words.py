"""Words and captions: one token a word, and what a caption names."""

from collections import Counter

import pytest

from precompute.demo import BPE_PATH, CONTEXT_LENGTH
from precompute.demo.bpe import write_bpe
from precompute.demo.hashing import Stream
from precompute.demo.model import tokenizer
from precompute.demo.scenes import content_of
from precompute.demo.scoring import VALUES
from precompute.demo.words import (
    PROPERTIES,
    VOCABULARY,
    caption,
    one_property,
    prompt,
    some_properties,
    unknown_words,
)
from tests.support.captions import sample_captions


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
    assert unknown_words("A red zebra, on brick: a zebra or a Giraffe?") == ["zebra", "or", "giraffe"]
    assert unknown_words("Two blue hearts at the top left.") == []


def test_captions_use_the_vocabulary_and_fit_the_context():
    for text in sample_captions(500):
        assert unknown_words(text) == []
        assert len(text.split()) + 2 <= CONTEXT_LENGTH


def test_a_full_caption_names_everything():
    content = content_of(0, 5, kinds=1)
    kind = content.kinds[0]

    words = caption(content, Stream(1, 1)).split()

    assert {content.background, kind.color, kind.pattern, *kind.position.split()} <= set(words)


def named_in(text):
    words = set(text.replace("crosses", "cross").split())
    words |= {word.removesuffix("s") for word in words}
    return [
        property_
        for property_ in PROPERTIES
        if any(set(value.split()) <= words for value in VALUES[property_])
    ]


@pytest.mark.parametrize("property_", PROPERTIES)
def test_a_caption_of_one_property_names_that_value_and_nothing_else(property_):
    for index in range(40):
        for value in VALUES[property_]:
            assert named_in(one_property(property_, value, Stream(6, index))) == [property_]


def test_several_properties_are_two_or_three_or_all():
    sizes = Counter(len(some_properties(list(PROPERTIES), Stream(3, index))) for index in range(200))

    assert set(sizes) == {2, 3, len(PROPERTIES)}
    assert 70 < sizes[len(PROPERTIES)] < 130


def test_every_prompt_uses_the_vocabulary():
    texts = [prompt(property_, value) for property_ in PROPERTIES for value in VALUES[property_]]

    assert len(set(texts)) == sum(len(values) for values in VALUES.values())
    assert [word for text in texts for word in unknown_words(text)] == []
