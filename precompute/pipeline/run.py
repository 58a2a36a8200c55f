"""The stages of a run, in order:

    scan_images -> read_inputs -> embed_texts -> check_precision -> decompose_images -> describe_heads
        -> head_selectivity -> validation -> first_views -> head_matches -> leaderboard -> write_bundle

Stages keep results in work files, named by hashes of all they depend on: an interrupted run resumes.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from precompute.inputs.model_specs import ModelSpec
from precompute.pipeline import setup
from precompute.runtime import processes, progress
from precompute.runtime.config import Config
from precompute.stages import (
    check_precision,
    decompose_images,
    describe_heads,
    embed_texts,
    first_views,
    head_matches,
    head_selectivity,
    leaderboard,
    read_inputs,
    scan_images,
    write_bundle,
)
from precompute.stages.read_inputs import RunInputs
from precompute.stages.write_bundle import ModelResult
from precompute.validation import map_scores
from precompute.validation import run as validation_run
from precompute.validation.sample import ImagePass


def run(config: Config) -> Path:
    """Makes the bundle of `config` on this machine; returns its path. Raises UserError."""
    with setup.exclusive_run(config) as (config, directory):
        return build_bundle(config, scan_image_set(config, directory), directory)


def scan_image_set(config: Config, directory: Path) -> scan_images.ImageSet:
    """Scans the images that no earlier run has scanned; returns the image set."""
    return scan_images.load_image_set(setup.scan(config, directory), config.images, config.metadata)


def build_bundle(config: Config, image_set: scan_images.ImageSet, directory: Path) -> Path:
    """Computes missing work files and writes the bundle; returns its path."""
    inputs = read_inputs.read_inputs(config, image_set)
    if config.validation:
        validation_run.check(inputs.class_prompts, inputs.pool)
    results = describe_models(config, inputs, directory)
    matches = match_heads(results, directory, config.seed)
    with progress.StageTimes().measure("writing", f"writing {config.bundle}"):
        trained = [result.model_key for result in results if not result.facts["is_control"]]
        tables = leaderboard.leaderboard_tables(
            [(result.model_key, result.heads) for result in results],
            rotated_of=trained if config.controls else [],
            ranked=trained,
        )
        tables["head_match"] = matches
        options = config.result_options()
        write_bundle.write_bundle(config.bundle, options, inputs, results, tables, replace=config.replace)
    progress.say(f"done: {config.bundle}\nopen it with: headlight view {config.bundle}")
    return config.bundle


def match_heads(results: list[ModelResult], directory: Path, seed: int) -> pd.DataFrame:
    """Returns the table `head_match` of all models of a bundle."""
    models = [
        head_matches.model_heads(result.facts, result.spaces, result.decomposition.shards)
        for result in results
    ]
    with progress.StageTimes().measure("matches"):
        return head_matches.rows(models, directory, seed=seed)


def describe_models(config: Config, inputs: RunInputs, directory: Path) -> list[ModelResult]:
    """Runs all stages of every model, in turn or several at once; shows the time left of the whole run."""
    specs = setup.specs(config)
    turns = setup.turns(specs)
    if config.at_once == 1:
        return [describe_model(spec, config, inputs, directory) for spec in progress.in_turn(specs, turns)]
    alone = replace(config, workers=0)
    describe = partial(describe_model, config=alone, inputs=inputs, directory=directory)
    return processes.each(describe, specs, turns, config.at_once)


def describe_model(spec: ModelSpec, config: Config, inputs: RunInputs, directory: Path) -> ModelResult:
    """Runs all stages of one model. Its weights are released at the end."""
    times, pool, files, reading = progress.StageTimes(), inputs.pool, inputs.image_files, config.read_options
    with times.measure("load"):
        loaded = setup.load(spec, config, directory)
        model, spaces, identity, model_directory = loaded
        map_scores.check_captions(model, inputs.masks)
    with times.measure("texts"):
        text, classes = embed_texts.embed_texts(model, inputs, model_directory)
    with times.measure("precision"):
        precision = check_precision.measure(loaded, files, text, pool, reading)
    with times.measure("decomposition"):
        decomposition = decompose_images.decompose_images(loaded, files, reading, config.gallery_limits)
    with times.measure("heads"):
        heads = describe_heads.heads(
            model.model_key, decomposition, spaces, text, pool, config.head_options, model_directory
        )
    with times.measure("selectivity"):
        rows = head_selectivity.rows(
            decomposition.shards, inputs.attributes, spaces, config.head_options, model_directory
        )
        scores = [("head_selectivity", rows.assign(model_key=model.model_key))]
    contrast = None
    if inputs.masks:
        with times.measure("maps"):
            properties = describe_heads.heads_by_property(heads)
            maps = map_scores.rows(model.exact, inputs.masks, spaces.layers, properties, model_directory)
            scores.append(("validation_score", maps))
            contrast = map_scores.contrast_by_property(maps)
    if config.validation:
        with times.measure("validation"):
            stages = validation_run.StageResults(spaces, decomposition, heads, pool, text)
            sampled = validation_run.image_classes(
                inputs.class_prompts, classes, inputs.attributes, config.validation_images
            )
            image_pass = ImagePass(model.exact, files, model_directory / "validation", reading)
            scores += validation_run.score(image_pass, stages, sampled, config.seed).items()
    with times.measure("first views"):
        choices = first_views.read(decomposition, spaces, heads, text, pool, model.grid)
        views = first_views.rows(choices, inputs.class_prompts, classes, inputs.attributes, contrast)
        scores.append(("first_view", views.assign(model_key=model.model_key)))
    facts = write_bundle.model_facts(model, spaces, decomposition, precision)
    return ModelResult(facts, identity, spaces, decomposition, text, classes, heads, scores, times)
