"""Run the image tower with some of what is written at the class token replaced, and all after it recomputed.

A change takes hold at the class token alone: there the output of a head is replaced by an affine map of
itself, that of an MLP by a constant. What the same head or MLP writes at the patches stays, since only the
class token is decomposed, described and labeled. From the next layer on every token reads what the changed
class token holds, so the patches change too, as they would in the model.

Many changes of one batch share all that comes before the first layer of each, and what the patches read of
one another in the next; of the last layer only the class-token row is computed.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from precompute.clip.model import Clip
from precompute.clip.supported import Block
from precompute.clip.tower import _attend, _attend_from_class, _query_key_value, _write
from precompute.inputs.model_specs import ModelError


class HeadIntervention(NamedTuple):
    """z' = z weight + bias, with z the output of one head at the class token before the output projection."""

    bias: Float[Tensor, " d_head"]
    weight: Float[Tensor, "d_head d_head"] | None = None
    """None is a weight of zero: z' is the bias whatever the image; the mean of z there is mean-ablation."""


class Intervention(NamedTuple):
    """What one run replaces, in any layers; nothing by default."""

    heads: Mapping[tuple[int, int], HeadIntervention] = MappingProxyType({})
    """By layer and head."""

    mlps: Mapping[int, Float[Tensor, " d_model"]] = MappingProxyType({})
    """By layer: what is added to the residual stream instead of the MLP's output."""

    @property
    def layers(self) -> set[int]:
        """Layers in which something is replaced."""
        return {layer for layer, _ in self.heads} | set(self.mlps)


class _Patches(NamedTuple):
    """What the patches read of one another in a layer, the class token left out."""

    query: Float[Tensor, "image head patch d_head"]
    key: Float[Tensor, "image head patch d_head"]
    value: Float[Tensor, "image head patch d_head"]
    alone: Float[Tensor, "image head patch d_head"]
    """Attention output of each patch if it read patches only."""

    level: Float[Tensor, "image head patch 1"]
    """Log of the sum of exponentials behind that softmax."""


@torch.inference_mode()
def encode_with_interventions(
    clip: Clip, pixels: Float[Tensor, "image 3 h w"], changes: Sequence[Intervention]
) -> Float[Tensor, "change image d_out"]:
    """Embeddings after each change, not normalized; without a change those of `encode_image`."""
    _check_places(clip, changes)
    last = clip.layers - 1
    start = [min(change.layers, default=last) for change in changes]
    found: dict[int, Tensor] = {}
    x = clip.model.visual._embeds(pixels.to(clip.device))  # [image, token, d_model]
    for layer in range(last):
        block = _block(clip, layer)
        z = _attend(block, block.ln_1(x))
        after, _ = _write(block, x, z)
        begins = [number for number, first in enumerate(start) if first == layer]
        patches = _patches(_block(clip, layer + 1), after) if begins and layer + 1 < last else None
        for number in begins:
            begun = after.clone()
            begun[:, 0] = _class_row(block, x[:, 0], z[:, 0], changes[number], layer)
            found[number] = _finish(clip, begun, changes[number], layer + 1, patches)
        x = after
    for number in (number for number, first in enumerate(start) if first == last):
        found[number] = _finish(clip, x, changes[number], last, None)
    return torch.stack([found[number] for number in range(len(changes))])


def _finish(
    clip: Clip,
    x: Float[Tensor, "image token d_model"],
    change: Intervention,
    layer: int,
    patches: _Patches | None,
) -> Float[Tensor, "image d_out"]:
    """The embedding, from what enters `layer`; with `patches`, where only the class token has changed yet."""
    last = clip.layers - 1
    for number in range(layer, last):
        block = _block(clip, number)
        z = _attend(block, block.ln_1(x)) if patches is None else _attend_again(block, patches, x[:, :1])
        after, _ = _write(block, x, z)
        if number in change.layers:
            after[:, 0] = _class_row(block, x[:, 0], z[:, 0], change, number)
        x, patches = after, None
    block = _block(clip, last)
    final = _class_row(block, x[:, 0], _attend_from_class(block, block.ln_1(x)), change, last)
    visual = clip.model.visual
    return visual.ln_post(final) @ visual.proj


def _patches(block: Block, x: Float[Tensor, "image token d_model"]) -> _Patches:
    query, key, value = _query_key_value(block, block.ln_1(x[:, 1:]))
    query = query * query.shape[-1] ** -0.5
    score = query @ key.mT
    return _Patches(query, key, value, score.softmax(-1) @ value, score.logsumexp(-1, keepdim=True))


def _attend_again(
    block: Block, patches: _Patches, x: Float[Tensor, "image 1 d_model"]
) -> Float[Tensor, "image token head d_head"]:
    """What `_attend` gives with another class token, from what the patches read of one another.

    In a softmax the class token has the weight sigmoid(its score - log sum exp of the others), and the others
    share the rest as they would without it.
    """
    query, key, value = _query_key_value(block, block.ln_1(x))  # [image, head, 1, d_head]
    weight = (patches.query @ key.mT - patches.level).sigmoid()
    of_patches = torch.lerp(patches.alone, value, weight)
    keys, values = (
        torch.cat([one, others], dim=2) for one, others in ((key, patches.key), (value, patches.value))
    )
    of_class = F.scaled_dot_product_attention(query, keys, values)
    return torch.cat([of_class, of_patches], dim=2).transpose(1, 2)


def _class_row(
    block: Block,
    x: Float[Tensor, "image d_model"],
    z: Float[Tensor, "image head d_head"],
    change: Intervention,
    layer: int,
) -> Float[Tensor, "image d_model"]:
    """What leaves a layer at the class token after the change, from what enters it and its attention."""
    z = z.clone()
    for (of_layer, head), (bias, weight) in change.heads.items():
        if of_layer == layer:
            z[:, head] = bias if weight is None else z[:, head] @ weight + bias
    x = x + block.ls_1(block.attn.out_proj(z.flatten(-2)))
    if layer in change.mlps:
        return x + change.mlps[layer]
    return x + block.ls_2(block.mlp(block.ln_2(x)))


def _block(clip: Clip, layer: int) -> Block:
    return clip.model.visual.transformer.resblocks[layer]


def _check_places(clip: Clip, changes: Sequence[Intervention]) -> None:
    for change in changes:
        missing = [layer for layer in change.layers if not 0 <= layer < clip.layers]
        missing += [layer for layer, head in change.heads if not 0 <= head < clip.heads]
        if missing:
            raise ModelError(
                f"{clip.spec.name} has layers 0 to {clip.layers - 1} of heads 0 to {clip.heads - 1}; "
                f"a change asks for another one, in layer {missing[0]}."
            )
