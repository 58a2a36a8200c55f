"""The demo CLIP as open_clip builds it: fresh, saved, and ready to embed scenes and texts."""

import os
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

from precompute.demo import ARCHITECTURE, BPE_PATH, CONFIG_PATH, CONTEXT_LENGTH, MEAN, STD, WEIGHTS_PATH


def fresh_model(seed: int = 0) -> CLIP:
    """An untrained demo CLIP."""
    torch.manual_seed(seed)
    open_clip.add_model_config(CONFIG_PATH)
    return CLIP(**open_clip.get_model_config(ARCHITECTURE))


def shipped_model(path: Path = WEIGHTS_PATH) -> CLIP:
    """The demo CLIP with its weights from a file, in float32."""
    model = fresh_model()
    model.load_state_dict({name: value.float() for name, value in load_file(path).items()}, strict=True)
    return model.eval()


def export(model: CLIP, path: Path = WEIGHTS_PATH) -> None:
    """Write float16 weights beside the final name, then rename: a reader never sees half a file."""
    state = {name: value.detach().cpu().half().contiguous() for name, value in model.state_dict().items()}
    building = path.with_suffix(".building")
    building.write_bytes(save(state))
    os.replace(building, path)


@cache
def tokenizer() -> SimpleTokenizer:
    """open_clip's tokenizer over this model's own words."""
    return SimpleTokenizer(str(BPE_PATH), context_length=CONTEXT_LENGTH)


def normalized(pixels: UInt8[Tensor, "image side side 3"]) -> Float[Tensor, "image 3 side side"]:
    """Pixels as the model takes them."""
    mean = torch.tensor(MEAN, device=pixels.device)
    std = torch.tensor(STD, device=pixels.device)
    return ((pixels.float() / 255.0 - mean) / std).permute(0, 3, 1, 2)


@torch.no_grad()
def embed_scenes(model: CLIP, pixels: UInt8[np.ndarray, "image side side 3"]) -> Float[Tensor, "image d_out"]:
    """Unit embeddings of scenes at the model's resolution."""
    device = next(model.parameters()).device
    batches = [
        model.encode_image(normalized(torch.from_numpy(pixels[i : i + 64].copy()).to(device)), normalize=True)
        for i in range(0, len(pixels), 64)
    ]
    return torch.cat(batches).float().cpu()


@torch.no_grad()
def embed_texts(model: CLIP, texts: list[str]) -> Float[Tensor, "text d_out"]:
    """Unit embeddings of texts."""
    tokens: Int[Tensor, "text position"] = tokenizer()(texts)
    device = next(model.parameters()).device
    return model.encode_text(tokens.to(device), normalize=True).float().cpu()
