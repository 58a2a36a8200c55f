"""Builds, saves and loads the demo CLIP with open_clip, and embeds scenes and texts."""

from functools import cache
from pathlib import Path

import numpy as np
import open_clip
import torch
from jaxtyping import Float, Int, UInt8
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from safetensors.torch import load_file, save
from torch import Tensor

from db.atomic_file import atomic_file
from precompute.demo import BPE_PATH, CONTEXT_LENGTH, MEAN, MODEL_NAME, MODELS, STD, DemoModel

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


def export(model: CLIP, path: Path) -> None:
    """Writes float16 weights; a reader never sees half a file."""
    state = {name: value.detach().cpu().half().contiguous() for name, value in model.state_dict().items()}
    with atomic_file(path) as temporary:
        temporary.write_bytes(save(state))


@cache
def tokenizer() -> SimpleTokenizer:
    """Returns open_clip's tokenizer with the vocabulary of the demo models."""
    return SimpleTokenizer(str(BPE_PATH), context_length=CONTEXT_LENGTH)


def normalized(pixels: UInt8[Tensor, "image side side 3"]) -> Float[Tensor, "image 3 side side"]:
    """Returns normalized pixels, the input of the model."""
    mean = torch.tensor(MEAN, device=pixels.device)
    std = torch.tensor(STD, device=pixels.device)
    return ((pixels.float() / 255.0 - mean) / std).permute(0, 3, 1, 2)


@torch.no_grad()
def embed_scenes(model: CLIP, pixels: UInt8[np.ndarray, "image side side 3"]) -> Float[Tensor, "image d_out"]:
    """Returns unit embeddings of scenes at the model's resolution."""
    device = next(model.parameters()).device
    batches = [
        model.encode_image(normalized(torch.from_numpy(pixels[i : i + 64].copy()).to(device)), normalize=True)
        for i in range(0, len(pixels), 64)
    ]
    return torch.cat(batches).float().cpu()


@torch.no_grad()
def embed_texts(model: CLIP, texts: list[str]) -> Float[Tensor, "text d_out"]:
    """Returns unit embeddings of texts."""
    tokens: Int[Tensor, "text position"] = tokenizer()(texts)
    device = next(model.parameters()).device
    return model.encode_text(tokens.to(device), normalize=True).float().cpu()
