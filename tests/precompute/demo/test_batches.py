"""Training batches: captions, their matches, and the order of scenes."""

import numpy as np
import torch

from precompute.demo.batches import Batches
from precompute.demo.cache import cached_scenes
from precompute.demo.model import tokenizer
from precompute.demo.scenes import content_of
from precompute.demo.scoring import VALUES
from precompute.demo.words import PROPERTIES
from tests.support.captions import sample_captions


def batches_of(pixels, **changes):
    options = {"scene_seed": 5, "seed": 5, "size": 4, "steps": 10}
    return Batches(pixels, **(options | changes))


def test_training_tokens_equal_the_tokenizers(tmp_path):
    batches = batches_of(cached_scenes(tmp_path, count=8, seed=5, side=32))
    texts = list(sample_captions(20))

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
