"""Attention computed from the weights equals open_clip's attention."""

import pytest
import torch

from precompute import clip
from tests.support.towers import small_clip, some_pixels


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
