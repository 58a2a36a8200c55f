"""The stage that scores what the tool says of a model against what is known of its images.

    sample -> ablations -> margins, direct and forward -> tables head_validation and validation_score

What was finished lies in work files: those of the pass over all layers are named by their images, those of
the ablations lie in a directory named by all that they depend on.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from precompute import clip
from precompute.inputs import images, prompts
from precompute.inputs.prompts import ClassPrompt
from precompute.method import decomposition, moments, selectivity
from precompute.method.types import Classes, HeadSpaces, Pool
from precompute.runtime import progress, work_files
from precompute.runtime.config import ConfigError, ReadOptions
from precompute.runtime.method_versions import METHOD_VERSIONS
from precompute.stages import decompose_images
from precompute.stages.describe_heads import HeadDescriptions
from precompute.validation import (
    forward_effects,
    interventions,
    label_accuracy,
    neighbor_precision,
    zero_shot,
)
from precompute.validation import rows as score_rows
from precompute.validation import sample as sampling
from precompute.validation.interventions import Ablation
from precompute.validation.sample import Sample
from precompute.validation.subjects import Subject

NOTHING_TO_ASK = (
    "--validation needs an attribute that images differ in, with a text for each of its values. Give what is "
    "known of the images (--metadata CSV, a column for each attribute) and how it is asked (--prompts FILE)."
)


class Known(NamedTuple):
    """What is known of the sampled images, and how it is asked."""

    image_id: list[str]
    classes: list[Classes]
    """The axis `image` of each is that of `image_id`."""

    prompts: list[ClassPrompt]
    """Attribute, value and text, as they were asked: what the embeddings in `classes` depend on."""


def known(
    asked: Sequence[ClassPrompt], text: Float[Tensor, "value d_out"], attributes: pd.DataFrame, count: int
) -> Known:
    """At most `count` of the images that have an asked attribute, and what each of them carries.

    `text` has one row for each entry of `asked` (attribute, value, text).
    """
    names = {attribute for attribute, _, _ in asked}
    image_id = sampling.choose(attributes.loc[attributes["attribute"].isin(names), "image_id"], count)
    return Known(image_id, prompts.classes(asked, text, attributes, image_id), list(asked))


def check(asked: Sequence[ClassPrompt]) -> None:
    """Raise ConfigError, before anything is computed, if no attribute has two values to tell apart."""
    values = Counter(attribute for attribute, _, _ in asked)
    if not any(count > 1 for count in values.values()):
        raise ConfigError(NOTHING_TO_ASK)


class StageResults(NamedTuple):
    """Results of the earlier stages for one model."""

    spaces: HeadSpaces
    taken: decompose_images.DecompositionResult
    described: HeadDescriptions
    pool: Pool
    text: Float[Tensor, "text d_out"]


class _Measured(NamedTuple):
    """Everything that the tables are made of."""

    attributes: list[str]
    chance: list[float]
    own: Int[Tensor, "image attribute"]
    sample: Sample
    ablations: list[Ablation]
    """Nothing first, then every decomposed head by itself, then the rest."""

    margins: dict[str, Float[Tensor, "ablation image attribute"]]
    """By effect."""

    selectivity: Float[Tensor, "head attribute"]


def score(
    model: clip.Clip,
    results: StageResults,
    known: Known,
    distinct: dict[str, images.ImageFile],
    directory: Path,
    options: ReadOptions,
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Rows of head_validation, and of validation_score but for its study maps, of one model."""
    known = known._replace(classes=_usable(known.classes))
    measured = _measure(model, results, known, distinct, directory, options, seed)
    heads = len(measured.selectivity)
    loss, accuracy_loss = {}, {}
    for effect, margins in measured.margins.items():
        single = margins[: 1 + heads]
        accuracy = score_rows.accuracies(single)
        loss[effect], accuracy_loss[effect] = score_rows.losses(single)[1:], (accuracy[0] - accuracy)[1:]
    count = (measured.own != zero_shot.NONE).sum(dim=0).tolist()
    scores = [
        _mean_ablation(measured, heads),
        _label_scores(measured, loss, results),
        score_rows.neighbors(_vectors(measured.sample, results), measured.attributes, measured.own),
    ]
    places = [(layer, head) for layer in results.spaces.layers for head in range(model.heads)]
    each = score_rows.head_validation(
        places, measured.attributes, loss, accuracy_loss, measured.selectivity, count
    )
    tables = {"head_validation": each, "validation_score": pd.concat(scores, ignore_index=True)}
    for rows in tables.values():
        rows.insert(0, "model_key", model.model_key)
    return tables


def _usable(classes: Sequence[Classes]) -> list[Classes]:
    """Attributes that can tell images apart; what is left out is said."""
    usable = []
    for one in classes:
        own = zero_shot.own_value(one.carried)
        if len(own[own != zero_shot.NONE].unique()) > 1:
            usable.append(one)
        else:
            progress.say(
                f"left out of the validation: {one.attribute}; no two images of different values to ask of."
            )
    if not usable:
        raise ConfigError(NOTHING_TO_ASK)
    return usable


def _measure(
    model: clip.Clip,
    results: StageResults,
    known: Known,
    distinct: dict[str, images.ImageFile],
    directory: Path,
    options: ReadOptions,
    seed: int,
) -> _Measured:
    spaces, classes = results.spaces, known.classes
    attributes = [one.attribute for one in classes]
    own = torch.stack([zero_shot.own_value(one.carried) for one in classes], dim=1)
    sample = sampling.read(
        model, spaces.layers[0], results.taken.shards, known.image_id, distinct, directory, options
    )
    ablations = _ablations(results, attributes, seed)
    head_map = decomposition.plan(clip.vision_weights(model), spaces).head_map
    reduced = interventions.reduction(spaces, head_map, results.described.spans, results.text)
    direct = [
        interventions.direct_margins(ablations, sample, spaces, reduced, one.text, value)
        for one, value in zip(classes, own.T, strict=True)
    ]
    forwards = forward_effects.margins(
        model,
        _changes(ablations, sample, reduced, spaces, model.device),
        [ablation.is_random for ablation in ablations],
        classes,
        own,
        known.image_id,
        distinct,
        directory / f"ablations-{_key(results, known, ablations, own)}",
        options,
    )
    margins = {score_rows.DIRECT: torch.stack(direct, dim=-1), score_rows.FORWARD: forwards}
    selective = torch.stack([_selectivity(sample, value) for value in own.T], dim=1)
    chance = [1 / len(one.values) for one in classes]
    return _Measured(attributes, chance, own, sample, ablations, margins, selective)


def _changes(
    ablations: Sequence[Ablation],
    sample: Sample,
    reduced: interventions.Reduction,
    spaces: HeadSpaces,
    device: torch.device,
) -> list[clip.Intervention]:
    """Every ablation as a change, where the model lives."""
    there = sample._replace(z_mean=sample.z_mean.to(device), mlp_mean=sample.mlp_mean.to(device))
    return [interventions.change(ablation, there, spaces.layers, reduced) for ablation in ablations]


def _ablations(results: StageResults, attributes: Sequence[str], seed: int) -> list[Ablation]:
    """Nothing, each head, then all that is taken away together."""
    before = [Ablation(interventions.EARLY)] if results.spaces.layers[0] > 0 else []
    labels = [label.label for label in results.described.labels.shown]
    variance = (
        moments.importance(moments.pooled(results.taken.moments).covariance).double().square().flatten()
    )
    return [
        Ablation(interventions.NOTHING),
        *interventions.single(results.spaces),
        *before,
        Ablation(interventions.MLPS),
        *interventions.texts(results.described.spans),
        *interventions.sets(labels, attributes, variance, seed),
    ]


def _key(
    results: StageResults, known: Known, ablations: Sequence[Ablation], own: Int[Tensor, "image attribute"]
) -> str:
    """All that the forward margins depend on but the model, whose directory they lie in."""
    return work_files.key_of(
        METHOD_VERSIONS["validation"],
        known.image_id,
        known.prompts,
        [(one.attribute, one.values) for one in known.classes],
        own.tolist(),
        ablations,
        forward_effects.PARTS,
        results.pool.texts,
        [span.text_index.tolist() for span in results.described.spans],
    )


def _selectivity(sample: Sample, own: Int[Tensor, " image"]) -> Float[Tensor, " head"]:
    kept = own != zero_shot.NONE
    return selectivity.epsilon_squared(sample.head[kept], own[kept])


def _mean_ablation(measured: _Measured, heads: int) -> pd.DataFrame:
    """Of all ablations but those of single heads, which have a table of their own."""
    kept = [0, *range(1 + heads, len(measured.ablations))]
    margins = {effect: mine[kept] for effect, mine in measured.margins.items()}
    return score_rows.mean_ablation(
        [measured.ablations[number] for number in kept], margins, measured.attributes, measured.chance
    )


def _label_scores(measured: _Measured, loss: score_rows.Evidence, results: StageResults) -> pd.DataFrame:
    missing = [one for one in measured.attributes if one not in results.pool.properties]
    if missing:
        progress.say(
            f"no label can name {', '.join(missing)}: the pool {results.pool.name} has no such property. "
            "Heads that act on it are left out of the scores of labels."
        )
    judged = results.described.labels
    evidence = {
        "right": loss[score_rows.FORWARD],
        "right_by_direct": loss[score_rows.DIRECT],
        "right_by_selectivity": measured.selectivity,
    }
    strong = label_accuracy.strong(measured.selectivity)
    single = {effect: mine[: 1 + len(strong)] for effect, mine in measured.margins.items()}
    sure = {
        "right": score_rows.sure(single[score_rows.FORWARD]),
        "right_by_direct": score_rows.sure(single[score_rows.DIRECT]),
    }
    labels = [judged.shown, *judged.beside]
    return score_rows.labels(evidence, labels, measured.attributes, strong, results.pool.properties, sure)


def _vectors(sample: Sample, results: StageResults) -> Iterator[tuple[Subject, Float[Tensor, "image dim"]]]:
    """Every way to compare images, with its vectors; centered ones on the mean over all images."""
    yield Subject("embedding", comparison="cosine"), sample.embedding
    mean, basis = results.described.mean.flatten(0, 1).float(), results.spaces.basis.flatten(0, 1)
    for number, single in enumerate(interventions.single(results.spaces)):
        head = sample.head[:, number]
        yield single.subject._replace(comparison="cosine"), head - mean[number]
        yield single.subject._replace(comparison="dot"), head
    labels = [label.label for label in results.described.labels.shown]
    for name in sorted(set(labels)):
        heads = [number for number, label in enumerate(labels) if label == name]
        mixed, middle = (
            neighbor_precision.mixture(some[:, heads], basis[heads]) for some in (sample.head, mean[None])
        )
        yield Subject("property", name, comparison="cosine"), mixed - middle
        yield Subject("property", name, comparison="dot"), mixed
