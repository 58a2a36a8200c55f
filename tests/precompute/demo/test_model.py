"""The demo CLIP: its vocabulary, text pool, training batches, shipped weights and scores."""

import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from precompute.demo import BPE_PATH, CONTEXT_LENGTH, IMAGE_SIZE, MODEL_NAME, MODELS, DemoModel, training
from precompute.demo.batches import Batch, Batches, PropertyCaptions
from precompute.demo.cache import cached_scenes, small
from precompute.demo.card import write_card
from precompute.demo.hashing import Stream
from precompute.demo.model import export, fresh_model, shipped_model, tokenizer
from precompute.demo.pool import FRAMES, POOL_PATH, write_pool
from precompute.demo.scenes import content_of
from precompute.demo.scoring import VALUES, Score, halfway, score, table
from precompute.demo.training import Recipe, train_one
from precompute.demo.words import (
    PROPERTIES,
    VOCABULARY,
    caption,
    one_property,
    prompt,
    some_properties,
    unknown_words,
    write_bpe,
)

FRESH_SEED = 4
SHIPPED = pytest.mark.parametrize("name", list(MODELS))


@pytest.fixture(scope="module")
def pool_lines():
    lines = POOL_PATH.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


class Elsewhere(DemoModel):
    """A demo model with its weights in another folder."""

    folder: ClassVar[Path]

    @property
    def checkpoint(self):
        return self.folder / "weights.safetensors"


def captions(count):
    for index in range(count):
        stream = Stream(5, index)
        yield caption(content_of(index, 5), stream)
        yield caption(content_of(index, 5), stream, some_properties(list(PROPERTIES), stream))
        for property_ in PROPERTIES:
            yield one_property(property_, stream.choice(VALUES[property_]), stream)


def test_every_word_is_one_token_and_decodes_to_itself():
    encode = tokenizer()

    for word in VOCABULARY:
        tokens = encode.encode(word)
        assert len(tokens) == 1
        assert encode.decode(tokens).strip() == word


def test_the_tokenizer_file_is_reproducible_from_the_vocabulary(tmp_path):
    write_bpe(tmp_path / "again.gz")

    assert (tmp_path / "again.gz").read_bytes() == BPE_PATH.read_bytes()


def test_unknown_words_are_named_once_and_in_order():
    assert unknown_words("A red zebra, on brick: a zebra or a Giraffe?") == ["zebra", "or", "giraffe"]
    assert unknown_words("Two blue hearts at the top left.") == []


def test_captions_use_the_vocabulary_and_fit_the_context():
    for text in captions(500):
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


def batches_of(pixels, **changes):
    options = {"scene_seed": 5, "seed": 5, "size": 4, "steps": 10}
    return Batches(pixels, **(options | changes))


def test_training_tokens_equal_the_tokenizers(tmp_path):
    batches = batches_of(cached_scenes(tmp_path, count=8, seed=5, side=32))
    texts = list(captions(20))

    assert torch.equal(batches.tokens(texts), tokenizer()(texts))


def test_every_scene_matches_all_captions_that_are_true_of_it():
    batches = batches_of(np.zeros((400, 1, 1, 3), dtype=np.uint8), size=48)

    batch = batches[3]

    assert [captions.property for captions in batch.property_captions] == list(PROPERTIES)

    for captions in batch.property_captions:
        for row, scene in zip(captions.matches, batches.scene_indices(3), strict=True):
            content = content_of(scene, 5)
            values = {VALUES[captions.property][index] for index in row.nonzero()[:, 0].tolist()}
            if captions.property == "background":
                assert values == {content.background}
            elif captions.property == "count":
                assert values == {VALUES["count"][kind.count - 1] for kind in content.kinds}
            else:
                assert values == {getattr(kind, captions.property) for kind in content.kinds}
    assert len(batch.text) == sum(len(values) for values in VALUES.values()) + 48


def test_large_objects_come_first_and_end_halfway():
    batches = batches_of(np.zeros((400, 1, 1, 3), dtype=np.uint8), size=40, large_first=0.5)
    large = set(batches.large)

    first, half = ([scene in large for scene in batches.scene_indices(step)] for step in (0, 5))

    assert all(first[:20]) and not all(first[20:])
    assert sum(half) < 20


def test_colors_are_named_in_every_nth_batch():
    batches = batches_of(np.zeros((40, 1, 1, 3), dtype=np.uint8), color_every=5)
    ids = torch.tensor([batches.token[color] for color in VALUES["color"]])

    colored = [bool(torch.isin(batches[step].text, ids).any()) for step in range(10)]

    assert colored == [True, *[False] * 4] * 2


def test_a_batch_is_the_same_every_time(tmp_path):
    batches = batches_of(cached_scenes(tmp_path, count=8, seed=5, side=16))

    first, again = batches[3], batches[3]

    assert torch.equal(first.pixels, again.pixels) and torch.equal(first.text, again.text)


def test_the_loss_shares_the_target_evenly_over_the_true_captions():
    matches = torch.tensor([[True, True, False], [False, False, True]])
    batch = Batch(torch.zeros(2, 1, 1, 3, dtype=torch.uint8), torch.zeros(5, 4, dtype=torch.long), ())
    by_property = torch.where(matches, 20.0, 0.0)
    by_scene = torch.tensor([[9.0, 0.0], [0.0, 9.0]])

    batch = batch._replace(property_captions=(PropertyCaptions("count", 0, matches),))
    value = training.loss(torch.cat([by_property, by_scene], dim=1), batch)

    # One scene has two true captions: log 2 from scene to caption, 0 from caption to scene.
    expected = 0.5 * (np.log(2) / 2) + training.FULL * np.log1p(np.exp(-9))
    assert value.item() == pytest.approx(expected, rel=1e-4)


def test_the_text_pool_is_reproducible(tmp_path):
    write_pool(tmp_path / "again.tsv")

    assert (tmp_path / "again.tsv").read_bytes() == POOL_PATH.read_bytes()


def test_the_text_pool_uses_the_vocabulary_and_repeats_no_text(pool_lines):
    texts = [text for text, _ in pool_lines]

    assert len(texts) == len(set(texts)) >= 750
    for text in texts:
        assert text == unicodedata.normalize("NFC", text).strip()
        assert unknown_words(text) == []
        assert len(text.split()) + 2 <= CONTEXT_LENGTH


def test_every_property_has_the_same_number_of_texts_in_every_frame(pool_lines):
    by_property = defaultdict(Counter)
    openings = sorted((frame.format("") for frame in FRAMES), key=len, reverse=True)
    for text, tag in pool_lines:
        by_property[tag][next(opening for opening in openings if text.startswith(opening))] += 1

    assert set(by_property) == set(PROPERTIES)
    counts = {tuple(sorted(counter.items())) for counter in by_property.values()}
    assert len(counts) == 1
    assert len(openings) >= 5 and sum(dict(counts.pop()).values()) == 135


def test_every_prompt_uses_the_vocabulary():
    texts = [prompt(property_, value) for property_ in PROPERTIES for value in VALUES[property_]]

    assert len(set(texts)) == sum(len(values) for values in VALUES.values())
    assert [word for text in texts for word in unknown_words(text)] == []


def test_exported_weights_can_be_loaded(tmp_path):
    before = fresh_model()

    export(before, tmp_path / "weights.safetensors")
    after = shipped_model(path=tmp_path / "weights.safetensors")

    for name, value in before.state_dict().items():
        torch.testing.assert_close(after.state_dict()[name], value.half().float(), rtol=0, atol=0)
    assert [path.name for path in tmp_path.iterdir()] == ["weights.safetensors"]


def test_the_shipped_weights_are_small_and_differ_in_size_patch_and_training():
    assert sum(model.checkpoint.stat().st_size for model in MODELS.values()) <= 20_000_000
    assert len({model.architecture for model in MODELS.values()}) >= 3
    assert len({model.color_every for model in MODELS.values()}) == 2
    assert max(Counter(model.architecture for model in MODELS.values()).values()) == 3


@SHIPPED
def test_the_shipped_weights_have_the_scores_of_their_card(name, tmp_path):
    model = MODELS[name]
    pixels = cached_scenes(tmp_path.parent, count=200, seed=FRESH_SEED, side=IMAGE_SIZE, kinds=1)

    scores = score(shipped_model(model), pixels, seed=FRESH_SEED)

    card = model.card.read_text(encoding="utf-8")
    for result in scores:
        printed = float(re.search(rf"\| {result.property} \| .* \| ([\d.]+) \|", card)[1])
        # Four standard errors of 200 scenes, and a margin for the error of the card.
        assert abs(result.accuracy - printed) <= 0.02 + 4 * (printed * (1 - printed) / 200) ** 0.5, result


@SHIPPED
def test_the_card_is_reproducible_from_the_weights(name, tmp_path):
    model = MODELS[name]
    printed = model.card.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", printed, re.M)
    scores = [
        Score(property_, int(values), float(chance), float(right))
        for property_, values, chance, right in rows
    ]

    write_card(model, scores, scenes=2000, path=tmp_path / "again.md")

    assert [score.property for score in scores] == list(PROPERTIES)
    assert (tmp_path / "again.md").read_text(encoding="utf-8") == printed


def test_the_card_names_properties_that_were_not_learned(tmp_path):
    scores = [Score("color", 10, 0.1, 0.99), Score("shape", 8, 0.125, 0.3)]

    write_card(MODELS[MODEL_NAME], scores, scenes=10, path=tmp_path / "card.md")

    assert "less than half: shape." in (tmp_path / "card.md").read_text()
    assert [score.accuracy >= halfway(score) for score in scores] == [True, False]


@pytest.mark.slow
def test_training_resumes_from_its_checkpoint(tmp_path, capsys):
    recipe = Recipe(scenes=40, batch=4, held_out=4)
    short, longer = (Elsewhere(*MODELS[MODEL_NAME]._replace(pairs=pairs)) for pairs in (8, 16))
    Elsewhere.folder = tmp_path

    for demo in (short, longer):
        train_one(demo, recipe=recipe, work=tmp_path, compiled=False)

    assert "carrying on at step 2 of 4" in capsys.readouterr().out
    assert torch.load(tmp_path / f"{longer.checkpoint.stem}.pt", weights_only=True)["step"] == 4
    assert shipped_model(longer).logit_scale.isfinite()


def test_an_untrained_model_scores_about_chance(tmp_path):
    pixels = cached_scenes(tmp_path, count=60, seed=FRESH_SEED, side=IMAGE_SIZE, kinds=1)

    scores = score(fresh_model(), pixels, seed=FRESH_SEED)

    assert all(s.accuracy < s.chance + 0.25 for s in scores)
    assert table(scores).count("\n") == 1 + len(PROPERTIES)


def test_a_small_scene_is_the_scene_resized():
    assert small(0, FRESH_SEED, IMAGE_SIZE).shape == (IMAGE_SIZE, IMAGE_SIZE, 3)
