"""CLIP models built from a spec, with weights in float32 and a precision of matrix products."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import open_clip
import torch
from jaxtyping import Float
from open_clip.model import CLIP, CustomTextCLIP
from open_clip.pretrained import get_pretrained_cfg, list_pretrained
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from torch import Tensor

from precompute.clip import checkpoints, configs, download
from precompute.clip.precision import multiply_exactly
from precompute.clip.supported import refuse_config, refuse_tower
from precompute.inputs import model_specs
from precompute.inputs.model_specs import Catalog, ModelError, ModelSpec, WeightsFacts, as_triple, model_key
from precompute.runtime.config import ModelChoice, Precision

MAX_SCALED_PIXELS = 2**24
"""Largest picture to make of a thin one before its center is cut out: 64 MiB."""


@dataclass(frozen=True)
class Preprocess:
    """open_clip's preprocessing of one picture: PIL image -> Float[Tensor, "3 h w"].

    A model that resizes the shorter side makes a picture of 1 GB of a strip of 60,000 x 60 pixels, of which
    it sees a square. Of such a strip only the square is resized, to the same pixels but for rounding. One
    that resizes the longer side would leave no pixel of the shorter one: it keeps one.
    """

    transform: Callable
    size: int
    interpolation: str
    resize_mode: str
    max_pixels: int = MAX_SCALED_PIXELS

    def __call__(self, image: Image.Image) -> Tensor:
        shorter, longer = sorted(image.size)
        scaled = [self.size * side // shorter for side in image.size]
        if self.resize_mode == "shortest" and scaled[0] * scaled[1] > self.max_pixels:
            image = self._resize_center(image, *scaled)
        if self.resize_mode == "longest" and round(shorter * self.size / longer) == 0:
            size = [max(1, self.size * side // longer) for side in image.size]
            image = image.resize((size[0], size[1]), self._resampling)
        return self.transform(image)

    def _resize_center(self, image: Image.Image, width: int, height: int) -> Image.Image:
        """Returns the central square of a picture resized to width x height."""
        left, top = round((width - self.size) / 2), round((height - self.size) / 2)
        x, y = image.width / width, image.height / height
        # Width first, as Pillow does: it rounds to 8 bits between the two.
        columns = (left * x, 0, (left + self.size) * x, image.height)
        rows = (0, top * y, self.size, (top + self.size) * y)
        image = image.resize((self.size, image.height), self._resampling, box=columns)
        return image.resize((self.size, self.size), self._resampling, box=rows)

    @property
    def _resampling(self) -> Image.Resampling:
        return Image.Resampling[self.interpolation.upper()]


@dataclass(frozen=True, eq=False)
class Clip:
    """A loaded model with weights in float32. Sizes come from the model itself."""

    spec: ModelSpec
    model: Any
    """open_clip's CLIP or CustomTextCLIP."""

    weights_sha256: str
    """Hash of the tensors, not of the file: see `checkpoints.fingerprint`."""

    layers: int
    heads: int
    """Number of heads of one layer."""

    d_head: int
    d_model: int
    d_out: int
    image_size: int
    """Side of the square input image, pixels."""

    patch_size: int
    grid: tuple[int, int]
    """Rows and columns of patches."""

    parameters: int
    context_length: int
    """Number of tokens of the longest text, start and end included."""

    preprocess: Callable
    """PIL image -> Float[Tensor, "3 h w"]."""

    device: torch.device
    precision: Precision = "float32"
    """Precision of matrix products of the image tower in `capture`; all else is float32."""

    @property
    def model_key(self) -> str:
        return model_key(self.spec.name, self.weights_sha256)

    @property
    def exact(self) -> "Clip":
        """The same model with matrix products in float32."""
        return replace(self, precision="float32")


@lru_cache
def catalog() -> Catalog:
    """Returns all architectures and weights tags of open_clip, with the training facts of each tag."""
    catalog: Catalog = {architecture: {} for architecture in open_clip.list_models()}
    for architecture, tag in list_pretrained():
        facts = get_pretrained_cfg(architecture, tag)
        # A tag without the entry takes it from the architecture's config, not from the architecture's name.
        config = open_clip.get_model_config(architecture) or {}
        quick = facts.get("quick_gelu", config.get("quick_gelu", False))
        catalog.setdefault(architecture, {})[tag] = WeightsFacts(
            activation="quick_gelu" if quick else "gelu",
            mean=as_triple(facts["mean"]),
            std=as_triple(facts["std"]),
            interpolation=facts["interpolation"],
            resize_mode=facts["resize_mode"],
            repository=facts.get("hf_hub", "").rpartition("/")[0],
        )
    return catalog


def load(spec: ModelSpec, *, device: str = "cpu", precision: Precision = "float32") -> Clip:
    """Builds the architecture, checks that it can be decomposed exactly, and loads its weights.

    Raises:
        ModelError: the tower is not supported, or the weights are missing or do not fit.
    """
    config = check(spec)
    path = weights_file(spec)
    model = _build(spec, config)
    if path is not None:
        state = checkpoints.read(path, trusted_sha256=download.program_sha256(spec))
        checkpoints.load_into(model, state, path, spec.name)
    return from_model(spec, model, device=device, precision=precision)


def check(spec: ModelSpec) -> dict:
    """Returns the architecture's config, without downloads. Raises ModelError if it cannot be decomposed."""
    config = _config(spec)
    refuse_config(spec, config)
    with torch.device("meta"):  # without memory
        refuse_tower(spec, _build(spec, config).visual)
    return config


def weights_file(spec: ModelSpec) -> Path | None:
    """Returns the file of weights, downloaded if needed; None for a random-weights control, which has none.

    Raises:
        ModelError: no such file, or it cannot be downloaded.
    """
    if spec.is_control:
        return None
    return checkpoints.existing_file(spec.checkpoint) if spec.checkpoint else download.fetch(spec)


def from_model(spec: ModelSpec, model: Any, *, device: str = "cpu", precision: Precision = "float32") -> Clip:
    """Returns a Clip of an open_clip model with loaded weights."""
    visual = model.visual
    refuse_tower(spec, visual)
    multiply_exactly(torch.device(device))
    model = model.float().eval().requires_grad_(False).to(device)
    d_model, d_out = visual.proj.shape
    heads = visual.transformer.resblocks[0].attn.num_heads
    pixels = {key: getattr(spec, key) for key in ("mean", "std", "interpolation", "resize_mode")}
    return Clip(
        spec=spec,
        model=model,
        weights_sha256=checkpoints.fingerprint(model),
        layers=len(visual.transformer.resblocks),
        heads=heads,
        d_head=d_model // heads,
        d_model=d_model,
        d_out=d_out,
        image_size=visual.image_size[0],
        patch_size=visual.patch_size[0],
        grid=tuple(visual.grid_size),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        context_length=model.context_length,
        preprocess=Preprocess(
            image_transform_v2(PreprocessCfg(size=visual.image_size, **pixels), is_train=False),
            visual.image_size[0],
            spec.interpolation,
            spec.resize_mode,
        ),
        device=torch.device(device),
        precision=precision,
    )


@torch.no_grad()
def encode_image(clip: Clip, pixels: Float[Tensor, "image 3 h w"]) -> Float[Tensor, "image d_out"]:
    """Returns embeddings as open_clip computes them, not normalized."""
    return clip.model.encode_image(pixels.to(clip.device))


_random_state = Lock()
"""Threads share the random state of torch: two sessions of the app that load models would mix weights."""


def _build(spec: ModelSpec, config: dict) -> Any:
    """The architecture with random weights that depend on the seed; keeps the caller's random state."""
    config = deepcopy(config)
    text = config["text_cfg"]
    separate_text_tower = config.pop("custom_text", False) or "hf_model_name" in text
    if "hf_model_name" in text:
        text["hf_model_pretrained"] = False  # the file has these weights; True would download others
    config["quick_gelu"] = spec.activation == "quick_gelu"
    with _random_state, torch.random.fork_rng(devices=[]):
        torch.manual_seed(spec.seed or 0)
        try:
            return (CustomTextCLIP if separate_text_tower else CLIP)(**config)
        except Exception as error:
            raise ModelError(f"open_clip cannot build {spec.architecture}: {error}") from error


def _config(spec: ModelSpec) -> dict:
    if spec.config is not None:
        configs.tokenizer_options(spec.config)
        return configs.read_config(spec.config)
    config = configs.known_config(spec.architecture)
    if config is None:
        raise ModelError(f"no architecture {spec.architecture!r} in open_clip. Give its config JSON.")
    return config


def resolve(choice: ModelChoice) -> ModelSpec:
    """Returns the spec of a model choice.

    Raises:
        ModelError: the name, the options, the config and the weights are not those of one model.
    """
    options = asdict(choice)
    name = options.pop("name")
    stated = configs.stated_settings(name.partition("/")[0], choice.config)
    return download.with_origin(model_specs.resolve(name, catalog(), stated=stated, **options))
