"""The demo CLIPs: built by open_clip, short texts encoded as whole ones, weights written and read."""

import pytest
import torch

from precompute.demo import MODELS
from precompute.demo.models.build import (
    embed_texts,
    encode_short,
    export,
    fresh_model,
    shipped_model,
    tokenizer,
)

ARCHITECTURES = {model.architecture: model for model in MODELS.values()}
TEXTS = ["dogs", "a picture with two red cats on brick", "things at the top left"]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_texts_without_padding_have_the_same_embedding(name):
    model = fresh_model(ARCHITECTURES[name]).eval()

    with torch.no_grad():
        short = encode_short(model, tokenizer()(TEXTS)[:, :11])

    torch.testing.assert_close(short, embed_texts(model, TEXTS), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_weights_are_small_enough_to_be_shipped_and_read_back_alike(name, tmp_path):
    model = fresh_model(ARCHITECTURES[name])

    export(model, tmp_path / "weights.safetensors")
    loaded = shipped_model(ARCHITECTURES[name], tmp_path / "weights.safetensors")

    assert (tmp_path / "weights.safetensors").stat().st_size <= 4.6e6
    for before, after in zip(model.state_dict().values(), loaded.state_dict().values(), strict=True):
        assert torch.equal(before.half().float(), after)
