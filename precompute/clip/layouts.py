"""Names of tensors in files of weights: unwraps a CLIP of open_clip, and describes other layouts.

Training scripts wrap a model in dicts (`state_dict`, `model`) and modules (`module.`, `model.`,
`_orig_mod.`). All of these are prefixes of the names, once nested dicts are joined by dots.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict
from math import isqrt
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import open_clip
import torch
from open_clip.model import CLIPTextCfg, CLIPVisionCfg
from torch import Tensor

from precompute.inputs.model_specs import ModelError
from precompute.runtime import progress

State = dict[str, Tensor]

_ANCHORS = ("visual.class_embedding", "visual.conv1.weight")
"""Names in every image tower that can be decomposed."""

_NOT_WEIGHTS = ("input_resolution", "context_length", "vocab_size", "attn_mask", "position_ids")
"""Entries of some files that are not weights."""

_NUMBERS = ("logit_scale", "logit_bias")
"""Weights that some scripts save as plain numbers."""

_INNER = re.compile(r"(?<![^.])(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|_forward_module)\.")
"""Names that torch adds to a wrapped module, wherever it is in the model."""

_LAYOUTS = {
    r"vision_model\.embeddings\.|text_model\.encoder\.": "in the layout of Transformers' CLIPModel",
    r"lora_[AB]\.|lora_(up|down)\.": "a LoRA adapter: changes to weights, without the weights",
    r"visual\.trunk\.": "of an open_clip model whose image tower is timm's",
    r"visual\.layer1\.": "of a ResNet of OpenAI's CLIP",
    r"visual\.blocks\.0\.": "in the layout of EVA-CLIP",
    r"image_encoder\.model\.": "in the layout of MobileCLIP",
    r"encoder\.layers\.encoder_layer_0\.": "in the layout of torchvision's VisionTransformer",
    r"encoder\.layer\.0\.attention\.": "in the layout of Transformers' ViTModel",
    r"(^|\.)blocks\.0\.attn\.|patch_embed\.proj\.": "in the layout of timm's VisionTransformer",
    r"^(class_embedding|conv1\.weight|transformer\.resblocks\.0\.)": "of one tower of a CLIP alone",
}


_DEEPEST = 20
"""Dots before the names that are still looked at."""


class _Entry(NamedTuple):
    """One tensor of a file."""

    place: str
    """Names of the nested dicts that it is in, each with a dot."""

    name: str
    """All names joined by dots."""

    tensor: Tensor


def unwrap(content: dict[Any, Any], path: Path) -> State:
    """Returns the tensors of a CLIP of open_clip by their names in it; of another layout, all as they are.

    Raises:
        ModelError: the file has several such models, with different weights.
    """
    entries = [*_entries(content, "")]
    prefixes = sorted({prefix for entry in entries if (prefix := _prefix(entry.name)) is not None})
    if not prefixes:
        return {entry.name: entry.tensor for entry in entries}
    first, *others = (_below(prefix, entries) for prefix in prefixes)
    state = dict(first)
    if len(state) < len(first) or not all(_equal(state, dict(other)) for other in others):
        raise ModelError(
            f"{path} holds the weights of several models: {_quoted(prefixes)}. Save the one that you mean "
            "alone: torch.save(model.state_dict(), FILE)."
        )
    beside = [entry.name for entry in entries if not entry.name.startswith(prefixes[0])]
    if left_out := [name for name in beside if name.partition(".")[0] == prefixes[0].partition(".")[0]]:
        progress.say(
            f"{path}: {len(left_out)} tensors beside the model are left out: {_quoted(left_out[:3])}"
        )
    return state


def describe(state: State, expected: State, path: Path) -> str | None:
    """Returns what a file holds instead of a CLIP of open_clip, and what to do; None if it holds one."""
    if any(name.startswith("visual.") and name in expected for name in state):
        return None
    if not state:
        return f"{path} holds no tensors. Save a state dict: torch.save(model.state_dict(), FILE)."
    kinds = (kind for pattern, kind in _LAYOUTS.items() if any(re.search(pattern, name) for name in state))
    return (
        f"the {len(state):,} tensors in {path} are {next(kinds, 'of no known layout')}: "
        f"{_quoted([*state][:3])}, not a CLIP in the layout of open_clip, which begins with "
        "visual.class_embedding and visual.conv1.weight. Give the same model as open_clip saves it (on the "
        "hub open_clip_model.safetensors or open_clip_pytorch_model.bin), or name it by its open_clip tag."
    )


def advice(state: State, expected: State) -> str:
    """Returns what to do about the weights of a CLIP that do not fit a model."""
    if any(not tensor.is_floating_point() for tensor in state.values()):
        return "Save the weights as floating-point numbers."
    if not any(name in state for name in expected if not name.startswith(("visual.", "logit_"))):
        return "The file holds the image tower alone. Save the whole model: the text tower is needed too."
    if (extra := [name for name in state if name not in expected]) and expected.keys() <= state.keys():
        return _about_extra(extra, expected)
    ours, theirs = _sizes(state), _sizes(expected)
    if names := [name for name in open_clip.list_models() if ours == _sizes_of(name)]:
        return f"The weights have the sizes of {', '.join(names)}: name the architecture so."
    own = "Give a --config FILE with {} {} in {}, under an architecture name of your own."
    differing = [size for size in ours if ours[size] != theirs[size]]
    if differing == ["image_size"] and ours["image_size"]:
        return (
            f"They are for pictures of {ours['image_size']} pixels, the model takes {theirs['image_size']}. "
            + own.format("image_size", ours["image_size"], "vision_cfg")
        )
    if differing == ["context_length"]:
        return (
            f"They are for texts of {ours['context_length']} tokens, the model reads "
            f"{theirs['context_length']}. " + own.format("context_length", ours["context_length"], "text_cfg")
        )
    return "Name the architecture that these weights were trained with."


def _about_extra(extra: list[str], expected: State) -> str:
    """Returns what to do about tensors beside all those of a model."""
    modules = tuple(sorted({name.partition(".")[0] for name in expected}))
    if inner := [name for name in extra if name.partition(".")[0] in modules]:
        return (
            f"All tensors of the model are there, and {len(inner)} more in its towers: they are of another "
            "architecture, whose embeddings would differ. Name that one."
        )
    return (
        f"All tensors of the model are there, and {len(extra)} more beside it. If those are heads for "
        "another task, save the rest alone: torch.save({name: tensor for name, tensor in state.items() if "
        f"name.partition('.')[0] in {modules}}}, FILE)."
    )


def _entries(content: dict[Any, Any], place: str) -> Iterator[_Entry]:
    for key, value in content.items():
        name = _INNER.sub("", f"{place}{key}")
        if isinstance(value, dict) and place.count(".") < _DEEPEST:  # a dict may hold itself
            yield from _entries(value, f"{place}{key}.")
        elif name.endswith(_NOT_WEIGHTS):
            continue
        elif isinstance(value, Tensor):
            yield _Entry(place, name, _dense(value, name))
        elif isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "fiu":
            yield _Entry(place, name, torch.from_numpy(value.copy()))
        elif isinstance(value, float | np.number | np.ndarray) and name.endswith(_NUMBERS):
            yield _Entry(place, name, torch.tensor(float(value)))


def _dense(tensor: Tensor, name: str) -> Tensor:
    """Returns a tensor with all its numbers. Raises ModelError for one of a device without numbers."""
    if tensor.is_meta:
        raise ModelError(
            f"the file has no numbers for {name} (device meta). Save it again from the whole model."
        )
    return tensor if tensor.layout is torch.strided else tensor.to_dense()


def _prefix(name: str) -> str | None:
    """Returns what precedes the name that an anchor has in a CLIP; None for the name of another tensor."""
    for anchor in _ANCHORS:
        if name == anchor or name.endswith(f".{anchor}"):
            return name.removesuffix(anchor)
    return None


def _below(prefix: str, entries: list[_Entry]) -> list[tuple[str, Tensor]]:
    """Returns the tensors whose names begin with the prefix, from the dicts that the anchors are in."""
    places = {entry.place for entry in entries if _prefix(entry.name) == prefix}
    # Where every module is a dict of its own, the text tower is in other dicts than the anchors.
    is_nested = any(len(_INNER.sub("", place)) > len(prefix) for place in places)
    return [
        (entry.name.removeprefix(prefix), entry.tensor)
        for entry in entries
        if entry.name.startswith(prefix) and (is_nested or entry.place in places)
    ]


def _equal(one: State, other: State) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def _sizes(state: State) -> dict[str, int]:
    """Returns the sizes of a CLIP from its weights; 0 for what is missing or has an unusual shape."""
    text = "text." if "text.positional_embedding" in state else ""

    def size(name: str, axis: int) -> int:
        return state[name].shape[axis] if name in state and state[name].ndim > axis else 0

    patch, patches = size("visual.conv1.weight", 3), max(size("visual.positional_embedding", 0) - 1, 0)
    side = isqrt(patches)
    return {
        "image_size": side * patch if side * side == patches else 0,
        "patch_size": patch,
        "width": size("visual.conv1.weight", 0),
        "layers": _layers(state, "visual."),
        "embed_dim": size("visual.proj", 1),
        "context_length": size(f"{text}positional_embedding", 0),
        "text_width": size(f"{text}positional_embedding", 1),
        "text_layers": _layers(state, text),
        "vocab_size": size(f"{text}token_embedding.weight", 0),
    }


def _sizes_of(architecture: str) -> dict[str, Any]:
    """Returns the sizes of an architecture of open_clip, named as in `_sizes`."""
    config = open_clip.get_model_config(architecture) or {}
    vision = {**asdict(CLIPVisionCfg()), **config["vision_cfg"]}
    text = {**asdict(CLIPTextCfg()), **config["text_cfg"]}
    return {
        **{name: vision[name] for name in ("image_size", "patch_size", "width", "layers")},
        "embed_dim": config["embed_dim"],
        **{"context_length": text["context_length"], "vocab_size": text["vocab_size"]},
        **{"text_width": text["width"], "text_layers": text["layers"]},
    }


def _layers(state: State, tower: str) -> int:
    pattern = re.compile(re.escape(tower) + r"transformer\.resblocks\.(\d+)\.")
    return 1 + max((int(match[1]) for name in state if (match := pattern.match(name))), default=-1)


def _quoted(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names)
