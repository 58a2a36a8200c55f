"""Texts are encoded in full, or refused."""

import pytest
import torch
from torch.nn.functional import normalize

from precompute import clip, demo
from precompute.clip import TextError
from precompute.inputs import model_specs
from precompute.inputs.model_specs import ModelError
from tests.support.towers import FACTS, resolved, saved, small_config, small_model

TEXTS = [
    "a red circle",
    "two blue stars on grass",
    "a picture with three purple squares at the top left",
    "red",
]


@pytest.mark.parametrize("batch", [1, 3, 256])
def test_texts_are_encoded_as_open_clip_encodes_them(demo_control, batch):
    token_ids = clip.text._tokenizer(demo_control)(TEXTS)
    expected = normalize(demo_control.model.encode_text(token_ids), dim=-1)

    actual = clip.encode_text(demo_control, TEXTS, batch=batch)

    torch.testing.assert_close(actual, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(actual.norm(dim=-1), torch.ones(4))


def test_no_texts_have_no_embeddings(demo_control):
    assert clip.encode_text(demo_control, []).shape == (0, demo_control.d_out)


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_text_is_refused(demo_control, text):
    with pytest.raises(TextError, match="empty"):
        clip.check_text(demo_control, text)


def test_a_text_that_does_not_fit_is_refused_with_its_length(demo_control):
    length = demo.CONTEXT_LENGTH
    message = f"{length + 1} tokens.* {length}[.]"

    clip.check_text(demo_control, "red " * (length - 2))
    with pytest.raises(TextError, match=message):
        clip.check_text(demo_control, "red " * (length - 1))


def test_words_the_model_never_saw_are_named_beside_near_ones_and_those_it_knows(demo_control):
    vocabulary = sorted(demo_control.spec.vocabulary)

    with pytest.raises(TextError, match="'yelow', ','.*'yelow' is near 'yellow'.*It knows") as refusal:
        clip.check_text(demo_control, "a yelow, yelow")

    assert ", ".join(vocabulary[:60]) in str(refusal.value)
    assert f"and {len(vocabulary) - 60} more words." in str(refusal.value)


@pytest.mark.parametrize("text", ["x" * 10_000, " ".join(f"w{n}x" for n in range(2500)), "red " * 2500])
def test_a_refusal_does_not_repeat_thousands_of_letters(demo_control, text):
    with pytest.raises(TextError) as refusal:
        clip.check_text(demo_control, text)

    assert len(str(refusal.value)) < 1500


def test_one_bad_text_is_refused_before_any_is_encoded(demo_control):
    with pytest.raises(TextError, match="empty"):
        clip.encode_text(demo_control, ["a red circle", ""])


@pytest.fixture(scope="module")
def open_vocabulary():
    """A small model with open_clip's own tokenizer."""
    config = small_config()
    config["text_cfg"] |= {"context_length": 77, "vocab_size": 49408}
    spec = model_specs.ModelSpec("ViT-B-32", "made-up", **FACTS)
    return clip.from_model(spec, clip.model.CLIP(**config))


def test_any_word_is_read_by_a_model_with_an_open_vocabulary(open_vocabulary):
    assert clip.encode_text(open_vocabulary, ["An elephant, at dusk!"]).shape == (1, 20)


@pytest.mark.parametrize("text", ["a cat <end_of_text> a dog", "<start_of_text>"])
def test_marks_that_would_end_a_text_early_are_refused(open_vocabulary, text):
    with pytest.raises(TextError, match="start or end"):
        clip.check_text(open_vocabulary, text)


def test_a_text_that_is_cleaned_away_is_refused(open_vocabulary):
    with pytest.raises(TextError, match="&nbsp;"):
        clip.check_text(open_vocabulary, "&nbsp;")


def test_a_long_text_is_refused_where_open_clip_would_cut_it(open_vocabulary):
    with pytest.raises(TextError, match="102 tokens"):
        clip.check_text(open_vocabulary, "cat " * 100)


def test_a_tokenizer_of_another_model_is_refused(config, tmp_path):
    model = clip.load(resolved(config, saved(tmp_path / "w.pt", small_model().state_dict())))

    with pytest.raises(ModelError, match="60 .*49408.*--bpe"):
        clip.check_text(model, "a cat")


def test_imagenets_prompts_are_a_thousand_classes_by_eighty():
    prompts = clip.imagenet_prompts()

    assert len(prompts) == 1000 and {len(of_class) for of_class in prompts} == {80}
    assert prompts[1][0] == "a bad photo of a goldfish."
