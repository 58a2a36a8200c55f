"""The tower: layers that can be captured, attention as open_clip computes it, the model after a capture."""

import pytest
import torch

from precompute import clip
from precompute.inputs import model_specs
from tests.support.contributions import decompose_by_token
from tests.support.towers import small_clip, some_pixels


@pytest.mark.parametrize("layers", [(), (0,), (0, 1), (0, 2), (-1,), (1, 2, 3)], ids=str)
def test_layers_that_are_not_the_last_ones_are_refused(layers):
    model = small_clip()

    with pytest.raises(model_specs.ModelError, match="layers are 0 to 2"):
        clip.capture(model, some_pixels(model), layers)


@pytest.mark.parametrize("count", [0, 4])
def test_more_layers_than_there_are_is_refused(count):
    with pytest.raises(model_specs.ModelError, match="from 1 to 3"):
        clip.last_layers(small_clip(), count)


def test_nothing_is_left_on_the_model():
    model = small_clip()
    before = model.weights_sha256

    decompose_by_token(model, some_pixels(model))

    hooks = [(m._forward_hooks, m._forward_pre_hooks) for m in model.model.modules()]
    assert all(not forward and not pre for forward, pre in hooks)
    assert clip.from_model(model.spec, model.model).weights_sha256 == before


def open_clip_attention(model: clip.Clip, pixels: torch.Tensor) -> torch.Tensor:
    """Attention weights returned by each block's MultiheadAttention in open_clip's forward pass."""
    visual, attention = model.model.visual, []
    x = visual._embeds(pixels)
    for block in visual.transformer.resblocks:
        normed = block.ln_1(x)
        weights = block.attn(normed, normed, normed, need_weights=True, average_attn_weights=False)[1]
        attention.append(weights)
        x = block(x)
    return torch.stack(attention, dim=1)


@pytest.mark.parametrize("vision", [{}, {"ls_init_value": 0.1}, {"no_ln_pre": True}])
def test_attention_is_that_of_open_clips_own_layers(vision):
    model = small_clip(**vision)
    pixels = some_pixels(model, images=3)

    found = clip.capture_attention(model, pixels)

    assert found.shape == (3, model.layers, model.heads, 5, 5)
    torch.testing.assert_close(found, open_clip_attention(model, pixels), rtol=1e-4, atol=1e-6)


def test_attention_of_a_custom_block_spreads_over_all_tokens():
    model = small_clip(block_type="custom")

    found = clip.capture_attention(model, some_pixels(model))

    torch.testing.assert_close(found.sum(dim=-1), torch.ones(found.shape[:-1]))
    assert float(found.std()) > 0.01
