"""Training batches: captions, their matches, and the order of scenes."""

import numpy as np
import torch

from precompute.demo.models.batches import Batches, value_indices
from precompute.demo.models.build import tokenizer
from precompute.demo.world.artwork import NATURAL
from precompute.demo.world.scenes import Content, Kind, content_of
from precompute.demo.world.words import VALUES
from tests.support.captions import sample_captions


def batches_of(count, **changes):
    options = {"scene_seed": 5, "seed": 5, "size": 4, "steps": 10}
    return Batches(np.zeros((count, 1, 1, 3), dtype=np.uint8), **(options | changes))


def test_training_tokens_are_the_tokenizers_without_padding_at_the_end():
    texts = list(sample_captions(20))

    tokens = batches_of(8).tokens(texts)

    whole = tokenizer()(texts)
    assert torch.equal(tokens, whole[:, : tokens.shape[1]])
    assert not whole[:, tokens.shape[1] :].any()


def test_values_of_a_scene_are_those_of_its_kinds():
    content = Content("wood", (Kind("owl", "red", 2, "left"), Kind("pizza", NATURAL, 5, "right")))

    values = {name: [VALUES[name][i] for i in value_indices(content, name)] for name in VALUES}

    assert values == {
        "noun": ["owl", "pizza"],
        "category": ["bird", "meal"],
        "group": ["animal", "food item"],
        "color": ["red"],
        "background": ["wood"],
        "counting": ["two", "five"],
        "position": ["left", "right"],
    }


def test_every_scene_matches_all_captions_that_are_true_of_it():
    batches = batches_of(200, size=48)

    batch = batches[3]

    assert [captions.property for captions in batch.property_captions] == list(VALUES)
    for captions in batch.property_captions:
        for row, scene in zip(captions.matches, batches.scene_indices(3), strict=True):
            assert set(row.nonzero()[:, 0].tolist()) == set(
                value_indices(content_of(scene, 5), captions.property)
            )
    assert len(batch.short) == sum(len(values) for values in VALUES.values())
    assert len(batch.long) == 48


def test_only_the_other_colors_of_a_scene_with_a_natural_thing_are_unknown():
    batches = batches_of(200, size=48)

    batch = batches[0]

    for captions in batch.property_captions:
        for unknown, matches, scene in zip(
            captions.unknown, captions.matches, batches.scene_indices(0), strict=True
        ):
            natural = any(kind.color == NATURAL for kind in content_of(scene, 5).kinds)
            expected = ~matches if natural and captions.property == "color" else torch.zeros_like(matches)
            assert torch.equal(unknown, expected)


def test_large_things_come_first_and_end_halfway():
    batches = batches_of(400, size=40, large_first=0.5)
    large = set(batches.large)

    first, half = ([scene in large for scene in batches.scene_indices(step)] for step in (0, 5))

    assert all(first[:20]) and not all(first[20:])
    assert sum(half) < 20


def test_colors_are_named_in_every_nth_batch_or_never():
    ids = torch.tensor([batches_of(4).token[color] for color in VALUES["color"]])

    def colored(color_every):
        batches = batches_of(40, color_every=color_every)
        parts = [(batches[step].short, batches[step].long) for step in range(10)]
        return [any(bool(torch.isin(text, ids).any()) for text in part) for part in parts]

    assert colored(5) == [True, *[False] * 4] * 2
    assert not any(colored(0))


def test_a_batch_is_the_same_every_time():
    first, again = batches_of(8)[3], batches_of(8)[3]

    assert torch.equal(first.short, again.short) and torch.equal(first.long, again.long)
