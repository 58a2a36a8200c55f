"""Model configs: JSON files in open_clip's form, and the settings that they state.

A file of the hub, open_clip_config.json, has the architecture under `model_cfg` and the preprocessing under
`preprocess_cfg`; a file of open_clip has the architecture alone.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import open_clip
from open_clip.model import CLIPTextCfg, CLIPVisionCfg

from precompute.inputs.model_specs import MIN_STD, ModelError, StatedSettings, as_triple

_SIZES = {
    "vision_cfg": ("image_size", "patch_size", "width", "head_width", "layers"),
    "text_cfg": ("context_length", "vocab_size", "width", "heads", "layers"),
}
_CLEAN = ("canonicalize", "lower", "whitespace")
"""Ways in which open_clip's tokenizer cleans texts."""

_LARGEST, _MOST_LAYERS = 1_000_000, 1000


def known_config(architecture: str) -> dict[str, Any] | None:
    """Returns open_clip's config of an architecture; None if it has none."""
    # open_clip would look a name with a colon up on the hub.
    return None if ":" in architecture else open_clip.get_model_config(architecture)


def read_config(path: Path) -> dict[str, Any]:
    """Returns the architecture in a config: embed_dim, vision_cfg, text_cfg. Raises ModelError."""
    return _read(path)[0]


def tokenizer_options(path: Path) -> dict[str, str]:
    """Returns the options of open_clip's tokenizer in a config. Raises ModelError for another tokenizer."""
    text = read_config(path)["text_cfg"]
    options = text.get("tokenizer_kwargs") or {}
    if name := text.get("hf_tokenizer_name"):
        raise ModelError(
            f"{path} names the tokenizer {name} of Transformers, which is read for architectures of "
            "open_clip only. Give the name of one of those, without --config."
        )
    if not isinstance(options, dict) or {*options} - {"clean"} or options.get("clean", "lower") not in _CLEAN:
        raise ModelError(f"{path}: tokenizer_kwargs {options} are not known. Only clean is: {_CLEAN}.")
    return options


def stated_settings(architecture: str, path: Path | None) -> list[StatedSettings]:
    """Returns what the architecture and its config state about activation and preprocessing.

    Raises:
        ModelError: the config is no config, contradicts itself, or is of another architecture than its name.
    """
    stated = []
    if architecture.endswith("-quickgelu") or (known_config(architecture) or {}).get("quick_gelu"):
        stated.append(StatedSettings(f"the architecture {architecture}", {"activation": "quick_gelu"}))
    if path is not None:
        config, preprocessing = _read(path)
        _refuse_another_architecture(architecture, config, path)
        stated.append(StatedSettings(str(path), _settings(config, preprocessing, path)))
    return stated


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns the architecture and the preprocessing, empty if the file has none."""
    try:
        whole = json.loads(path.read_text(encoding="utf-8-sig"))
        config = whole.get("model_cfg", whole)
        preprocessing = whole.get("preprocess_cfg") or {}
        parts = [whole, config, preprocessing, config["vision_cfg"], config["text_cfg"]]
        if not all(isinstance(part, dict) for part in parts):
            raise ValueError("a part of it is no object")
        _check_sizes(config)
        return config, preprocessing
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise ModelError(
            f"{path} is not an open_clip model config ({error!r}). It must be JSON with embed_dim, "
            "vision_cfg and text_cfg."
        ) from error


def _check_sizes(config: dict[str, Any]) -> None:
    """Raises ValueError for a size that no model has."""
    sizes = {f"{part}.{name}": config[part].get(name) for part in _SIZES for name in _SIZES[part]}
    for name, value in {"embed_dim": config["embed_dim"], **sizes}.items():
        most = _MOST_LAYERS if name.endswith("layers") else _LARGEST
        for size in value if isinstance(value, list) else [value]:
            if size is not None and not (type(size) is int and 1 <= size <= most):
                raise ValueError(f"{name} is {value!r}, not a whole number from 1 to {most:,}")
    picture, patch = sizes["vision_cfg.image_size"], sizes["vision_cfg.patch_size"]
    if isinstance(picture, int) and isinstance(patch, int) and picture < patch:
        raise ValueError(f"its image_size {picture} is smaller than its patch_size {patch}")
    width, head = (sizes[f"vision_cfg.{name}"] for name in ("width", "head_width"))
    if width and head and width % head:
        raise ValueError(f"its width {width} is no multiple of its head_width {head}")


def _settings(config: dict[str, Any], preprocessing: dict[str, Any], path: Path) -> dict[str, Any]:
    """Returns the settings that a config states. Raises ModelError for those that no run can follow."""
    settings: dict[str, Any] = {}
    if (quick := config.get("quick_gelu")) is not None:
        if not isinstance(quick, bool):
            raise ModelError(f"{path}: quick_gelu is {quick!r}. Write true or false.")
        settings["activation"] = "quick_gelu" if quick else "gelu"
    for name in ("mean", "std"):
        if (value := preprocessing.get(name)) is not None:
            try:
                settings[name] = as_triple(value if isinstance(value, list) else [value] * 3)
            except (ValueError, TypeError):
                raise ModelError(
                    f"{path}: {name} in preprocess_cfg is {value!r}, not three numbers."
                ) from None
            smallest = MIN_STD if name == "std" else 0
            if not all(smallest <= number <= 1 for number in settings[name]):
                raise ModelError(
                    f"{path}: {name} in preprocess_cfg is {value!r}, but of pixels from 0 to 1 it is from "
                    f"{smallest} to 1. Correct the file; divide numbers of pixels from 0 to 255 by 255."
                )
    for name in ("interpolation", "resize_mode"):
        if (value := preprocessing.get(name)) is not None:
            settings[name] = value
    vision_size = config["vision_cfg"].get("image_size", CLIPVisionCfg.image_size)
    for name, expected in (("size", vision_size), ("mode", "RGB"), ("fill_color", 0)):
        value = preprocessing.get(name)
        if value is not None and value not in (expected, [expected] * 2):
            raise ModelError(
                f"{path}: {name} in preprocess_cfg is {value!r}, but the model takes {expected!r}. Correct "
                "the file: pictures would be prepared in another way than in training."
            )
    return settings


def _refuse_another_architecture(architecture: str, config: dict[str, Any], path: Path) -> None:
    """Raises ModelError for a config that differs from open_clip's config of the same name."""
    known = known_config(architecture)
    if known is None:
        return
    ours, theirs = _all_values(config), _all_values(known)
    for name in {**theirs, **ours}:
        if ours.get(name) != theirs.get(name):
            raise ModelError(
                f"{path} has {name} {ours.get(name)}, but open_clip's {architecture} has {theirs.get(name)}. "
                f"Give an architecture of your own a name of its own, such as --model {architecture}-mine/x, "
                "or leave --config out."
            )


def _all_values(config: dict[str, Any]) -> dict[str, Any]:
    defaults = {"vision_cfg": asdict(CLIPVisionCfg()), "text_cfg": asdict(CLIPTextCfg())}
    values = {
        f"{part}.{name}": value
        for part, default in defaults.items()
        for name, value in {**default, **config[part]}.items()
    }
    return {"embed_dim": config["embed_dim"], **values}
