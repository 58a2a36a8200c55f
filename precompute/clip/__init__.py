"""CLIP models: build, load, encode, and read off what one forward pass leaves at the class token.

The only part that knows open_clip. The image tower is run block by block from here, with its own weights:
nothing is hooked, so nothing can be left behind. What cannot be taken apart exactly is refused, by name.

    model          Clip, load: from a spec to a model with its weights
    precision      how exactly the image tower multiplies, and where less exactly
    download       where the weights of a known tag come from
    checkpoints    files of weights: read, compare, load, identify
    supported      which towers can be taken apart exactly, and why others cannot
    tower          the forward pass of the image tower, and what it leaves at the class token
    interventions  the same with what some heads or MLPs write at the class token replaced
    text           texts: check, encode
    architectures  sizes of an architecture by its config alone
"""

from precompute.clip.architectures import ArchitectureFacts, architecture_facts, cost_of_image
from precompute.clip.download import weights_location
from precompute.clip.interventions import HeadIntervention, Intervention, encode_with_interventions
from precompute.clip.model import Clip, catalog, check, encode_image, from_model, load, resolve, weights_file
from precompute.clip.text import TextError, check_text, encode_text, imagenet_names, imagenet_prompts
from precompute.clip.tower import capture, capture_attention, capture_tokens, last_layers, vision_weights

__all__ = [
    "ArchitectureFacts",
    "Intervention",
    "Clip",
    "HeadIntervention",
    "TextError",
    "architecture_facts",
    "capture",
    "capture_attention",
    "capture_tokens",
    "catalog",
    "check",
    "check_text",
    "cost_of_image",
    "encode_with_interventions",
    "encode_image",
    "encode_text",
    "from_model",
    "imagenet_names",
    "imagenet_prompts",
    "last_layers",
    "load",
    "resolve",
    "vision_weights",
    "weights_file",
    "weights_location",
]
