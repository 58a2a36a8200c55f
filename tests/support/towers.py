"""Small models with true open_clip towers, for tests."""

import torch
from open_clip.model import CLIP
from safetensors.torch import save_file

from precompute import clip
from precompute.inputs import model_specs
from precompute.inputs.model_specs import ModelSpec

FACTS = {"activation": "gelu", "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.25, 0.5), "interpolation": "bicubic"}


def small_config(**vision) -> dict:
    """Three layers of three heads, four patches."""
    tower = {"image_size": 32, "layers": 3, "width": 24, "head_width": 8, "patch_size": 16}
    text = {"context_length": 12, "vocab_size": 60, "width": 16, "heads": 1, "layers": 1}
    return {"embed_dim": 20, "vision_cfg": tower | vision, "text_cfg": text}


def small_model(activation: str = "gelu", seed: int = 0, **vision) -> CLIP:
    """Every parameter random: fresh ones have biases of zero, which hide mistakes with biases."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = CLIP(**small_config(**vision), quick_gelu=activation == "quick_gelu")
        for parameter in model.parameters():
            parameter.data.normal_(std=0.3)
    return model


def small_clip(activation: str = "gelu", seed: int = 0, **vision) -> clip.Clip:
    spec = ModelSpec("small", "made-up", **(FACTS | {"activation": activation}))
    return clip.from_model(spec, small_model(activation, seed, **vision))


def some_pixels(model: clip.Clip, images: int = 5, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(images, 3, model.image_size, model.image_size, generator=generator)


def resolved(config, checkpoint, **changes):
    facts = FACTS | changes
    return model_specs.resolve("small/mine", clip.catalog(), checkpoint=checkpoint, config=config, **facts)


def saved(path, state):
    """Writes a state dict in the format of the path's suffix."""
    if path.suffix == ".safetensors":
        save_file({key: value.contiguous() for key, value in state.items()}, path)
    else:
        torch.save(state, path)
    return path
