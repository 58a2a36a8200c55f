"""Model specs: the name of a model, its weights, and the settings that the weights need.

A model is named `architecture/weights`, as in open_clip. Activation, mean, std and interpolation belong to
the weights, not to the architecture: ViT-B-32 was trained with either activation, and a checkpoint does not
record which. These settings come from the weights tag, from the model's config or from the user's options.
Nothing is guessed, and sources that contradict each other are an error.

Does not import open_clip: its models are passed in as a `Catalog`.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from db.errors import UserError
from precompute import demo
from precompute.demo.world import words
from precompute.inputs import model_names

ACTIVATIONS = ("gelu", "quick_gelu")
INTERPOLATIONS = ("bicubic", "bilinear")
_LONGEST_NAME = 150

MIN_STD = 1e-3
"""Minimum deviation of pixels from 0 to 1: below that of pixels from 0 to 255 that were not scaled, 1/255."""

RESIZE_MODES = ("shortest", "longest", "squash")

Triple = tuple[float, float, float]


class ModelError(UserError):
    """A model cannot be used as requested; the message says why and what to do."""


class WeightsFacts(NamedTuple):
    """Settings that were fixed in training and cannot be read from the weights."""

    activation: str
    mean: Triple
    std: Triple
    interpolation: str
    resize_mode: str
    repository: str = ""
    """Repository of the weights on the Hugging Face hub; empty if unknown. Not a setting."""

    @property
    def settings(self) -> dict[str, Any]:
        return {field: getattr(self, field) for field in SETTINGS}


SETTINGS = ("activation", "mean", "std", "interpolation", "resize_mode")


class StatedSettings(NamedTuple):
    """Settings of a model that one source states: some or all of `SETTINGS`."""

    source: str
    """Name of the source, for messages."""

    settings: dict[str, Any]


def as_triple(values: Iterable[float | str]) -> Triple:
    """Returns three numbers, one for each of red, green and blue."""
    red, green, blue = (float(value) for value in values)
    return red, green, blue


Catalog = dict[str, dict[str, WeightsFacts]]
"""Settings of all models known by name: architecture -> weights tag -> settings."""


@dataclass(frozen=True)
class ModelSpec:
    """One model: an architecture, one set of weights, and its preprocessing."""

    architecture: str
    weights: str
    """Tag of the weights in open_clip, or a free name for a local file."""

    activation: str
    """gelu or quick_gelu."""

    mean: Triple
    """Pixel mean, subtracted after scaling to 0..1."""

    std: Triple
    interpolation: str
    """bicubic or bilinear."""

    resize_mode: str = "shortest"
    """shortest (then a center crop), longest (then a border) or squash (to a square)."""

    checkpoint: Path | None = None
    """File of the weights; None for open_clip's cache or hub."""

    training_data: str | None = None
    weights_verified: bool | None = None
    """True for weights known to be those published under the tag, False for a file given under the tag of
    which that is not known; None without a tag."""

    given_as: str | None = None
    """Name that a file was given under, if it is not what is published under it."""

    config: Path | None = None
    """JSON file of an architecture that open_clip does not have."""

    bpe: Path | None = None
    """Merges of the tokenizer (gzip); None for the tokenizer of the architecture."""

    vocabulary: frozenset[str] | None = None
    """All words the model was trained on; None for an open vocabulary."""

    seed: int | None = None
    """Seed of random weights; None for trained weights."""

    def __post_init__(self):
        _check_choice("--activation", self.activation, ACTIVATIONS)
        _check_choice("--interpolation", self.interpolation, INTERPOLATIONS)
        _check_choice("--resize-mode", self.resize_mode, RESIZE_MODES)
        if not all(0 <= value <= 1 for value in self.mean):
            raise ModelError(
                f"--mean {self.mean}: pixels are scaled to 0..1 first, so each number must be from 0 to 1. "
                "Divide a mean of pixels from 0 to 255 by 255."
            )
        if not all(MIN_STD <= value <= 1 for value in self.std):
            raise ModelError(
                f"--std {self.std}: pixels from 0 to 1 are divided by it, so each number must be from "
                f"{MIN_STD} to 1: that of photographs is about 0.27. Divide a deviation of pixels from 0 to "
                "255 by 255."
            )

    @property
    def name(self) -> str:
        return f"{self.architecture}/{self.weights}"

    @property
    def is_control(self) -> bool:
        """True for a random-weights control, False for a trained model."""
        return self.seed is not None

    @property
    def control_of(self) -> str | None:
        """Name of the trained model of this control; None for a trained model."""
        return self.name.removesuffix(f"-random-{self.seed}") if self.is_control else None


STUDY = {
    "ViT-B-32/openai": "WebImageText, 400 M pairs (OpenAI, not public)",
    "ViT-B-32/datacomp_m_s128m_b4k": "DataComp medium, filtered; 128 M samples seen",
    "ViT-B-16/openai": "WebImageText, 400 M pairs (OpenAI, not public)",
    "ViT-B-16/laion2b_s34b_b88k": "LAION-2B, English; 34 B samples seen",
    "ViT-L-14/openai": "WebImageText, 400 M pairs (OpenAI, not public)",
    "ViT-L-14/laion2b_s32b_b82k": "LAION-2B, English; 32 B samples seen",
}
"""The six models of Madasu et al. 2024 and their training data; sample counts are those of the tags."""


def resolve(
    name: str,
    catalog: Catalog,
    *,
    checkpoint: Path | None = None,
    activation: str | None = None,
    mean: Triple | None = None,
    std: Triple | None = None,
    interpolation: str | None = None,
    resize_mode: str | None = None,
    config: Path | None = None,
    bpe: Path | None = None,
    stated: Iterable[StatedSettings] = (),
) -> ModelSpec:
    """Returns the spec of a model name and its options. Raises ModelError if options are missing or conflict.

    `ARCHITECTURE/WEIGHTS-random-SEED` names the random-weights control of a model. `stated` are settings of
    the model's architecture and config.
    """
    control = re.fullmatch(r"(.+)-random-([0-9]{1,9})", name)
    options = {
        "activation": activation,
        "mean": mean,
        "std": std,
        "interpolation": interpolation,
        "resize_mode": resize_mode,
    }
    files = {"checkpoint": checkpoint, "config": config, "bpe": bpe}
    if control and checkpoint:
        raise ModelError(
            f"--checkpoint {checkpoint} is given for {name}, a control, which has random weights. Leave it "
            "out."
        )
    trained = control[1] if control else name
    if trained in demo_specs():
        spec = _resolve_demo(demo_specs()[trained], options, files, stated)
    else:
        spec = _resolve_open_clip(trained, catalog, options, files, stated, needs_file=not control)
    return random_control(spec, int(control[2])) if control else spec


def random_control(spec: ModelSpec, seed: int = 0) -> ModelSpec:
    """Returns the control of a model: same architecture, activation, pixels and tokenizer, random weights."""
    return replace(
        spec,
        weights=f"{spec.weights}-random-{seed}",
        checkpoint=None,
        training_data=None,
        weights_verified=None,
        seed=seed,
    )


def model_key(name: str, weights_sha256: str) -> str:
    """Returns the key of a model in file names, Lance tables and links; unique to one set of weights."""
    return f"{re.sub(r'[^A-Za-z0-9_-]', '-', name)}-{weights_sha256[:8]}"


def demo_specs() -> dict[str, ModelSpec]:
    """Returns the specs of the demo models, by name."""
    vocabulary = frozenset(words.VOCABULARY)
    return {
        name: ModelSpec(
            architecture=model.architecture,
            weights=model.weights,
            activation="gelu",
            mean=demo.MEAN,
            std=demo.STD,
            interpolation=demo.INTERPOLATION,
            resize_mode=demo.RESIZE_MODE,
            checkpoint=model.checkpoint,
            training_data=model.training_data,
            config=model.config,
            bpe=demo.BPE_PATH,
            vocabulary=vocabulary,
        )
        for name, model in demo.MODELS.items()
    }


def _resolve_demo(spec: ModelSpec, options: dict, files: dict, stated: Iterable[StatedSettings]) -> ModelSpec:
    for option in ("config", "bpe"):
        if files[option]:
            raise ModelError(f"--{option} {files[option]}: {spec.name} comes with its own. Leave it out.")
    known = StatedSettings(spec.name, {field: getattr(spec, field) for field in SETTINGS})
    return replace(spec, **_agreed(spec.name, options, [known, *stated]), **_not_none(files))


def _resolve_open_clip(
    name: str,
    catalog: Catalog,
    options: dict,
    files: dict,
    stated: Iterable[StatedSettings],
    needs_file: bool,
) -> ModelSpec:
    architecture, weights = _split(name, catalog, files["config"])
    tags = catalog.get(architecture, {})
    tag = _tag(weights, tags)
    if tag is None and needs_file and files["checkpoint"] is None:
        raise ModelError(f"no weights {weights!r} of {architecture} in open_clip. {_suggest(name, catalog)}")
    name = f"{architecture}/{tag or weights}"
    if tag and files["bpe"]:
        raise ModelError(
            f"--bpe {files['bpe']}: {name} was trained with open_clip's tokenizer. Leave the option out; "
            "weights of your own need a name of their own."
        )
    known = [StatedSettings(name, tags[tag].settings)] if tag else []
    return ModelSpec(
        architecture=architecture,
        weights=tag or weights,
        training_data=STUDY.get(name),
        **_agreed(name, options, [*known, *stated]),
        **files,
    )


def _split(name: str, catalog: Catalog, config: Path | None) -> tuple[str, str]:
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise ModelError(
            f"--model {name[:_LONGEST_NAME]!r}: give a name of at most {_LONGEST_NAME} printable characters. "
            "Files of the bundle are named by it."
        )
    architecture, _, weights = name.partition("/")
    if architecture not in catalog and (config is None or ":" in architecture or not architecture):
        if explanation := model_names.explain(name, catalog, _repositories(catalog)):
            raise ModelError(explanation)
        raise ModelError(f"no architecture {architecture!r} in open_clip. {_suggest(name, catalog)}")
    if not weights:
        tags = ", ".join(catalog.get(architecture, {})) or "any name of your own"
        raise ModelError(
            f"the model {name!r} has no weights. Write {architecture}/WEIGHTS, with one of: {tags}."
        )
    return architecture, weights


def _repositories(catalog: Catalog) -> dict[str, str]:
    """Returns the first model of each repository of the hub, by repository in lower case."""
    models = {
        facts.repository.lower(): f"{architecture}/{tag}"
        for architecture, tags in reversed(catalog.items())
        for tag, facts in tags.items()
    }
    models.pop("", None)
    return models


def _tag(weights: str, tags: dict[str, WeightsFacts]) -> str | None:
    """Returns the tag as open_clip spells it. Like open_clip, accepts `-` for `_` and either case."""
    spelled = weights.lower().replace("-", "_")
    return spelled if spelled in tags else None


def _agreed(name: str, options: dict, stated: Iterable[StatedSettings]) -> dict:
    """Returns the settings that all sources agree on. Raises ModelError if two contradict each other.

    Either of two contradicting settings would give wrong results without any error.
    """
    settings: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for source, values in stated:
        for field, value in values.items():
            if settings.setdefault(field, value) != value:
                raise ModelError(
                    f"{source} says {field} {value}, but {sources[field]} says {settings[field]}: one of "
                    "them is not about these weights. Correct the file, or give the model a name of its own."
                )
            sources.setdefault(field, source)
    for field, value in _not_none(options).items():
        if settings.setdefault(field, value) != value:
            raise ModelError(
                f"--{field.replace('_', '-')} {value} contradicts {sources[field]}, which says "
                f"{settings[field]}. Leave the option out; weights of your own need a name of their own."
            )
    return _complete(name, settings)


def _complete(name: str, settings: dict) -> dict:
    missing = [field for field in ("activation", "mean", "std", "interpolation") if field not in settings]
    if missing:
        flags = ", ".join(f"--{field}" for field in missing)
        raise ModelError(
            f"open_clip does not know the weights {name}, and a file does not say how it was trained. Add "
            f"{flags} (--activation {' or '.join(ACTIVATIONS)}; --mean and --std three numbers R,G,B; "
            f"--interpolation {' or '.join(INTERPOLATIONS)}), or name the weights by their tag."
        )
    return {"resize_mode": "shortest", **settings}


def _not_none(options: dict) -> dict:
    return {option: value for option, value in options.items() if value is not None}


def _suggest(name: str, catalog: Catalog) -> str:
    """Returns the hint of an error: names close to `name`, or the models of the study."""
    names = [f"{architecture}/{tag}" for architecture, tags in catalog.items() for tag in tags]
    close = model_names.close_names(name, [*names, *demo_specs()])
    hint = f"Close names: {', '.join(close)}." if close else f"The models of the study: {', '.join(STUDY)}."
    return f"{hint} A file of your own needs --checkpoint FILE."


def _check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ModelError(f"{option} {value!r} is not known. Use {' or '.join(choices)}.")


def with_controls(specs: Iterable[ModelSpec]) -> list[ModelSpec]:
    """Returns the specs, each trained model followed by its control unless `specs` already has one for it.

    Models of one architecture get controls of different seeds: with equal seeds, all of them would be the
    same control.
    """
    models = list(specs)
    with_control = {spec.control_of for spec in models if spec.is_control}
    seeds: Counter[str] = Counter()  # next seed by architecture
    result = []
    for spec in models:
        result.append(spec)
        if not spec.is_control and spec.name not in with_control:
            result.append(random_control(spec, seeds[spec.architecture]))
            seeds[spec.architecture] += 1
    return result
