"""The stage that scores what the tool says of a model against what is known of its images.

    sample -> runs -> margins, direct and forward -> tables head_truth and truth_score

What was finished lies in work files: those of the pass over all layers are named by their images, those of
the runs lie in a directory named by all that the runs depend on.
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
from precompute.validation import (
    rows as score_rows,
)
from precompute.validation import sample as sampling
from precompute.validation.interventions import Run
from precompute.validation.sample import Sample

NOTHING_TO_ASK = (
    "--truth needs an attribute that images differ in, with a text for each of its values. Give what is "
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
    asked: Sequence[ClassPrompt],
    text: Float[Tensor, "value d_out"],
    attributes: pd.DataFrame,
    count: int,
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


class Seen(NamedTuple):
    """What the stages before found of a model."""

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
    runs: list[Run]
    """Nothing first, then every decomposed head by itself, then the rest."""

    margins: dict[str, Float[Tensor, "run image attribute"]]
    """By effect."""

    selectivity: Float[Tensor, "head attribute"]


def score(
    model: clip.Clip,
    seen: Seen,
    known: Known,
    distinct: dict[str, images.ImageFile],
    directory: Path,
    options: ReadOptions,
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Rows of head_truth and of truth_score (studies ablation, labels and neighbors) of one model."""
    known = known._replace(classes=_usable(known.classes))
    measured = _measure(model, seen, known, distinct, directory, options, seed)
    heads = len(measured.selectivity)
    loss, accuracy_loss = {}, {}
    for effect, margins in measured.margins.items():
        single = margins[: 1 + heads]
        accuracy = score_rows.accuracies(single)
        loss[effect], accuracy_loss[effect] = score_rows.losses(single)[1:], (accuracy[0] - accuracy)[1:]
    count = (measured.own != zero_shot.NONE).sum(dim=0).tolist()
    scores = [
        _ablation(measured, heads),
        _label_scores(measured, loss, seen),
        score_rows.neighbors(_vectors(measured.sample, seen), measured.attributes, measured.own),
    ]
    places = [(layer, head) for layer in seen.spaces.layers for head in range(model.heads)]
    each = score_rows.head_truth(
        places, measured.attributes, loss, accuracy_loss, measured.selectivity, count
    )
    found = {"head_truth": each, "truth_score": pd.concat(scores, ignore_index=True)}
    for rows in found.values():
        rows.insert(0, "model_key", model.model_key)
    return found


def _usable(classes: Sequence[Classes]) -> list[Classes]:
    """Attributes that can tell images apart; what is left out is said."""
    usable = []
    for one in classes:
        own = zero_shot.own_value(one.carried)
        if len(own[own != zero_shot.NONE].unique()) > 1:
            usable.append(one)
        else:
            progress.say(
                f"left out of truth: {one.attribute}; no two images of different values to ask it of."
            )
    if not usable:
        raise ConfigError(NOTHING_TO_ASK)
    return usable


def _measure(
    model: clip.Clip,
    seen: Seen,
    known: Known,
    distinct: dict[str, images.ImageFile],
    directory: Path,
    options: ReadOptions,
    seed: int,
) -> _Measured:
    spaces, classes = seen.spaces, known.classes
    attributes = [one.attribute for one in classes]
    own = torch.stack([zero_shot.own_value(one.carried) for one in classes], dim=1)
    sample = sampling.read(
        model, spaces.layers[0], seen.taken.shards, known.image_id, distinct, directory, options
    )
    todo = _runs(seen, attributes, seed)
    head_map = decomposition.plan(clip.vision_weights(model), spaces).head_map
    reduced = interventions.reduction(spaces, head_map, seen.described.spans, seen.text)
    direct = [
        interventions.direct_margins(todo, sample, spaces, reduced, one.text, value)
        for one, value in zip(classes, own.T, strict=True)
    ]
    forwards = forward_effects.margins(
        model,
        _changes(todo, sample, reduced, spaces, model.device),
        [run.is_random for run in todo],
        classes,
        own,
        known.image_id,
        distinct,
        directory / f"runs-{_key(seen, known, todo, own)}",
        options,
    )
    margins = {score_rows.DIRECT: torch.stack(direct, dim=-1), score_rows.FORWARD: forwards}
    selective = torch.stack([_selectivity(sample, value) for value in own.T], dim=1)
    chance = [1 / len(one.values) for one in classes]
    return _Measured(attributes, chance, own, sample, todo, margins, selective)


def _changes(
    todo: Sequence[Run],
    sample: Sample,
    reduced: interventions.Reduction,
    spaces: HeadSpaces,
    device: torch.device,
) -> list[clip.Intervention]:
    """Every run as a change, where the model lives."""
    there = sample._replace(z_mean=sample.z_mean.to(device), mlp_mean=sample.mlp_mean.to(device))
    return [interventions.change(run, there, spaces.layers, reduced) for run in todo]


def _runs(seen: Seen, attributes: Sequence[str], seed: int) -> list[Run]:
    """Nothing, each head, then all that is taken away together."""
    before = [Run(interventions.EARLY)] if seen.spaces.layers[0] > 0 else []
    labels = [label.label for label in seen.described.labels.shown]
    variance = moments.importance(moments.pooled(seen.taken.moments).covariance).square().flatten()
    return [
        Run(interventions.NOTHING),
        *interventions.single(seen.spaces),
        *before,
        Run(interventions.MLPS),
        *interventions.texts(seen.described.spans),
        *interventions.sets(labels, attributes, variance, seed),
    ]


def _key(seen: Seen, known: Known, todo: Sequence[Run], own: Int[Tensor, "image attribute"]) -> str:
    """All that the forward margins depend on but the model, whose directory they lie in."""
    return work_files.key_of(
        METHOD_VERSIONS["validation"],
        known.image_id,
        known.prompts,
        [(one.attribute, one.values) for one in known.classes],
        own.tolist(),
        todo,
        forward_effects.PARTS,
        seen.pool.texts,
        [span.text_index.tolist() for span in seen.described.spans],
    )


def _selectivity(sample: Sample, own: Int[Tensor, " image"]) -> Float[Tensor, " head"]:
    kept = own != zero_shot.NONE
    return selectivity.epsilon_squared(sample.head[kept], own[kept])


def _ablation(measured: _Measured, heads: int) -> pd.DataFrame:
    """Of all runs but those of single heads, which have a table of their own."""
    kept = [0, *range(1 + heads, len(measured.runs))]
    margins = {effect: mine[kept] for effect, mine in measured.margins.items()}
    return score_rows.ablation(
        [measured.runs[one] for one in kept], margins, measured.attributes, measured.chance
    )


def _label_scores(measured: _Measured, loss: score_rows.Truth, seen: Seen) -> pd.DataFrame:
    missing = [one for one in measured.attributes if one not in seen.pool.properties]
    if missing:
        progress.say(
            f"no label can name {', '.join(missing)}: the pool {seen.pool.name} has no such property. Heads "
            "that are for it are left out of the scores of labels."
        )
    judged = seen.described.labels
    labels = {f"{found[0].method} {found[0].picks}": found for found in [judged.shown, *judged.beside]}
    truth = {
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
    return score_rows.labels(truth, labels, measured.attributes, strong, seen.pool.properties, sure)


def _vectors(sample: Sample, seen: Seen) -> Iterator[tuple[str, Float[Tensor, "image dim"], str]]:
    """Subject, vectors and metric of every way to compare images; centered on the mean over all images."""
    yield "embedding", sample.embedding, "cosine"
    names = [run.subject for run in interventions.single(seen.spaces)]
    mean, basis = seen.described.mean.flatten(0, 1).float(), seen.spaces.basis.flatten(0, 1)
    for number, name in enumerate(names):
        yield f"{name} cosine", sample.head[:, number] - mean[number], "cosine"
        yield f"{name} dot", sample.head[:, number], "dot"
    labels = [label.label for label in seen.described.labels.shown]
    for name in sorted(set(labels)):
        heads = [number for number, label in enumerate(labels) if label == name]
        mixed, middle = (
            neighbor_precision.mixture(some[:, heads], basis[heads]) for some in (sample.head, mean[None])
        )
        yield f"property {name} cosine", mixed - middle, "cosine"
        yield f"property {name} dot", mixed, "dot"
