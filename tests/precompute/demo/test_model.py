"""The demo CLIP: its weights, exported and shipped."""

from collections import Counter

import torch

from precompute.demo import MODELS
from precompute.demo.model import fresh_model, shipped_model
from precompute.demo.models.build import export


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


def test_training_data_tells_models_apart_by_what_they_saw_and_by_nothing_else():
    seen = {(model.pairs, model.color_every) for model in MODELS.values()}

    words = {model.training_data for model in MODELS.values()}
    assert len(words) == len(seen) == 2
    assert not any(word in text for text in words for word in ("patch", "seed", "small"))
    assert max(map(len, words)) <= 70  # an axis shows all of it
