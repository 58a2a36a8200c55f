"""Forward pass of an image tower, computed from its weights, and its values at the class token.

With a precision below float32, three parts stay in float32: the residual stream, the last layer (only one row
is computed), and the attention of the class token in the decomposed layers. Contributions then sum to the
embedding as closely as in float32.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, einsum

from precompute.clip.model import Clip
from precompute.clip.precision import embedding, products
from precompute.clip.supported import Block
from precompute.inputs.model_specs import ModelError
from precompute.method.types import Captured, CapturedTokens, VisionWeights

Stream = Float[Tensor, "image token d_model"]
"""Residual stream of every token, or a layer's normalized input."""


def last_layers(clip: Clip, count: int | None) -> tuple[int, ...]:
    """Returns the numbers of the last `count` layers, or of all for None. Raises ModelError."""
    count = clip.layers if count is None else count
    if not 1 <= count <= clip.layers:
        raise ModelError(
            f"cannot decompose the last {count} layers of {clip.spec.name}: it has {clip.layers}. "
            f"Give a number from 1 to {clip.layers}, or all."
        )
    return tuple(range(clip.layers - count, clip.layers))


def vision_weights(clip: Clip) -> VisionWeights:
    """Returns the weights between head outputs and the embedding, LayerScale included."""
    visual = clip.model.visual
    weight, bias = [], []
    for block in visual.transformer.resblocks:
        # LayerScale multiplies the output of the output projection entry by entry; without it, scale is 1.
        scale = block.ls_1(torch.ones(clip.d_model, device=clip.device))
        weight.append((block.attn.out_proj.weight.T * scale).unflatten(0, (clip.heads, clip.d_head)))
        bias.append(block.attn.out_proj.bias * scale)
    return VisionWeights(
        out_weight=torch.stack(weight),
        out_bias=torch.stack(bias),
        ln_weight=visual.ln_post.weight,
        ln_bias=visual.ln_post.bias,
        ln_eps=visual.ln_post.eps,
        projection=visual.proj,
    )


def capture(clip: Clip, pixels: Float[Tensor, "image 3 h w"], layers: tuple[int, ...]) -> Captured:
    """Runs the image tower once and returns its values at the class token."""
    return _forward(clip, pixels, layers, by_token=False)[0]


def capture_tokens(
    clip: Clip, pixels: Float[Tensor, "image 3 h w"], layers: tuple[int, ...]
) -> CapturedTokens:
    """Runs the image tower once and returns its class-token values, with the part from each token."""
    whole, token = _forward(clip, pixels, layers, by_token=True)
    return CapturedTokens(whole, torch.stack(token, dim=1))


@torch.inference_mode()
def capture_attention(
    clip: Clip, pixels: Float[Tensor, "image 3 h w"]
) -> Float[Tensor, "image layer head token token"]:
    """Runs the image tower once and returns every layer's attention; rows (queries) sum to 1."""
    visual = clip.model.visual
    x = visual._embeds(pixels.to(clip.device))  # [image, token, d_model]
    attention = []
    for block in visual.transformer.resblocks:
        normed = block.ln_1(x)
        query, key, _ = query_key_value(block, normed)
        attention.append((query @ key.mT * query.shape[-1] ** -0.5).softmax(dim=-1))
        x, _ = add_attention_and_mlp(block, x, attend(block, normed))
    return torch.stack(attention, dim=1)


@torch.inference_mode()
def _forward(
    clip: Clip, pixels: Float[Tensor, "image 3 h w"], layers: tuple[int, ...], *, by_token: bool
) -> tuple[Captured, list[Tensor]]:
    """One pass over all blocks; of the last block only the class-token row is computed."""
    _check_layers(clip, layers)
    visual = clip.model.visual
    *blocks, last = visual.transformer.resblocks
    with embedding(clip.precision):
        x = visual._embeds(pixels.to(clip.device))  # [image, token, d_model]
    # Copy here and below: a view would keep all tokens of every layer in memory.
    earlier = [x[:, 0].clone()]
    for block in blocks[: layers[0]]:
        with products(clip.precision, clip.device):
            attention_output = _project(block, attend(block, block.ln_1(x)))
            x = x + attention_output
            mlp_output = _mlp(block, x)
        x = x + mlp_output
        earlier += [attention_output[:, 0].to(x, copy=True), mlp_output[:, 0].to(x, copy=True)]

    early, head, mlp, token = x[:, 0].clone(), [], [], []
    for block in blocks[layers[0] :]:
        normed = block.ln_1(x)
        x, z = _write_attention(clip, block, x, normed)
        with products(clip.precision, clip.device):
            mlp_output = _mlp(block, x)
        x = x + mlp_output
        head.append(z)
        mlp.append(mlp_output[:, 0].to(x, copy=True))
        token += [_token_parts(block, normed)] if by_token else []

    normed = last.ln_1(x)
    head.append(attend_from_class(last, normed))
    final, mlp_output = add_attention_and_mlp(last, x[:, 0], head[-1])
    mlp.append(mlp_output)
    token += [_token_parts(last, normed)] if by_token else []
    heads, mlps, components = (torch.stack(parts, dim=1) for parts in (head, mlp, earlier))
    return Captured(heads, mlps, early, components, final), token


def _write_attention(
    clip: Clip, block: Block, x: Stream, normed: Stream
) -> tuple[Stream, Float[Tensor, "image head d_head"]]:
    """Residual stream after a layer's attention, and the attention output at the class token."""
    with products(clip.precision, clip.device):
        z = attend(block, normed)
        after = x + _project(block, z)
    if clip.precision == "float32":
        return after, z[:, 0].clone()
    # One row again in float32: otherwise the stored head output would differ from the one in the stream.
    class_z = attend_from_class(block, normed)
    after[:, 0] = x[:, 0] + _project(block, class_z)
    return after, class_z


def _check_layers(clip: Clip, layers: tuple[int, ...]) -> None:
    if not layers or layers != tuple(range(layers[0], clip.layers)) or layers[0] < 0:
        raise ModelError(
            f"layers {layers} are not the last ones of {clip.spec.name}, whose layers are 0 to "
            f"{clip.layers - 1}. Take them from last_layers."
        )


def add_attention_and_mlp(block: Block, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """Residual stream after attention and MLP, and the output of the MLP."""
    x = x + _project(block, z)
    mlp_output = _mlp(block, x)
    return x + mlp_output, mlp_output


def _mlp(block: Block, x: Float[Tensor, "*token d_model"]) -> Float[Tensor, "*token d_model"]:
    """Output of the MLP, as added to the residual stream."""
    return block.ls_2(block.mlp(block.ln_2(x)))


def _project(block: Block, z: Float[Tensor, "*token head d_head"]) -> Float[Tensor, "*token d_model"]:
    """Output of attention, as added to the residual stream."""
    return block.ls_1(block.attn.out_proj(z.flatten(-2)))


def attend(block: Block, normed: Stream) -> Float[Tensor, "image token head d_head"]:
    """Attention output of every token and head, before the output projection."""
    return F.scaled_dot_product_attention(*query_key_value(block, normed)).transpose(1, 2)


def query_key_value(block: Block, normed: Stream) -> Float[Tensor, "3 image head token d_head"]:
    attention = block.attn
    joint = F.linear(normed, attention.in_proj_weight, attention.in_proj_bias)
    return joint.unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)


def attend_from_class(block: Block, normed: Stream) -> Float[Tensor, "image head d_head"]:
    """Class-token row of `attend`.

    Keys and values are linear in the input, so their weights are applied to the one query and the one output
    instead. No key and no value is computed, which saves nearly the whole layer.
    """
    _, _, weight, _, _, bias = _input_weights(block)
    mixed = _class_attention(block, normed) @ normed  # [image, head, d_model]
    return einsum("ihm,hdm->ihd", mixed, weight) + bias


def _class_attention(block: Block, normed: Stream) -> Float[Tensor, "image head token"]:
    """Attention of the class token to every token; the bias of the keys cancels in the softmax."""
    query_weight, key_weight, _, query_bias, _, _ = _input_weights(block)
    query = einsum("im,hdm->ihd", normed[:, 0], query_weight) + query_bias
    probe = einsum("ihd,hdm->ihm", query * query.shape[-1] ** -0.5, key_weight)
    return (probe @ normed.mT).softmax(dim=-1)


def _token_parts(block: Block, normed: Stream) -> Float[Tensor, "image head token d_head"]:
    """Attention of the class token to each token times that token's value."""
    _, _, weight, _, _, bias = _input_weights(block)
    value = einsum("itm,hdm->ihtd", normed, weight) + bias[:, None]
    return _class_attention(block, normed)[..., None] * value


def _input_weights(block: Block) -> tuple[Tensor, ...]:
    """Weights [head, d_head, d_model] of query, key and value, then their biases [head, d_head]."""
    attention = block.attn
    shape = (3, attention.num_heads, -1)
    return (*attention.in_proj_weight.unflatten(0, shape), *attention.in_proj_bias.unflatten(0, shape))
