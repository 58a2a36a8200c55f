"""Forward pass of the image tower with outputs of heads or MLPs at the class token replaced.

An intervention acts at the class token only: it replaces the output of a head by an affine map of itself, or
the output of an MLP by a constant. Outputs of the same head or MLP at the patches stay, since only the class
token is decomposed, described and labeled. All later layers are recomputed, so patches change from the next
layer on, as they would in the model.

Interventions of one batch share the computation before their first layer, and the attention between patches
in the layer after it. In the last layer only the class-token row is computed.
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
from precompute.clip.tower import add_attention_and_mlp, attend, attend_from_class, query_key_value
from precompute.inputs.model_specs import ModelError


class HeadIntervention(NamedTuple):
    """z' = z weight + bias, with z the output of one head at the class token before the output projection."""

    bias: Float[Tensor, " d_head"]
    weight: Float[Tensor, "d_head d_head"] | None = None
    """None means zero: z' is the bias for every image. With the mean of z as bias this is mean-ablation."""


class Intervention(NamedTuple):
    """Replacements in one forward pass, in any layers; none by default."""

    heads: Mapping[tuple[int, int], HeadIntervention] = MappingProxyType({})
    """Replacements of head outputs, by layer and head."""

    mlps: Mapping[int, Float[Tensor, " d_model"]] = MappingProxyType({})
    """Constants added to the residual stream in place of the MLP's output, by layer."""

    @property
    def layers(self) -> set[int]:
        """Layers with a replacement."""
        return {layer for layer, _ in self.heads} | set(self.mlps)


class _Patches(NamedTuple):
    """Attention between the patches in one layer, without the class token."""

    query: Float[Tensor, "image head patch d_head"]
    key: Float[Tensor, "image head patch d_head"]
    value: Float[Tensor, "image head patch d_head"]
    alone: Float[Tensor, "image head patch d_head"]
    """Attention output of each patch if it attends to patches only."""

    level: Float[Tensor, "image head patch 1"]
    """Log-sum-exp of that softmax."""


@torch.inference_mode()
def encode_with_interventions(
    clip: Clip, pixels: Float[Tensor, "image 3 h w"], interventions: Sequence[Intervention]
) -> Float[Tensor, "intervention image d_out"]:
    """Returns embeddings under each intervention, not normalized.

    An empty intervention gives the result of `encode_image`.

    Raises:
        ModelError: an intervention names a layer or head that the model does not have.
    """
    _check_places(clip, interventions)
    last = clip.layers - 1
    start = [min(intervention.layers, default=last) for intervention in interventions]
    embeddings: dict[int, Tensor] = {}
    x = clip.model.visual._embeds(pixels.to(clip.device))  # [image, token, d_model]
    for layer in range(last):
        block = _block(clip, layer)
        z = attend(block, block.ln_1(x))
        after, _ = add_attention_and_mlp(block, x, z)
        numbers = [number for number, first in enumerate(start) if first == layer]
        patches = _patches(_block(clip, layer + 1), after) if numbers and layer + 1 < last else None
        for number in numbers:
            residual = after.clone()
            residual[:, 0] = _class_row(block, x[:, 0], z[:, 0], interventions[number], layer)
            embeddings[number] = _finish(clip, residual, interventions[number], layer + 1, patches)
        x = after
    for number in (number for number, first in enumerate(start) if first == last):
        embeddings[number] = _finish(clip, x, interventions[number], last, None)
    return torch.stack([embeddings[number] for number in range(len(interventions))])


def _finish(
    clip: Clip,
    x: Float[Tensor, "image token d_model"],
    intervention: Intervention,
    layer: int,
    patches: _Patches | None,
) -> Float[Tensor, "image d_out"]:
    """Embedding from the input of `layer`; `patches` is given if only the class token has changed so far."""
    last = clip.layers - 1
    for number in range(layer, last):
        block = _block(clip, number)
        z = attend(block, block.ln_1(x)) if patches is None else _attend_cached(block, patches, x[:, :1])
        after, _ = add_attention_and_mlp(block, x, z)
        if number in intervention.layers:
            after[:, 0] = _class_row(block, x[:, 0], z[:, 0], intervention, number)
        x, patches = after, None
    block = _block(clip, last)
    final = _class_row(block, x[:, 0], attend_from_class(block, block.ln_1(x)), intervention, last)
    visual = clip.model.visual
    return visual.ln_post(final) @ visual.proj


def _patches(block: Block, x: Float[Tensor, "image token d_model"]) -> _Patches:
    query, key, value = query_key_value(block, block.ln_1(x[:, 1:]))
    query = query * query.shape[-1] ** -0.5
    score = query @ key.mT
    return _Patches(query, key, value, score.softmax(-1) @ value, score.logsumexp(-1, keepdim=True))


def _attend_cached(
    block: Block, patches: _Patches, x: Float[Tensor, "image 1 d_model"]
) -> Float[Tensor, "image token head d_head"]:
    """Result of `attend` for a changed class token, reusing the attention between patches.

    In a softmax the class token has the weight sigmoid(its score - log-sum-exp of the others); the others
    share the rest in the same proportions as without it.
    """
    query, key, value = query_key_value(block, block.ln_1(x))  # [image, head, 1, d_head]
    weight = (patches.query @ key.mT - patches.level).sigmoid()
    of_patches = torch.lerp(patches.alone, value, weight)
    keys, values = torch.cat([key, patches.key], dim=2), torch.cat([value, patches.value], dim=2)
    of_class = F.scaled_dot_product_attention(query, keys, values)
    return torch.cat([of_class, of_patches], dim=2).transpose(1, 2)


def _class_row(
    block: Block,
    x: Float[Tensor, "image d_model"],
    z: Float[Tensor, "image head d_head"],
    intervention: Intervention,
    layer: int,
) -> Float[Tensor, "image d_model"]:
    """Class-token output of a layer under the intervention, from the layer's input and attention output."""
    z = z.clone()
    for (head_layer, head), (bias, weight) in intervention.heads.items():
        if head_layer == layer:
            z[:, head] = bias if weight is None else z[:, head] @ weight + bias
    x = x + block.ls_1(block.attn.out_proj(z.flatten(-2)))
    if layer in intervention.mlps:
        return x + intervention.mlps[layer]
    return x + block.ls_2(block.mlp(block.ln_2(x)))


def _block(clip: Clip, layer: int) -> Block:
    return clip.model.visual.transformer.resblocks[layer]


def _check_places(clip: Clip, interventions: Sequence[Intervention]) -> None:
    for intervention in interventions:
        missing = [layer for layer in intervention.layers if not 0 <= layer < clip.layers]
        missing += [layer for layer, head in intervention.heads if not 0 <= head < clip.heads]
        if missing:
            raise ModelError(
                f"{clip.spec.name} has layers 0 to {clip.layers - 1} of heads 0 to {clip.heads - 1}; "
                f"an intervention names another one, in layer {missing[0]}."
            )
