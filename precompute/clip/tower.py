"""The forward pass of an image tower, run from its own weights, and what it leaves at the class token.

In a precision below float32 the residual stream stays in float32, and so do the last layer, of which one row
is all there is to compute, and in the decomposed layers what the class token's attention reads and writes:
so contributions sum to the embedding as closely as in float32.
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


def last_layers(clip: Clip, count: int | None) -> tuple[int, ...]:
    """Numbers of the last `count` layers; None for all."""
    count = clip.layers if count is None else count
    if not 1 <= count <= clip.layers:
        raise ModelError(
            f"cannot take the last {count} layers of {clip.spec.name} apart: it has {clip.layers}. "
            f"Give a number from 1 to {clip.layers}, or all."
        )
    return tuple(range(clip.layers - count, clip.layers))


def vision_weights(clip: Clip) -> VisionWeights:
    """The weights that act on what the layers write, with LayerScale folded in."""
    visual = clip.model.visual
    weight, bias = [], []
    for block in visual.transformer.resblocks:
        # LayerScale multiplies what the output projection gives, entry by entry; without it, this is one.
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
    """Run the image tower once and return what it leaves at the class token."""
    return _forward(clip, pixels, layers, by_token=False)[0]


def capture_tokens(
    clip: Clip, pixels: Float[Tensor, "image 3 h w"], layers: tuple[int, ...]
) -> CapturedTokens:
    """Run the image tower once and return, beside that, what every token gave to the class token."""
    whole, token = _forward(clip, pixels, layers, by_token=True)
    return CapturedTokens(whole, torch.stack(token, dim=1))


@torch.inference_mode()
def capture_attention(
    clip: Clip, pixels: Float[Tensor, "image 3 h w"]
) -> Float[Tensor, "image layer head token token"]:
    """Run the image tower once and return every layer's attention; rows (who looks) sum to one."""
    visual = clip.model.visual
    x = visual._embeds(pixels.to(clip.device))  # [image, token, d_model]
    seen = []
    for block in visual.transformer.resblocks:
        read = block.ln_1(x)
        query, key, _ = _query_key_value(block, read)
        seen.append((query @ key.mT * query.shape[-1] ** -0.5).softmax(dim=-1))
        x, _ = _write(block, x, _attend(block, read))
    return torch.stack(seen, dim=1)


@torch.inference_mode()
def _forward(
    clip: Clip, pixels: Float[Tensor, "image 3 h w"], layers: tuple[int, ...], *, by_token: bool
) -> tuple[Captured, list[Tensor]]:
    """One pass over all blocks; of the last one only the class-token row."""
    _check_layers(clip, layers)
    visual = clip.model.visual
    *blocks, last = visual.transformer.resblocks
    with embedding(clip.precision):
        x = visual._embeds(pixels.to(clip.device))  # [image, token, d_model]
    # Copies, here and below: a view would keep all tokens of every layer in memory.
    earlier = [x[:, 0].clone()]
    for block in blocks[: layers[0]]:
        with products(clip.precision, clip.device):
            written = _project(block, _attend(block, block.ln_1(x)))
            x = x + written
            added = _mlp(block, x)
        x = x + added
        earlier += [written[:, 0].to(x, copy=True), added[:, 0].to(x, copy=True)]

    early, head, mlp, token = x[:, 0].clone(), [], [], []
    for block in blocks[layers[0] :]:
        read = block.ln_1(x)
        x, z = _attended(clip, block, x, read)
        with products(clip.precision, clip.device):
            added = _mlp(block, x)
        x = x + added
        head.append(z)
        mlp.append(added[:, 0].to(x, copy=True))
        token += [_token_parts(block, read)] if by_token else []

    read = last.ln_1(x)
    head.append(_attend_from_class(last, read))
    final, added = _write(last, x[:, 0], head[-1])
    mlp.append(added)
    token += [_token_parts(last, read)] if by_token else []
    apart = torch.stack(head, dim=1), torch.stack(mlp, dim=1)
    return Captured(*apart, early, torch.stack(earlier, dim=1), final), token


def _attended(
    clip: Clip,
    block: Block,
    x: Float[Tensor, "image token d_model"],
    read: Float[Tensor, "image token d_model"],
) -> tuple[Float[Tensor, "image token d_model"], Float[Tensor, "image head d_head"]]:
    """The residual stream after a layer's attention, and the attention output of its class token."""
    with products(clip.precision, clip.device):
        z = _attend(block, read)
        after = x + _project(block, z)
    if clip.precision == "float32":
        return after, z[:, 0].clone()
    # Again for one row, in float32: else what is stored of a head would not be what it wrote.
    own = _attend_from_class(block, read)
    after[:, 0] = x[:, 0] + _project(block, own)
    return after, own


def _check_layers(clip: Clip, layers: tuple[int, ...]) -> None:
    if not layers or layers != tuple(range(layers[0], clip.layers)) or layers[0] < 0:
        raise ModelError(
            f"layers {layers} are not the last ones of {clip.spec.name}, whose layers are 0 to "
            f"{clip.layers - 1}. Take them from last_layers."
        )


def _write(block: Block, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """Add what attention and MLP write to the residual stream; also, apart, what the MLP adds."""
    x = x + _project(block, z)
    added = _mlp(block, x)
    return x + added, added


def _mlp(block: Block, x: Float[Tensor, "*token d_model"]) -> Float[Tensor, "*token d_model"]:
    """What the MLP adds to the residual stream."""
    return block.ls_2(block.mlp(block.ln_2(x)))


def _project(block: Block, z: Float[Tensor, "*token head d_head"]) -> Float[Tensor, "*token d_model"]:
    """What attention adds to the residual stream."""
    return block.ls_1(block.attn.out_proj(z.flatten(-2)))


def _attend(
    block: Block, read: Float[Tensor, "image token d_model"]
) -> Float[Tensor, "image token head d_head"]:
    """Attention output of every token, heads apart, before the output projection."""
    return F.scaled_dot_product_attention(*_query_key_value(block, read)).transpose(1, 2)


def _query_key_value(
    block: Block, read: Float[Tensor, "image token d_model"]
) -> Float[Tensor, "3 image head token d_head"]:
    attention = block.attn
    joint = F.linear(read, attention.in_proj_weight, attention.in_proj_bias)
    return joint.unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)


def _attend_from_class(
    block: Block, read: Float[Tensor, "image token d_model"]
) -> Float[Tensor, "image head d_head"]:
    """The class-token row of `_attend`, for the last layer, where no other row is used.

    Keys and values are linear in what is read, so their weights move over to the one query and the one
    output: no key and no value is computed, which saves nearly the whole layer.
    """
    _, _, weight, _, _, bias = _input_weights(block)
    seen = _class_attention(block, read) @ read  # [image, head, d_model]
    return einsum("ihm,hdm->ihd", seen, weight) + bias


def _class_attention(
    block: Block, read: Float[Tensor, "image token d_model"]
) -> Float[Tensor, "image head token"]:
    """Attention of the class token to every token. The keys' bias adds the same to each and drops out."""
    query_weight, key_weight, _, query_bias, _, _ = _input_weights(block)
    query = einsum("im,hdm->ihd", read[:, 0], query_weight) + query_bias
    probe = einsum("ihd,hdm->ihm", query * query.shape[-1] ** -0.5, key_weight)
    return (probe @ read.mT).softmax(dim=-1)


def _token_parts(
    block: Block, read: Float[Tensor, "image token d_model"]
) -> Float[Tensor, "image head token d_head"]:
    """Attention of the class token to each token, times that token's value."""
    _, _, weight, _, _, bias = _input_weights(block)
    value = einsum("itm,hdm->ihtd", read, weight) + bias[:, None]
    return _class_attention(block, read)[..., None] * value


def _input_weights(block: Block) -> tuple[Tensor, ...]:
    """Weights [head, d_head, d_model] of query, key and value, then their biases [head, d_head]."""
    attention = block.attn
    shape = (3, attention.num_heads, -1)
    return (*attention.in_proj_weight.unflatten(0, shape), *attention.in_proj_bias.unflatten(0, shape))
