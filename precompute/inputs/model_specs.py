"""Which models there are, and what must be known of one before its weights can be used.

A model is named `architecture/weights`, as open_clip names them. Activation, mean, std and interpolation
belong to the weights, not to the architecture: the same ViT-B-32 was trained with either activation, and
nothing in a file of weights tells which. They come from the weights tag, or from whoever brings the file;
nothing is guessed.

Knows nothing of open_clip: what open_clip knows comes in as a `Catalog`.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from db.errors import UserError
from precompute import demo
from precompute.demo import words

ACTIVATIONS = ("gelu", "quick_gelu")
INTERPOLATIONS = ("bicubic", "bilinear")
RESIZE_MODES = ("shortest", "longest", "squash")

Triple = tuple[float, float, float]


class ModelError(UserError):
    """A model cannot be used as asked for; the message says why and what to do."""


class WeightsFacts(NamedTuple):
    """What was fixed when the weights were trained, and cannot be read from them."""

    activation: str
    mean: Triple
    std: Triple
    interpolation: str
    resize_mode: str


def as_triple(values: Iterable[float | str]) -> Triple:
    """Three numbers, one for each of red, green and blue."""
    red, green, blue = (float(value) for value in values)
    return red, green, blue


Catalog = dict[str, dict[str, WeightsFacts]]
"""Architecture, then weights tag: everything that is known by name."""


@dataclass(frozen=True)
class ModelSpec:
    """One model: an architecture with one set of weights, and how to feed it."""

    architecture: str
    weights: str
    """Tag of the weights, as open_clip names it, or a name of your own for a file of your own."""

    activation: str
    """gelu or quick_gelu."""

    mean: Triple
    """Of the pixels, subtracted after scaling to 0..1."""

    std: Triple
    interpolation: str
    """bicubic or bilinear."""

    resize_mode: str = "shortest"
    """shortest (then a center crop), longest (then a border) or squash."""

    checkpoint: Path | None = None
    """File to read the weights from; None is open_clip's cache or hub."""

    training_data: str | None = None
    config: Path | None = None
    """JSON of the architecture, where open_clip does not know it."""

    bpe: Path | None = None
    """Merges of the tokenizer (gzip), where it is not the one of the architecture."""

    vocabulary: frozenset[str] | None = None
    """All the words the model was trained on; None for an open vocabulary."""

    seed: int | None = None
    """Seed of fresh random weights; None is trained weights."""

    def __post_init__(self):
        _check_choice("--activation", self.activation, ACTIVATIONS)
        _check_choice("--interpolation", self.interpolation, INTERPOLATIONS)
        _check_choice("--resize-mode", self.resize_mode, RESIZE_MODES)
        if not all(value > 0 for value in self.std):
            raise ModelError(f"--std {self.std}: pixels are divided by it, so each number must be above 0.")

    @property
    def name(self) -> str:
        return f"{self.architecture}/{self.weights}"

    @property
    def is_control(self) -> bool:
        """Whether this is a random-weights twin rather than a trained model."""
        return self.seed is not None

    @property
    def control_of(self) -> str | None:
        """Name of the trained model whose twin this is; None for a trained model."""
        return self.name.removesuffix(f"-random-{self.seed}") if self.is_control else None


STUDY = {
    "ViT-B-32/openai": "WebImageText, 400 M pairs (OpenAI, not public)",
    "ViT-B-32/datacomp_m_s128m_b4k": "DataComp medium, filtered; 128 M samples seen",
    "ViT-B-16/openai": "WebImageText, 400 M pairs (OpenAI, not public)",
    "ViT-B-16/laion2b_s34b_b88k": "LAION-2B, English; 34 B samples seen",
    "ViT-L-14/openai": "WebImageText, 400 M pairs (OpenAI, not public)",
    "ViT-L-14/laion2b_s32b_b82k": "LAION-2B, English; 32 B samples seen",
}
"""The six models of Madasu et al. 2024, and what each was trained on; samples as the tags have them."""


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
) -> ModelSpec:
    """Turn a name and the options given with it into a spec, or say what is missing or contradictory.

    `ARCHITECTURE/WEIGHTS-random-SEED` is the random-weights twin of a model.
    """
    twin = re.fullmatch(r"(.+)-random-(\d+)", name)
    facts = {
        "activation": activation,
        "mean": mean,
        "std": std,
        "interpolation": interpolation,
        "resize_mode": resize_mode,
    }
    files = {"checkpoint": checkpoint, "config": config, "bpe": bpe}
    trained = twin[1] if twin else name
    if trained in demo_specs():
        spec = _resolve_demo(demo_specs()[trained], facts, files)
    else:
        spec = _resolve_open_clip(trained, catalog, facts, files, needs_file=not twin)
    return random_control(spec, int(twin[2])) if twin else spec


def random_control(spec: ModelSpec, seed: int = 0) -> ModelSpec:
    """The same architecture, activation, pixels and tokenizer, with fresh random weights: a control."""
    return replace(
        spec, weights=f"{spec.weights}-random-{seed}", checkpoint=None, training_data=None, seed=seed
    )


def model_key(name: str, weights_sha256: str) -> str:
    """What files, Lance tables and links call the model; two sets of weights never share it."""
    return f"{re.sub(r'[^A-Za-z0-9_-]', '-', name)}-{weights_sha256[:8]}"


def demo_specs() -> dict[str, ModelSpec]:
    """The models that come with this repository."""
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
            training_data=f"scenes that this repository draws; {model.about}",
            config=model.config,
            bpe=demo.BPE_PATH,
            vocabulary=vocabulary,
        )
        for name, model in demo.MODELS.items()
    }


def _resolve_demo(spec: ModelSpec, facts: dict, files: dict) -> ModelSpec:
    known = WeightsFacts(*(getattr(spec, fact) for fact in WeightsFacts._fields))
    return replace(spec, **_agreed(spec.name, known, facts), **_given(files))


def _resolve_open_clip(name: str, catalog: Catalog, facts: dict, files: dict, needs_file: bool) -> ModelSpec:
    architecture, weights = _split(name, catalog, files["config"])
    tags = catalog.get(architecture, {})
    tag = _tag(weights, tags)
    if tag is None and needs_file and files["checkpoint"] is None:
        raise ModelError(f"no weights {weights!r} of {architecture} in open_clip. {_suggest(name, catalog)}")
    name = f"{architecture}/{tag or weights}"
    return ModelSpec(
        architecture=architecture,
        weights=tag or weights,
        training_data=STUDY.get(name),
        **_agreed(name, tags.get(tag or ""), facts),
        **files,
    )


def _split(name: str, catalog: Catalog, config: Path | None) -> tuple[str, str]:
    architecture, _, weights = name.partition("/")
    if config is None and architecture not in catalog:
        raise ModelError(f"no architecture {architecture!r} in open_clip. {_suggest(name, catalog)}")
    if not weights:
        tags = ", ".join(catalog.get(architecture, {})) or "any name of your own"
        raise ModelError(
            f"the model {name!r} has no weights. Write {architecture}/WEIGHTS, with one of: {tags}."
        )
    return architecture, weights


def _tag(weights: str, tags: dict[str, WeightsFacts]) -> str | None:
    """The tag as open_clip spells it; open_clip takes `-` for `_` and either case."""
    spelled = weights.lower().replace("-", "_")
    return spelled if spelled in tags else None


def _agreed(name: str, known: WeightsFacts | None, given: dict) -> dict:
    """Facts of the weights. A tag's are final: an option that contradicts it would be wrong in silence."""
    given = _given(given)
    if known is None:
        return _complete(name, given)
    for fact, value in given.items():
        if value != getattr(known, fact):
            raise ModelError(
                f"--{fact.replace('_', '-')} {value} contradicts {name}, which was trained with "
                f"{getattr(known, fact)}. Leave the option out; weights of your own need a name of their own."
            )
    return known._asdict()


def _complete(name: str, given: dict) -> dict:
    missing = [fact for fact in ("activation", "mean", "std", "interpolation") if fact not in given]
    if missing:
        options = ", ".join(f"--{fact}" for fact in missing)
        raise ModelError(
            f"open_clip does not know the weights {name}, and a file does not say how it was trained. Add "
            f"{options} (--activation {' or '.join(ACTIVATIONS)}; --mean and --std three numbers R,G,B; "
            f"--interpolation {' or '.join(INTERPOLATIONS)}), or name the weights by their tag."
        )
    return {"resize_mode": "shortest", **given}


def _given(options: dict) -> dict:
    return {option: value for option, value in options.items() if value is not None}


def _suggest(name: str, catalog: Catalog) -> str:
    """Names close to what was typed."""
    names = [f"{architecture}/{tag}" for architecture, tags in catalog.items() for tag in tags]
    spelled = {known.lower(): known for known in [*names, *demo_specs()]}
    close = [spelled[match] for match in get_close_matches(name.lower(), spelled, n=5, cutoff=0.5)]
    hint = f"Close names: {', '.join(close)}." if close else f"The models of the study: {', '.join(STUDY)}."
    return f"{hint} A file of your own needs --checkpoint FILE."


def _check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ModelError(f"{option} {value!r} is not known. Use {' or '.join(choices)}.")


def with_controls(specs: Iterable[ModelSpec]) -> list[ModelSpec]:
    """Every trained model followed by its random-weights twin, unless one of its own is given already.

    Models of one architecture get twins of different seeds: equal ones would be one control shown twice.
    """
    given = list(specs)
    has_twin = {spec.control_of for spec in given if spec.is_control}
    built: Counter[str] = Counter()
    found = []
    for spec in given:
        found.append(spec)
        if not spec.is_control and spec.name not in has_twin:
            found.append(random_control(spec, built[spec.architecture]))
            built[spec.architecture] += 1
    return found
