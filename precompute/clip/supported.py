"""Checks that an image tower can be decomposed exactly, with the reason if it cannot.

An allowlist: every part of a tower must be one that the forward pass in `tower` implements.
"""

from typing import Any, NoReturn

from open_clip.transformer import (
    Attention,
    CustomResidualAttentionBlock,
    ResidualAttentionBlock,
    VisionTransformer,
)
from torch import nn

from precompute.inputs.model_specs import ModelError, ModelSpec

Tower = Any
"""open_clip's VisionTransformer, or an unsupported tower. No type covers the parts of both."""

Block = Any
"""One block of a tower."""

_BLOCKS = (ResidualAttentionBlock, CustomResidualAttentionBlock)
_ATTENTIONS = (nn.MultiheadAttention, Attention)


def refuse_config(spec: ModelSpec, config: dict) -> None:
    """Raises ModelError for a config whose tower is not supported, without building the tower."""
    vision = config["vision_cfg"]
    if name := vision.get("timm_model_name"):
        _refuse(spec, f"its image tower is {name} of timm, not a VisionTransformer of open_clip")
    if not isinstance(vision.get("layers", 12), int):
        _refuse(spec, "its image tower is a ModifiedResNet, whose only attention heads are in its pooling")
    if vision.get("attentional_pool"):
        _refuse(spec, "attentional pooling mixes all tokens after the last layer")


def refuse_tower(spec: ModelSpec, visual: Tower) -> None:
    """Raises ModelError for a tower with a part that is not supported."""
    if type(visual) is not VisionTransformer:
        _refuse(spec, f"its image tower is a {type(visual).__name__}, not a VisionTransformer of open_clip")
    reasons = _reasons_of_tower(visual)
    for block in visual.transformer.resblocks:
        reasons |= _reasons_of_block(block)
    for reason, holds in reasons.items():
        if holds:
            _refuse(spec, reason)


def _reasons_of_tower(visual: Tower) -> dict[str, bool]:
    final = visual.ln_post
    return {
        "attentional pooling mixes all tokens after the last layer": visual.attn_pool is not None,
        f"its pooling is {visual.pool_type!r}, not the class token": visual.pool_type != "tok",
        "its final LayerNorm comes after pooling (final_ln_after_pool)": visual.final_ln_after_pool,
        "it has no output projection": visual.proj is None,
        "its final LayerNorm has no weight or bias": final.weight is None or final.bias is None,
        f"it sees pictures of {visual.image_size} pixels, not squares": len({*visual.image_size}) > 1,
        f"its patches are {visual.patch_size} pixels, not squares": len({*visual.patch_size}) > 1,
    }


def _reasons_of_block(block: Block) -> dict[str, bool]:
    attention = block.attn
    reasons = {
        f"its blocks are {type(block).__name__}, which is not known here": type(block) not in _BLOCKS,
        f"its attention is {type(attention).__name__}, which is not known here": type(attention)
        not in _ATTENTIONS,
        "a LayerNorm follows its attention (scale_attn)": _is_norm(block, "ln_attn"),
        "its MLPs have an inner LayerNorm (scale_fc)": _is_norm(block.mlp, "ln"),
    }
    if type(attention) is not Attention:
        return reasons
    return reasons | {
        "its queries and keys are normalised (qk_norm)": _is_norm(attention, "ln_q"),
        "its attention is a cosine (scaled_cosine_attn)": attention.scaled_cosine,
        "its heads have scales of their own (scale_heads)": attention.scale_heads,
        "its heads pass an inner LayerNorm (scale_attn_inner)": _is_norm(attention, "ln_inner"),
    }


def _is_norm(module: Any, name: str) -> bool:
    return not isinstance(getattr(module, name, nn.Identity()), nn.Identity)


def _refuse(spec: ModelSpec, reason: str) -> NoReturn:
    raise ModelError(
        f"{spec.name} cannot be decomposed exactly: {reason}. Choose a ViT with class-token pooling and an "
        "output projection, such as ViT-B-32/openai."
    )
