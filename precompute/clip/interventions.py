"""Forward pass of the image tower with outputs of heads or MLPs at the class token replaced.

An intervention acts at the class token only: it replaces the output of a head by an affine map of itself, or
the output of an MLP by a constant. Outputs of the same head or MLP at the patches stay, since only the class
token is decomposed, described and labeled. All later layers are recomputed, so patches change from the next
layer on, as they would in the model.

Interventions of one batch share the computation before their first layer, and the attention between patches
in the layer after it. From there on, those with the same first layer run together: a small model alone is
mostly calls. In the last layer only the class-token row is computed.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from precompute.clip.model import Clip
from precompute.clip.supported import Block
from precompute.clip.tower import add_attention_and_mlp, attend, attend_from_class, query_key_value
from precompute.inputs.model_specs import ModelError

_TOKENS = 2048
"""Maximum tokens of one pass, over all images and interventions, unless one intervention has more."""


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
    first: dict[int, list[int]] = {}  # interventions by their first layer
    for number, intervention in enumerate(interventions):
        first.setdefault(min(intervention.layers, default=last), []).append(number)
    embeddings: dict[int, Tensor] = {}
    x = clip.model.visual._embeds(pixels.to(clip.device))  # [image, token, d_model]
    size = max(1, _TOKENS // (x.shape[0] * x.shape[1]))
    for layer in range(last):
        block = _block(clip, layer)
        z = attend(block, block.ln_1(x))
        after, _ = add_attention_and_mlp(block, x, z)
        numbers = first.get(layer, [])
        patches = _patches(_block(clip, layer + 1), after) if numbers and layer + 1 < last else None
        for start in range(0, len(numbers), size):
            runs = [interventions[number] for number in numbers[start:][:size]]
            residual = after.repeat(len(runs), 1, 1, 1)
            residual[:, :, 0] = _class_row(block, x[:, 0], z[:, 0], runs, layer)
            embedding = _finish(clip, residual, runs, layer + 1, patches)
            embeddings |= dict(zip(numbers[start:], embedding, strict=False))
        x = after
    numbers = first.get(last, [])
    if numbers:
        runs = [interventions[number] for number in numbers]
        embeddings |= dict(zip(numbers, _last_layer(clip, x[None], runs), strict=True))
    return torch.stack([embeddings[number] for number in range(len(interventions))])


def _finish(
    clip: Clip,
    x: Float[Tensor, "run image token d_model"],
    runs: Sequence[Intervention],
    layer: int,
    patches: _Patches | None,
) -> Float[Tensor, "run image d_out"]:
    """Embeddings from the input of `layer`; `patches` is given if only the class token has changed so far."""
    for number in range(layer, clip.layers - 1):
        block = _block(clip, number)
        if patches is None:
            z = attend(block, block.ln_1(x).flatten(0, 1)).unflatten(0, x.shape[:2])
        else:
            z = _attend_cached(block, patches, x[:, :, 0])
        after, _ = add_attention_and_mlp(block, x, z)
        changed = [place for place, run in enumerate(runs) if number in run.layers]
        if changed:
            some = [runs[place] for place in changed]
            after[changed, :, 0] = _class_row(block, x[changed, :, 0], z[changed, :, 0], some, number)
        x, patches = after, None
    return _last_layer(clip, x, runs)


def _last_layer(
    clip: Clip, x: Float[Tensor, "#run image token d_model"], runs: Sequence[Intervention]
) -> Float[Tensor, "run image d_out"]:
    """Embeddings from the input of the last layer."""
    last, visual = clip.layers - 1, clip.model.visual
    block = _block(clip, last)
    z = attend_from_class(block, block.ln_1(x).flatten(0, 1)).unflatten(0, x.shape[:2])
    return visual.ln_post(_class_row(block, x[:, :, 0], z, runs, last)) @ visual.proj


def _patches(block: Block, x: Float[Tensor, "image token d_model"]) -> _Patches:
    query, key, value = query_key_value(block, block.ln_1(x[:, 1:]))
    query = query * query.shape[-1] ** -0.5
    score = query @ key.mT
    return _Patches(query, key, value, score.softmax(-1) @ value, score.logsumexp(-1, keepdim=True))


def _attend_cached(
    block: Block, patches: _Patches, x: Float[Tensor, "run image d_model"]
) -> Float[Tensor, "run image token head d_head"]:
    """Result of `attend` for changed class tokens, reusing the attention between patches.

    In a softmax the class token has the weight sigmoid(its score - log-sum-exp of the others); the others
    share the rest in the same proportions as without it.
    """
    query, key, value = query_key_value(block, block.ln_1(x.transpose(0, 1)))  # [image, head, run, d_head]
    query = query * query.shape[-1] ** -0.5
    weight = (patches.query @ key.mT - patches.level).sigmoid()  # [image, head, patch, run]
    of_patches = torch.lerp(patches.alone[..., None, :], value[:, :, None], weight[..., None])
    own = (query * key).sum(dim=-1, keepdim=True)
    share = torch.cat([own, query @ patches.key.mT], dim=-1).softmax(dim=-1)  # [image, head, run, token]
    of_class = share[..., :1] * value + share[..., 1:] @ patches.value
    return torch.cat([of_class[:, :, None], of_patches], dim=2).permute(3, 0, 2, 1, 4)


def _class_row(
    block: Block,
    x: Float[Tensor, "*#run image d_model"],
    z: Float[Tensor, "*#run image head d_head"],
    runs: Sequence[Intervention],
    layer: int,
) -> Float[Tensor, "run image d_model"]:
    """Class-token output of a layer in each run, from the layer's input and attention output."""
    z = _replaced(z.expand(len(runs), *z.shape[-3:]), runs, layer)
    x = x + block.ls_1(block.attn.out_proj(z.flatten(-2)))
    after = x + block.ls_2(block.mlp(block.ln_2(x)))
    for place, run in enumerate(runs):
        if layer in run.mlps:
            after[place] = x[place] + run.mlps[layer]
    return after


def _replaced(
    z: Float[Tensor, "run image head d_head"], runs: Sequence[Intervention], layer: int
) -> Float[Tensor, "run image head d_head"]:
    """Head outputs at the class token, with the replacements of each run in the layer."""
    z = z.clone()
    changes = [
        (place, head, change)
        for place, run in enumerate(runs)
        for (head_layer, head), change in run.heads.items()
        if head_layer == layer
    ]
    for is_constant in (True, False):
        some = [change for change in changes if (change[2].weight is None) == is_constant]
        if some:
            place, head, change = zip(*some, strict=True)
            bias = torch.stack([replacement.bias for replacement in change])[:, None]
            if not is_constant:
                bias = bias + z[place, :, head] @ torch.stack([replacement.weight for replacement in change])
            z[place, :, head] = bias
    return z


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
