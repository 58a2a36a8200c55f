"""Interventions at the class token equal a plain forward pass with the same replacement."""

import pytest
import torch

from precompute import clip
from precompute.clip import HeadIntervention, Intervention
from precompute.inputs.model_specs import ModelError
from tests.support.towers import small_clip, some_pixels

EVERYWHERE = [(layer, head) for layer in range(3) for head in range(3)]


def plain_forward(model, pixels, heads=None, mlps=None):
    """Embeddings by a plain forward pass; `heads` maps (layer, head) to a function of z."""
    visual = model.model.visual
    x = visual._embeds(pixels)
    for layer, block in enumerate(visual.transformer.resblocks):
        read = block.ln_1(x)
        joint = read @ block.attn.in_proj_weight.T + block.attn.in_proj_bias
        q, k, v = joint.unflatten(-1, (3, model.heads, model.d_head)).unbind(2)
        attention = (torch.einsum("iqhd,ikhd->ihqk", q, k) / model.d_head**0.5).softmax(-1)
        z = torch.einsum("ihqk,ikhd->iqhd", attention, v)
        for (head_layer, head), function in (heads or {}).items():
            if head_layer == layer:
                z[:, 0, head] = function(z[:, 0, head])
        x = x + block.ls_1(z.flatten(2) @ block.attn.out_proj.weight.T + block.attn.out_proj.bias)
        added = block.ls_2(block.mlp(block.ln_2(x)))
        if layer in (mlps or {}):
            added[:, 0] = mlps[layer]
        x = x + added
    return visual.ln_post(x[:, 0]) @ visual.proj


def random_map(seed):
    generator = torch.Generator().manual_seed(seed)
    return HeadIntervention(torch.randn(8, generator=generator), torch.randn(8, 8, generator=generator))


def assert_same(actual, expected):
    torch.testing.assert_close(actual, expected, atol=2e-5, rtol=2e-5)


@pytest.mark.parametrize(
    "vision", [{}, {"ls_init_value": 0.1}, {"block_type": "custom"}, {"layers": 1}], ids=str
)
def test_an_empty_intervention_gives_the_embedding_of_open_clip(vision):
    model = small_clip(**vision)
    pixels = some_pixels(model)

    [embedding] = clip.encode_with_interventions(model, pixels, [Intervention()])

    assert_same(embedding, clip.encode_image(model, pixels))


def test_a_map_that_leaves_an_output_as_it_is_changes_nothing():
    model = small_clip()
    pixels = some_pixels(model)
    same = HeadIntervention(torch.zeros(8), torch.eye(8))

    [embedding] = clip.encode_with_interventions(
        model, pixels, [Intervention(dict.fromkeys(EVERYWHERE, same))]
    )

    assert_same(embedding, clip.encode_image(model, pixels))


@pytest.mark.parametrize("place", EVERYWHERE, ids=str)
def test_one_head_replaced_by_a_constant_equals_the_plain_forward_pass(place):
    model = small_clip()
    pixels = some_pixels(model)
    constant = torch.linspace(-1, 1, 8)

    [embedding] = clip.encode_with_interventions(
        model, pixels, [Intervention({place: HeadIntervention(constant)})]
    )

    assert_same(embedding, plain_forward(model, pixels, {place: lambda z: constant.expand_as(z)}))
    assert float((embedding - clip.encode_image(model, pixels)).abs().max()) > 1e-2


@pytest.mark.parametrize("vision", [{}, {"ls_init_value": 0.1}, {"block_type": "custom"}], ids=str)
def test_heads_and_mlps_of_several_layers_change_together(vision):
    model = small_clip(**vision)
    pixels = some_pixels(model)
    maps = {(0, 2): random_map(0), (1, 0): random_map(1), (1, 1): random_map(2), (2, 1): random_map(3)}
    constants = {0: torch.linspace(0, 1, 24), 2: torch.linspace(1, -1, 24)}

    [embedding] = clip.encode_with_interventions(model, pixels, [Intervention(maps, constants)])

    functions = {place: lambda z, c=change: z @ c.weight + c.bias for place, change in maps.items()}
    assert_same(embedding, plain_forward(model, pixels, functions, constants))


def test_a_head_of_the_last_layer_changes_what_arithmetic_on_captured_values_says():
    """Only its layer's MLP, ln_post and the projection follow."""
    model = small_clip()
    pixels = some_pixels(model)
    captured, weights = clip.capture(model, pixels, (2,)), clip.vision_weights(model)
    block, visual = model.model.visual.transformer.resblocks[2], model.model.visual
    mean = captured.head[:, 0, 1].mean(dim=0)

    [embedding] = clip.encode_with_interventions(
        model, pixels, [Intervention({(2, 1): HeadIntervention(mean)})]
    )

    before = captured.final - captured.mlp[:, 0] + (mean - captured.head[:, 0, 1]) @ weights.out_weight[2, 1]
    final = before + block.mlp(block.ln_2(before))
    assert_same(embedding, visual.ln_post(final) @ visual.proj)


def test_an_intervention_keeps_the_output_at_the_patches():
    """In the first of two layers, replacing a head at all tokens gives another embedding."""
    model = small_clip(layers=2)
    pixels = some_pixels(model)
    block = model.model.visual.transformer.resblocks[0]

    [embedding] = clip.encode_with_interventions(
        model, pixels, [Intervention({(0, 0): HeadIntervention(torch.zeros(8))})]
    )

    block.attn.out_proj.weight.data[:, :8] = 0
    everywhere = clip.encode_image(model, pixels)
    assert float((embedding - everywhere).abs().max()) > 1e-2


def test_interventions_do_not_depend_on_their_order_or_on_each_other():
    model = small_clip()
    pixels = some_pixels(model)
    changes = [Intervention({place: random_map(number)}) for number, place in enumerate(EVERYWHERE)] + [
        Intervention()
    ]

    together = clip.encode_with_interventions(model, pixels, changes)
    reversed_ = clip.encode_with_interventions(model, pixels, changes[::-1]).flip(0)
    alone = torch.stack([clip.encode_with_interventions(model, pixels, [change])[0] for change in changes])

    assert together.shape == (10, 5, 20)
    assert torch.equal(together, reversed_)
    assert_same(together, alone)


@pytest.mark.parametrize(
    "change", [Intervention({(3, 0): random_map(0)}), Intervention({(0, 3): random_map(0)})]
)
def test_an_intervention_on_a_missing_head_is_refused(change):
    model = small_clip()

    with pytest.raises(ModelError, match="layers 0 to 2 of heads 0 to 2"):
        clip.encode_with_interventions(model, some_pixels(model), [change])
