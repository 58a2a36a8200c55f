"""The order of the stages, top to bottom, and nothing else:

    images -> clip -> decomposition -> moments -> textspan -> labels -> metrics -> bundle

What a stage has finished lies in work files beside the bundle, named by the hash of what it depends on, so a
run that was stopped goes on and a changed option never meets old results.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from db.aside import check_free
from db.layout import FORMAT
from precompute import bundling, clip, decomposition, describe, intake, models, passes, pool, progress, work
from precompute.config import METHOD_VERSION, Config, ConfigError, ModelChoice
from precompute.types import Pool

Timing = dict[str, tuple[datetime, float]]


def run(config: Config) -> Path:
    """Take every model of `config` apart and write the bundle; return its path.

    Raises:
        StoreError: the bundle exists and may not be replaced, or cannot be written.
        ModelError, TextError, ImagesError, PoolError, WorkError: with what to do about it.
    """
    check_free(config.bundle, replace=config.replace)
    _check_device(config.device)
    # Names and options are checked for all models before the first of them takes its hours.
    specs = [_resolve(choice) for choice in config.models]
    texts = pool.load(config.texts)
    with work.locked(work_directory(config.bundle)) as directory:
        pictures = intake.read(
            config.images, config.metadata, directory, workers=config.workers, thumbnails=config.thumbnails
        )
        progress.say(_summary(pictures, texts))
        results = [_one_model(spec, config, pictures, texts, directory) for spec in specs]
        with _stage({}, "writing", f"writing {config.bundle}"):
            board = describe.board([(result.model_key, result.described) for result in results])
            bundling.write(
                config, _input_id(config, results, pictures, texts), pictures, texts, results, board
            )
    progress.say(f"done: {config.bundle}\nopen it with: python -m dashboard --bundle {config.bundle}")
    return config.bundle


def _check_device(device: str) -> None:
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available.get(device.split(":")[0], False):
        there = ", ".join(name for name, is_there in available.items() if is_there)
        raise ConfigError(f"--device {device} is not available here. Use one of: {there}.")


def work_directory(bundle: Path) -> Path:
    """Where the work files of a bundle lie; safe to delete once the bundle is there."""
    return bundle.with_name(f".{bundle.name}.work")


def _resolve(choice: ModelChoice) -> models.ModelSpec:
    given = asdict(choice)
    return models.resolve(given.pop("name"), clip.catalog(), **given)


def _one_model(
    spec: models.ModelSpec, config: Config, pictures: intake.Intake, texts: Pool, directory: Path
) -> bundling.ModelResult:
    """All stages of one model. Its weights are let go at the end."""
    timing: Timing = {}
    with _stage(timing, "load", f"loading {spec.name}"):
        model = clip.load(spec, device=config.device)
        layers = clip.last_layers(model, config.layers)
        spaces = decomposition.head_spaces(clip.vision_weights(model), layers)
    mine = directory / f"model-{work.key_of(METHOD_VERSION, _identity(model), layers)}"
    with _stage(timing, "texts"):
        text = _text_embeddings(model, texts, mine)
    with _stage(timing, "decomposition"):
        taken = passes.take_apart(model, spaces, pictures.distinct, mine, config)
    with _stage(timing, "heads"):
        described = describe.heads(
            model.model_key, taken.moments, taken.components, spaces, text, texts, config
        )
    facts = bundling.model_facts(model, spaces, taken)
    return bundling.ModelResult(
        facts, _identity(model), spaces, taken.shards, taken.gallery, text, described, timing
    )


def _identity(model: clip.Clip) -> list[object]:
    """What the numbers of a model depend on: its weights, and all that no file of weights tells."""
    spec = model.spec
    files = [work.hash_of(path) for path in (spec.config, spec.bpe) if path is not None]
    fed = [spec.activation, spec.mean, spec.std, spec.interpolation, spec.resize_mode]
    return [
        model.model_key,
        model.weights_sha256,
        model.heads,
        model.patch_size,
        model.image_size,
        fed,
        files,
    ]


def _text_embeddings(model: clip.Clip, texts: Pool, directory: Path) -> Float[Tensor, "text d_out"]:
    """The pool's embeddings, computed once per model and pool."""
    path = directory / f"texts-{work.key_of(texts.texts)}.safetensors"
    if not path.exists():
        work.save_tensors(path, {"text": clip.encode_text(model, texts.texts)})
    return work.load_tensors(path)["text"]


def _input_id(
    config: Config, results: list[bundling.ModelResult], pictures: intake.Intake, texts: Pool
) -> str:
    """Hash of everything the bundle depends on; equal on any machine."""
    return work.key_of(
        FORMAT,
        METHOD_VERSION,
        [result.identity for result in results],
        list(pictures.distinct),
        pictures.attributes.sort_values(["image_id", "attribute", "value"]).to_numpy().tolist(),
        [texts.texts, texts.properties, texts.tags.to(torch.uint8).tolist()],
        config.result_options(),
    )


def _summary(pictures: intake.Intake, texts: Pool) -> str:
    failed = (
        f", {len(pictures.failed)} could not be read (listed in failed_image)" if len(pictures.failed) else ""
    )
    copies = len(pictures.files) - len(pictures.distinct)
    same = f", {copies} of them copies of others" if copies else ""
    dropped = texts.dropped_duplicates + texts.dropped_empty
    left_out = f", {dropped} repeated or empty lines left out" if dropped else ""
    return (
        f"{len(pictures.files)} images{same}{failed}; {len(texts.texts)} texts of "
        f"{len(texts.properties)} properties{left_out}"
    )


@contextmanager
def _stage(timing: Timing, name: str, message: str = "") -> Iterator[None]:
    if message:
        progress.say(message)
    started, clock = datetime.now(UTC), time.perf_counter()
    yield
    timing[name] = (started, time.perf_counter() - clock)
