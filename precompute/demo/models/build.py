"""Builds, saves and loads the demo CLIPs with open_clip, and embeds scenes and texts."""

from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import open_clip
import torch
from jaxtyping import Float, Int, UInt8
from open_clip.model import CLIP, CustomTextCLIP
from open_clip.tokenizer import SimpleTokenizer
from safetensors.torch import load_file, save
from torch import Tensor

from db.atomic_file import atomic_file
from precompute.demo import BPE_PATH, CONTEXT_LENGTH, MEAN, STD, DemoModel
from precompute.demo.models import siglip

AnyClip: TypeAlias = CLIP | CustomTextCLIP

POSITION_SCALE = 6.0
"""Factor on open_clip's initial position embeddings: these are a tenth as large as the patch embeddings, and
position was not learned from them."""


def fresh_model(model: DemoModel) -> AnyClip:
    """Returns an untrained demo CLIP."""
    assert siglip.NAME  # imported: timm knows the model by its name from then on
    torch.manual_seed(model.seed)
    open_clip.add_model_config(model.config)
    config = open_clip.get_model_config(model.architecture)
    fresh = CustomTextCLIP(**config) if config.pop("custom_text", False) else CLIP(**config)
    with torch.no_grad():
        for parameter in position_embeddings(fresh):
            parameter.mul_(POSITION_SCALE)
    return fresh


def position_embeddings(model: AnyClip) -> list[Tensor]:
    """Returns the position embeddings of the image tower, of open_clip's own or of timm."""
    tower = model.visual
    return [tower.trunk.pos_embed if hasattr(tower, "trunk") else tower.positional_embedding]


def blocks(model: AnyClip) -> list[torch.nn.Module]:
    """Returns the transformer blocks of both towers."""
    tower = model.visual
    image = tower.trunk.blocks if hasattr(tower, "trunk") else tower.transformer.resblocks
    return [*image, *text_tower(model).transformer.resblocks]


def text_tower(model: AnyClip) -> Any:
    """Returns the module that has the layers of the text tower."""
    return model.text if hasattr(model, "text") else model


def shipped_model(model: DemoModel, path: Path | None = None) -> AnyClip:
    """Returns a demo CLIP in float32 with the weights of a file."""
    state = load_file(path or model.checkpoint)
    loaded = fresh_model(model)
    loaded.load_state_dict({name: value.float() for name, value in state.items()}, strict=True)
    return loaded.eval()


def export(model: AnyClip, path: Path) -> None:
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
def embed_scenes(
    model: AnyClip, pixels: UInt8[np.ndarray, "image side side 3"]
) -> Float[Tensor, "image d_out"]:
    """Returns unit embeddings of scenes at the model's resolution."""
    device = next(model.parameters()).device
    batches = [
        model.encode_image(normalized(torch.from_numpy(pixels[i : i + 64].copy()).to(device)), normalize=True)
        for i in range(0, len(pixels), 64)
    ]
    return torch.cat(batches).float().cpu()


@torch.no_grad()
def embed_texts(model: AnyClip, texts: list[str]) -> Float[Tensor, "text d_out"]:
    """Returns unit embeddings of texts."""
    tokens: Int[Tensor, "text position"] = tokenizer()(texts)
    device = next(model.parameters()).device
    return model.encode_text(tokens.to(device), normalize=True).float().cpu()


def encode_short(model: AnyClip, tokens: Int[Tensor, "text position"]) -> Float[Tensor, "text d_out"]:
    """Returns unit embeddings of texts that are padded to less than the whole context.

    Equal to `encode_text` of open_clip, which needs the whole context: under a causal mask the padding after
    the end of a text changes nothing. Short captions take a third of the time.
    """
    tower, length = text_tower(model), tokens.shape[1]
    x = tower.token_embedding(tokens) + tower.positional_embedding[:length]
    x = tower.ln_final(tower.transformer(x, attn_mask=tower.attn_mask[:length, :length]))
    x = x[torch.arange(len(x)), tokens.argmax(dim=-1)]
    project = tower.text_projection
    x = project(x) if isinstance(project, torch.nn.Linear) else x @ project
    return torch.nn.functional.normalize(x, dim=-1)
