"""The stage that scores labels, neighbors and ablations of one model against known attributes of its images.

    sample -> ablations -> margins, direct and forward -> tables head_validation and validation_score

Finished parts are in work files: those of the decomposition in all layers are named by their images, those of
the ablations are in a directory named by all inputs of the ablations.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from precompute import clip
from precompute.inputs import prompts
from precompute.inputs.prompts import ClassPrompt
from precompute.method import decomposition, moments, rounding, selectivity, zero_shot
from precompute.method.types import Classes, HeadSpaces, Pool
from precompute.runtime import progress, work_files
from precompute.runtime.config import ConfigError
from precompute.runtime.method_versions import METHOD_VERSIONS
from precompute.stages import decompose_images
from precompute.stages.describe_heads import HeadDescriptions
from precompute.validation import forward_effects, interventions, label_accuracy, neighbor_precision
from precompute.validation import rows as score_rows
from precompute.validation import sample as sampling
from precompute.validation.interventions import Ablation
from precompute.validation.sample import ImagePass, Sample
from precompute.validation.subjects import Subject

NOTHING_TO_ASK = (
    "--validation needs an attribute that images differ in, with a text for each of its values. Give what is "
    "known of the images (--metadata CSV, a column for each attribute) and how it is asked (--prompts FILE)."
)


class ImageClasses(NamedTuple):
    """Known attributes of the sampled images, and the prompts of their values."""

    image_id: list[str]
    classes: list[Classes]
    """Classes of each attribute; their axis `image` is that of `image_id`."""

    prompts: list[ClassPrompt]
    """Attribute, value and text of every prompt, on which the embeddings in `classes` depend."""


def image_classes(
    class_prompts: Sequence[ClassPrompt],
    text: Float[Tensor, "value d_out"],
    attributes: pd.DataFrame,
    count: int,
) -> ImageClasses:
    """Returns at most `count` of the images that have an attribute with prompts, and their values.

    `text` has one row for each class prompt.
    """
    names = {attribute for attribute, _, _ in class_prompts}
    image_id = sampling.choose(attributes.loc[attributes["attribute"].isin(names), "image_id"], count)
    classes = prompts.classes(class_prompts, text, attributes, image_id)
    return ImageClasses(image_id, classes, list(class_prompts))


def check(class_prompts: Sequence[ClassPrompt], pool: Pool) -> None:
    """Raises ConfigError, before anything is computed, if no attribute has two values with prompts.

    Names the attributes that are no property of the pool, once for all models.
    """
    values = Counter(attribute for attribute, _, _ in class_prompts)
    attributes = [attribute for attribute, count in values.items() if count > 1]
    if not attributes:
        raise ConfigError(NOTHING_TO_ASK)
    missing = [attribute for attribute in attributes if attribute not in pool.properties]
    if missing:
        progress.say(
            f"no label can name {', '.join(missing)}: the pool {pool.name} has no such property. "
            "Heads that act on it are left out of the scores of labels."
        )


class StageResults(NamedTuple):
    """Results of the earlier stages for one model."""

    spaces: HeadSpaces
    decomposition: decompose_images.DecompositionResult
    descriptions: HeadDescriptions
    pool: Pool
    text: Float[Tensor, "text d_out"]


class _Measured(NamedTuple):
    """Measurements from which the tables are computed."""

    attributes: list[str]
    chance: list[float]
    value: Int[Tensor, "image attribute"]
    sample: Sample
    ablations: list[Ablation]
    """The model without a change first, then every decomposed head by itself, then the rest."""

    margins: dict[str, Float[Tensor, "ablation image attribute"]]
    """Margins by effect."""

    selectivity: Float[Tensor, "head attribute"]


def score(
    image_pass: ImagePass, results: StageResults, sampled: ImageClasses, seed: int
) -> dict[str, pd.DataFrame]:
    """Returns the rows of head_validation, and of validation_score except the study maps, of one model."""
    sampled = sampled._replace(classes=_usable(sampled.classes))
    measured = _measure(image_pass, results, sampled, seed)
    heads = len(measured.selectivity)
    effects = {"selectivity": measured.selectivity}
    for effect, margins in measured.margins.items():
        single = margins[: 1 + heads]
        accuracy = score_rows.accuracies(single)
        effects[effect] = score_rows.losses(single)[1:]
        effects[f"{effect}_accuracy"] = (accuracy[0] - accuracy)[1:]
    count = (measured.value != zero_shot.NONE).sum(dim=0).tolist()
    scores = [
        _mean_ablation(measured, heads),
        _label_scores(measured, effects, results),
        score_rows.neighbors(_vectors(measured.sample, results), measured.attributes, measured.value),
    ]
    by_head = score_rows.head_validation(results.spaces.places, measured.attributes, effects, count)
    tables = {"head_validation": by_head, "validation_score": pd.concat(scores, ignore_index=True)}
    for rows in tables.values():
        rows.insert(0, "model_key", image_pass.model.model_key)
    return tables


def _usable(classes: Sequence[Classes]) -> list[Classes]:
    """Returns the attributes of which images have different values; reports the others."""
    usable = []
    for attribute in classes:
        value = zero_shot.own_value(attribute.carried)
        if len(value[value != zero_shot.NONE].unique()) > 1:
            usable.append(attribute)
        else:
            reason = "no two images of different values to ask of"
            progress.say(f"left out of the validation: {attribute.attribute}; {reason}.")
    if not usable:
        raise ConfigError(NOTHING_TO_ASK)
    return usable


def _measure(image_pass: ImagePass, results: StageResults, sampled: ImageClasses, seed: int) -> _Measured:
    model, spaces, classes, image_id = image_pass.model, results.spaces, sampled.classes, sampled.image_id
    attributes = [attribute.attribute for attribute in classes]
    value = torch.stack([zero_shot.own_value(attribute.carried) for attribute in classes], dim=1)
    sample = sampling.read(image_pass, spaces.layers[0], results.decomposition.shards, image_id)
    ablations = _ablations(results, attributes, seed)
    head_map = decomposition.plan(clip.vision_weights(model), spaces).head_map
    reduced = interventions.reduction(spaces, head_map, results.descriptions.spans, results.text)
    direct = [
        interventions.direct_margins(ablations, sample, spaces, reduced, attribute.text, column)
        for attribute, column in zip(classes, value.T, strict=True)
    ]
    z_mean, mlp_mean = sample.z_mean.to(model.device), sample.mlp_mean.to(model.device)
    on_device = sample._replace(z_mean=z_mean, mlp_mean=mlp_mean)
    changes = [interventions.change(ablation, on_device, spaces.layers, reduced) for ablation in ablations]
    name = f"ablations-{_key(results, sampled, ablations, value)}"
    is_random = [ablation.is_random for ablation in ablations]
    forward = forward_effects.margins(image_pass, name, changes, is_random, classes, value, image_id)
    margins = {score_rows.DIRECT: torch.stack(direct, dim=-1), score_rows.FORWARD: forward}
    selective = torch.stack([_selectivity(sample, column) for column in value.T], dim=1)
    chance = [1 / len(attribute.values) for attribute in classes]
    return _Measured(attributes, chance, value, sample, ablations, margins, selective)


def _ablations(results: StageResults, attributes: Sequence[str], seed: int) -> list[Ablation]:
    """Returns the unchanged model, each head by itself, then sets of parts."""
    before = [Ablation(interventions.EARLY)] if results.spaces.layers[0] > 0 else []
    labels = [label.label for label in results.descriptions.labels.shown]
    covariance = moments.pooled(results.decomposition.moments).covariance
    variance = moments.importance(covariance).double().square().flatten()
    return [
        Ablation(interventions.NOTHING),
        *interventions.single(results.spaces),
        *before,
        Ablation(interventions.MLPS),
        *interventions.texts(results.descriptions.spans),
        *interventions.sets(labels, attributes, variance, seed),
    ]


def _key(
    results: StageResults,
    sampled: ImageClasses,
    ablations: Sequence[Ablation],
    value: Int[Tensor, "image attribute"],
) -> str:
    """Returns the hash of all inputs of the forward margins except the model, which names their directory."""
    return work_files.key_of(
        METHOD_VERSIONS["validation"],
        sampled.image_id,
        sampled.prompts,
        [(attribute.attribute, attribute.values) for attribute in sampled.classes],
        value.tolist(),
        ablations,
        forward_effects.PARTS,
        results.pool.texts,
        [span.text_index.tolist() for span in results.descriptions.spans],
    )


def _selectivity(sample: Sample, value: Int[Tensor, " image"]) -> Float[Tensor, " head"]:
    has_value = value != zero_shot.NONE
    return selectivity.epsilon_squared(sample.head[has_value], value[has_value])


def _mean_ablation(measured: _Measured, heads: int) -> pd.DataFrame:
    """Returns the rows of all ablations except single heads, which have a separate table."""
    numbers = [0, *range(1 + heads, len(measured.ablations))]
    margins = {effect: margins[numbers] for effect, margins in measured.margins.items()}
    ablations = [measured.ablations[number] for number in numbers]
    return score_rows.mean_ablation(ablations, margins, measured.attributes, measured.chance)


def _label_scores(measured: _Measured, by_head: score_rows.Evidence, results: StageResults) -> pd.DataFrame:
    effects = {"right": score_rows.FORWARD, "right_by_direct": score_rows.DIRECT}
    evidence = {measure: by_head[effect] for measure, effect in effects.items()}
    evidence["right_by_selectivity"] = measured.selectivity
    strong = label_accuracy.strong(measured.selectivity)
    single = slice(1 + len(strong))
    sure = {measure: score_rows.sure(measured.margins[effect][single]) for measure, effect in effects.items()}
    labels = [results.descriptions.labels.shown, *results.descriptions.labels.beside]
    return score_rows.labels(evidence, labels, measured.attributes, strong, results.pool.properties, sure)


def _vectors(sample: Sample, results: StageResults) -> Iterator[tuple[Subject, Float[Tensor, "image dim"]]]:
    """Yields every similarity of images with its vectors; centered ones on the mean over all images."""
    yield Subject("embedding", comparison="cosine"), sample.embedding
    mean, basis = results.descriptions.mean.flatten(0, 1).float(), results.spaces.basis.flatten(0, 1)
    for number, single in enumerate(interventions.single(results.spaces)):
        head = sample.head[:, number]
        yield single.subject._replace(comparison="cosine"), rounding.centered(head, mean[number])
        yield single.subject._replace(comparison="dot"), head
    labels = [label.label for label in results.descriptions.labels.shown]
    for name in sorted(set(labels)):
        heads = [number for number, label in enumerate(labels) if label == name]
        mixed = neighbor_precision.mixture(sample.head[:, heads], basis[heads])
        mixed_mean = neighbor_precision.mixture(mean[None, heads], basis[heads])
        yield Subject("property", name, comparison="cosine"), rounding.centered(mixed, mixed_mean[0])
        yield Subject("property", name, comparison="dot"), mixed
