"""Builds, saves and loads the demo CLIP with open_clip, and embeds scenes and texts."""

from functools import cache
from pathlib import Path

import open_clip
import torch
from jaxtyping import Float, Int
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from safetensors.torch import load_file
from torch import Tensor

from precompute.demo import BPE_PATH, CONTEXT_LENGTH, MODEL_NAME, MODELS, DemoModel

POSITION_SCALE = 6.0
"""Factor on open_clip's initial position embeddings: these are a tenth as large as the patch embeddings, and
position was not learned from them."""


def fresh_model(model: DemoModel = MODELS[MODEL_NAME]) -> CLIP:
    """Returns an untrained demo CLIP."""
    torch.manual_seed(model.seed)
    open_clip.add_model_config(model.config)
    fresh = CLIP(**open_clip.get_model_config(model.architecture))
    with torch.no_grad():
        fresh.visual.positional_embedding.mul_(POSITION_SCALE)
    return fresh


def shipped_model(model: DemoModel = MODELS[MODEL_NAME], path: Path | None = None) -> CLIP:
    """Returns a demo CLIP in float32 with the weights of a file."""
    state = load_file(path or model.checkpoint)
    loaded = fresh_model(model)
    loaded.load_state_dict({name: value.float() for name, value in state.items()}, strict=True)
    return loaded.eval()


@cache
def tokenizer() -> SimpleTokenizer:
    """Returns open_clip's tokenizer with the vocabulary of the demo models."""
    return SimpleTokenizer(str(BPE_PATH), context_length=CONTEXT_LENGTH)


@torch.no_grad()
def embed_texts(model: CLIP, texts: list[str]) -> Float[Tensor, "text d_out"]:
    """Returns unit embeddings of texts."""
    tokens: Int[Tensor, "text position"] = tokenizer()(texts)
    device = next(model.parameters()).device
    return model.encode_text(tokens.to(device), normalize=True).float().cpu()
