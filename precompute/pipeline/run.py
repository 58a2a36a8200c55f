"""The order of the stages, top to bottom, and nothing else:

    images -> clip -> decomposition -> moments -> textspan -> labels -> metrics -> bundle

What a stage has finished lies in work files beside the bundle, named by the hash of what it depends on, so a
run that was stopped goes on and a changed option never meets old results.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from db.atomic_directory import check_free
from db.layout import FORMAT
from precompute import clip
from precompute.inputs import images, model_specs, prompts, text_pool
from precompute.method.types import Pool
from precompute.pipeline import setup
from precompute.pipeline.setup import work_directory
from precompute.runtime import progress, work_files
from precompute.runtime.config import METHOD_VERSION, Config
from precompute.stages import (
    check_precision,
    decompose_images,
    describe_heads,
    head_selectivity,
    leaderboard,
    scan_images,
    write_bundle,
)
from precompute.validation import map_scores
from precompute.validation import run as validation_run

Timing = dict[str, tuple[datetime, float]]

Made = Callable[[Path], scan_images.Listing]
"""Given the work directory, sees to it that all that is made of the images lies in it."""


class Given(NamedTuple):
    """What a run has read before it loads a model."""

    pictures: scan_images.ImageSet
    texts: Pool
    prompts: prompts.Prompts
    asked: list[tuple[str, str, str]]
    """Attribute, value and text of everything that can be asked zero-shot."""

    masked: list[images.MaskedPicture]


def run(config: Config, made: Made | None = None) -> Path:
    """Take every model of `config` apart and write the bundle; return its path.

    `made` sees to it that the images are read and taken apart by other processes; None does it here.

    Raises:
        StoreError: the bundle exists and may not be replaced, or cannot be written.
        ModelError, TextError, ImagesError, PoolError, PromptError, WorkError: with what to do about it.
    """
    check_free(config.bundle, replace=config.replace)
    # Names, options and weights are checked for all models before the first of them takes its hours.
    config, specs = setup.ready(config)
    texts = text_pool.load(config.texts)
    ways = prompts.load(config.prompts) if config.prompts else prompts.DEFAULT
    masked = images.read_masks(config.masks) if config.masks else []
    with work_files.locked(work_directory(config.bundle)) as directory:
        listing = made(directory) if made else setup.scan(config, directory)
        pictures = scan_images.load_image_set(listing, config.images, config.metadata)
        progress.say(_summary(pictures, texts))
        asked = _asked(ways, config, pictures)
        if config.truth:
            validation_run.check(asked)
        given = Given(pictures, texts, ways, asked, masked)
        turns = [
            progress.Turn(spec.name, spec.architecture, clip.cost_of_image(spec.architecture, spec.config))
            for spec in specs
        ]
        each = progress.in_turn(specs, turns)
        results = [_one_model(spec, config, given, directory) for spec in each]
        with _stage({}, "writing", f"writing {config.bundle}"):
            board = leaderboard.leaderboard_tables(
                [(result.model_key, result.described) for result in results],
                rotated_of=[result.model_key for result in results if _has_controls(result, config)],
                ranked=[result.model_key for result in results if not result.facts["is_control"]],
            )
            input_id = _input_id(config, results, given)
            write_bundle.write(config, input_id, pictures, texts, asked, results, board)
    progress.say(f"done: {config.bundle}\nopen it with: python -m dashboard --bundle {config.bundle}")
    return config.bundle


def _one_model(
    spec: model_specs.ModelSpec, config: Config, given: Given, directory: Path
) -> write_bundle.ModelResult:
    """All stages of one model. Its weights are let go at the end."""
    timing: Timing = {}
    with _stage(timing, "load", f"loading {spec.name}"):
        model, spaces, identity, mine = setup.load(spec, config, directory)
    map_scores.check_captions(model, given.masked)
    with _stage(timing, "texts"):
        text = _text_embeddings(model, given.texts, mine)
        classes = _class_embeddings(model, given, mine)
    with _stage(timing, "precision"):
        distinct = given.pictures.image_files
        rounded = check_precision.measure(
            model, spaces, distinct, text, given.texts, mine, config.read_options
        )
    with _stage(timing, "decomposition"):
        taken = decompose_images.decompose_images(
            model, spaces, distinct, mine, config.read_options, config.gallery_limits
        )
    with _stage(timing, "heads"):
        described = describe_heads.heads(
            model.model_key,
            taken.moments,
            taken.components,
            spaces,
            text,
            given.texts,
            config.head_options,
            mine,
        )
    seen = validation_run.Seen(spaces, taken, described, given.texts, text)
    truth = [*_against_known(model, seen, classes, config, given, mine, timing)]
    facts = write_bundle.model_facts(model, spaces, taken, rounded)
    return write_bundle.ModelResult(
        facts, identity, spaces, taken.shards, taken.gallery, text, classes, described, truth, timing
    )


def _against_known(
    model: clip.Clip,
    seen: validation_run.Seen,
    classes: Float[Tensor, "value d_out"],
    config: Config,
    given: Given,
    directory: Path,
    timing: Timing,
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Tables of one model that need to know what is in the images, with their rows."""
    with _stage(timing, "selectivity"):
        rows = head_selectivity.rows(
            seen.taken.shards,
            given.pictures.attributes,
            seen.spaces,
            replicates=config.replicates,
            seed=config.seed,
            directory=directory,
        )
        yield "head_selectivity", rows.assign(model_key=model.model_key)
    if given.masked:
        with _stage(timing, "maps"):
            labeled = describe_heads.heads_by_property(seen.described)
            layers = seen.spaces.layers
            yield "truth_score", map_scores.rows(model.exact, given.masked, layers, labeled, directory)
    if config.truth:
        with _stage(timing, "truth"):
            known = validation_run.known(given.asked, classes, given.pictures.attributes, config.truth_images)
            work_files = directory / "truth"
            scored = validation_run.score(
                model.exact,
                seen,
                known,
                given.pictures.image_files,
                work_files,
                config.read_options,
                config.seed,
            )
            yield from scored.items()


def _text_embeddings(model: clip.Clip, texts: Pool, directory: Path) -> Float[Tensor, "text d_out"]:
    """The pool's embeddings, computed once per model and pool."""
    path = directory / f"texts-{work_files.key_of(texts.texts)}.safetensors"
    return work_files.load_or_compute(path, lambda: {"text": clip.encode_text(model, texts.texts)})["text"]


def _class_embeddings(model: clip.Clip, given: Given, directory: Path) -> Float[Tensor, "value d_out"]:
    """Embeddings of the prompts, computed once per model and prompts.

    Raises:
        TextError: the model cannot read a prompt; names its line.
    """

    def compute() -> dict[str, Tensor]:
        for attribute, value, text in given.asked:
            try:
                clip.check_text(model, text)
            except clip.TextError as error:
                line = prompts.where(given.prompts, attribute, value)
                other = "" if given.prompts != prompts.DEFAULT else " Give --prompts, or --no-class-folders."
                raise clip.TextError(f"{line} ({attribute} {value!r}, {text!r}): {error}{other}") from error
        return {"text": clip.encode_text(model, [text for _, _, text in given.asked])}

    return work_files.load_or_compute(
        directory / f"classes-{work_files.key_of(given.asked)}.safetensors", compute
    )["text"]


def _asked(
    ways: prompts.Prompts, config: Config, pictures: scan_images.ImageSet
) -> list[tuple[str, str, str]]:
    """What can be asked of these images; says which prompts are for nothing that they have."""
    asked = prompts.expand(ways, pictures.attributes)
    unused = prompts.unused(ways, pictures.attributes)
    if config.prompts and not asked:
        raise prompts.PromptError(
            f"{config.prompts} asks for {', '.join(unused)}, but nothing of that is known of the images. "
            "Give what is known with --metadata CSV, a column for each attribute."
        )
    if config.prompts and unused:
        progress.say(f"not asked, for no image has it: {', '.join(unused)}.")
    return asked


def _has_controls(result: write_bundle.ModelResult, config: Config) -> bool:
    return config.controls and not result.facts["is_control"]


def _input_id(config: Config, results: list[write_bundle.ModelResult], given: Given) -> str:
    """Hash of everything the bundle depends on; equal on any machine."""
    attributes = given.pictures.attributes.sort_values(["image_id", "attribute", "value"])
    texts = given.texts
    return work_files.key_of(
        FORMAT,
        METHOD_VERSION,
        [result.identity for result in results],
        list(given.pictures.image_files),
        attributes.to_numpy().tolist(),
        [texts.texts, texts.properties, texts.tags.to(torch.uint8).tolist()],
        given.asked,
        images.mask_identity(given.masked),
        config.result_options(),
    )


def _summary(pictures: scan_images.ImageSet, texts: Pool) -> str:
    failed = (
        f", {len(pictures.failed)} could not be read (listed in failed_image)" if len(pictures.failed) else ""
    )
    copies = len(pictures.files) - len(pictures.image_files)
    same = f", {copies} of them copies of others" if copies else ""
    dropped = texts.dropped_duplicates + texts.dropped_empty
    left_out = f", {dropped} repeated or empty lines left out" if dropped else ""
    return "; ".join(
        [
            f"{len(pictures.files)} images{same}{failed}",
            *pictures.notes,
            f"{len(texts.texts)} texts of {len(texts.properties)} properties{left_out}",
        ]
    )


@contextmanager
def _stage(timing: Timing, name: str, message: str = "") -> Iterator[None]:
    if message:
        progress.say(message)
    started, clock = datetime.now(UTC), time.perf_counter()
    yield
    timing[name] = (started, time.perf_counter() - clock)
