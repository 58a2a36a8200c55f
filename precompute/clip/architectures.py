"""Sizes of an architecture, from open_clip's configs. Needs no weights, no memory for them, no network."""

from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import torch
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg, CustomTextCLIP

from precompute.clip.configs import known_config, read_config
from precompute.inputs.model_specs import ModelError


class ArchitectureFacts(NamedTuple):
    """Sizes of an architecture; None if its config does not state them, as for towers of timm."""

    layers: int | None
    """Number of layers of the image tower."""

    heads: int | None
    """Number of heads of one layer."""

    d_head: int | None
    d_model: int | None
    patch_size: int | None
    d_out: int | None
    image_size: int | None
    context_length: int | None
    """Number of tokens of the longest text, start and end included."""

    parameters: int | None = None
    """Number of parameters of both towers."""


def architecture_facts(architecture: str, config: Path | None = None) -> ArchitectureFacts | None:
    """Returns the sizes of an architecture by its name, or by its config if open_clip does not know the name.

    None if open_clip does not know the name and there is no config.
    """
    values = known_config(architecture) if config is None else read_config(config)
    if values is None:
        return None
    vision, text = CLIPVisionCfg(**values["vision_cfg"]), CLIPTextCfg(**values["text_cfg"])
    model = (values["embed_dim"], _side(vision.image_size), text.context_length)
    # A ModifiedResNet lists blocks per stage and has no heads in them; sizes of timm's towers are in timm.
    if vision.timm_model_name or not isinstance(vision.layers, int):
        return ArchitectureFacts(None, None, None, None, None, *model)
    width, d_head = vision.width, vision.head_width
    tower = (vision.layers, width // d_head, d_head, width, _side(vision.patch_size))
    return ArchitectureFacts(*tower, *model, _parameters(values))


def cost_of_image(architecture: str, config: Path | None = None) -> float | None:
    """Returns the approximate number of multiplications for one image; None if the config lacks sizes.

    Counts the products with the weights and in the attention of every layer; good enough to compare
    architectures.
    """
    try:
        facts = architecture_facts(architecture, config)
    except (ModelError, ValueError, TypeError, LookupError):
        return None  # loading the model reports errors of the config
    if facts is None or facts.layers is None or facts.d_model is None or facts.patch_size is None:
        return None
    tokens = 1 + ((facts.image_size or 0) // facts.patch_size) ** 2
    return float(facts.layers * tokens * (12 * facts.d_model**2 + 2 * tokens * facts.d_model))


def _parameters(config: dict) -> int | None:
    """Number of parameters; None with a multimodal tower, or a text tower whose weights would be fetched."""
    if "hf_model_name" in config["text_cfg"] or "multimodal_cfg" in config:
        return None
    config = deepcopy(config)
    build = CustomTextCLIP if config.pop("custom_text", False) else CLIP
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        model = build(**config)
    return sum(parameter.numel() for parameter in model.parameters())


def _side(size: int | tuple[int, int] | list[int]) -> int:
    return size if isinstance(size, int) else size[0]
