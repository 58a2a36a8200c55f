"""What open_clip's configs say of an architecture. Needs no weights, no memory for them, and no network."""

import json
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import open_clip
import torch
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg, CustomTextCLIP


class ArchitectureFacts(NamedTuple):
    """Sizes of an architecture; None where its config does not say, as for towers of timm."""

    layers: int | None
    """Of the image tower."""

    heads: int | None
    """Heads of one layer."""

    d_head: int | None
    d_model: int | None
    patch_size: int | None
    d_out: int | None
    image_size: int | None
    context_length: int | None
    """Tokens of the longest text, start and end included."""

    parameters: int | None = None
    """Of both towers."""


def architecture_facts(architecture: str, config: Path | None = None) -> ArchitectureFacts | None:
    """Sizes of an architecture by its name, or by the config of one that open_clip does not know.

    None where the name is unknown and there is no config.
    """
    known = open_clip.get_model_config(architecture) if config is None else _read(config)
    if known is None:
        return None
    vision = CLIPVisionCfg(**known["vision_cfg"])
    whole = (known["embed_dim"], _side(vision.image_size), CLIPTextCfg(**known["text_cfg"]).context_length)
    # A ModifiedResNet lists the blocks of its stages and has no heads in them; timm's towers are in timm.
    if vision.timm_model_name or not isinstance(vision.layers, int):
        return ArchitectureFacts(None, None, None, None, None, *whole)
    width, d_head = vision.width, vision.head_width
    tower = (vision.layers, width // d_head, d_head, width, _side(vision.patch_size))
    return ArchitectureFacts(*tower, *whole, _parameters(known))


def cost_of_image(architecture: str, config: Path | None = None) -> float | None:
    """Multiplications of the image tower for one image, nearly; None where the config does not say.

    For comparing architectures: of every layer the products with its weights and of its attention.
    """
    try:
        facts = architecture_facts(architecture, config)
    except (OSError, ValueError, TypeError, LookupError):
        return None  # what is wrong with a config is said when the model is loaded
    if facts is None or facts.layers is None or facts.d_model is None or facts.patch_size is None:
        return None
    tokens = 1 + ((facts.image_size or 0) // facts.patch_size) ** 2
    return float(facts.layers * tokens * (12 * facts.d_model**2 + 2 * tokens * facts.d_model))


def _parameters(config: dict) -> int | None:
    """Of both towers; None with a third one, or with a text tower of another library: it would be fetched."""
    if "hf_model_name" in config["text_cfg"] or "multimodal_cfg" in config:
        return None
    config = deepcopy(config)
    build = CustomTextCLIP if config.pop("custom_text", False) else CLIP
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        built = build(**config)
    return sum(parameter.numel() for parameter in built.parameters())


def _read(path: Path) -> dict:
    config = json.loads(path.read_text(encoding="utf-8"))
    return config.get("model_cfg", config)


def _side(size: int | tuple[int, int] | list[int]) -> int:
    return size if isinstance(size, int) else size[0]
