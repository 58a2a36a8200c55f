"""CLIP models: build, load, encode, and capture the class-token values of a forward pass.

The only package that knows open_clip. It runs the image tower block by block with the model's weights,
without hooks. Towers that cannot be decomposed exactly are refused with the reason.

    model          Clip, load: from a spec to a model with its weights
    precision      precision of the matrix products of the image tower
    configs        model configs: read, check, and the settings that they state
    download       weights of a known tag, from the cache or the hub; whether a file holds them
    checkpoints    files of weights: read, compare, load, identify
    layouts        names of the tensors in a file: unwrap, describe
    supported      checks that a tower can be decomposed exactly
    tower          forward pass of the image tower, and its class-token values
    interventions  forward pass with outputs of heads or MLPs at the class token replaced
    text           texts: check, encode
    architectures  sizes of an architecture, from its config
"""

from precompute.clip.architectures import ArchitectureFacts, architecture_facts, cost_of_image
from precompute.clip.download import weights_location
from precompute.clip.interventions import HeadIntervention, Intervention, encode_with_interventions
from precompute.clip.model import Clip, catalog, check, encode_image, from_model, load, resolve, weights_file
from precompute.clip.text import (
    TextError,
    UnknownWords,
    check_text,
    encode_text,
    imagenet_names,
    imagenet_prompts,
)
from precompute.clip.tower import capture, capture_attention, capture_tokens, last_layers, vision_weights

__all__ = [
    "ArchitectureFacts", "Clip", "HeadIntervention", "Intervention", "TextError", "UnknownWords",
    "architecture_facts", "capture", "capture_attention", "capture_tokens", "catalog", "check",
    "check_text", "cost_of_image", "encode_image", "encode_text", "encode_with_interventions",
    "from_model", "imagenet_names", "imagenet_prompts", "last_layers", "load", "resolve",
    "vision_weights", "weights_file", "weights_location",
]  # fmt: skip
