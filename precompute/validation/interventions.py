"""Ablations of a model: single heads, sets of heads, all but the first texts of each head.

An ablation has two effects. The forward effect makes the change at the class token and recomputes the rest of
the model. The direct effect subtracts the contribution of the changed parts from each score, with everything
else unchanged.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from db.random_sets import random_sets
from precompute.clip import HeadIntervention, Intervention
from precompute.method import textspan, zero_shot
from precompute.method.types import HeadSpaces, TextSpan
from precompute.validation import direct_effects
from precompute.validation.sample import Sample
from precompute.validation.subjects import Subject

NOTHING, EARLY, MLPS, TEXTS = map(Subject, ("nothing", "early_heads", "mlps", "texts"))
TEXT_COUNTS = (1, 2, 3, 5, 8, 10, 15, 20, 30, 40, 50, 60)
"""Numbers of first texts that every head is reduced to."""


class Ablation(NamedTuple):
    """One change of a model. Random sets of one property have the same subject."""

    subject: Subject
    heads: tuple[int, ...] = ()
    """Decomposed heads that are mean-ablated, counted layer by layer."""

    k: int = 0
    """Number of texts that every head keeps; TEXTS only."""

    @property
    def is_random(self) -> bool:
        return self.subject.subject_kind == "random_heads"


class Reduction(NamedTuple):
    """Tensors that reduce every decomposed head to its first texts."""

    directions: list[Float[Tensor, "_ rank"]]
    """Directions of each head, as many as it has texts."""

    head_map: Float[Tensor, "head d_head rank"]


def single(spaces: HeadSpaces) -> list[Ablation]:
    """Returns the ablation of every decomposed head by itself."""
    heads = spaces.basis.shape[1]
    return [
        Ablation(Subject("head", layer=layer, head=head), (place * heads + head,))
        for place, layer in enumerate(spaces.layers)
        for head in range(heads)
    ]


def sets(
    labels: Sequence[str], attributes: Sequence[str], variance: Float[Tensor, " head"], seed: int
) -> list[Ablation]:
    """Returns the set of heads labeled with each attribute, and random sets of heads to compare it with.

    `variance` is tr S of each head.
    """
    ablations = []
    for name in attributes:
        heads = tuple(head for head, label in enumerate(labels) if label == name)
        if heads:
            ablations.append(Ablation(Subject("property", name), heads))
            subject = Subject("random_heads", name)
            ablations += [Ablation(subject, drawn) for drawn in random_sets(variance.numpy(), heads, seed)]
    return ablations


def texts(spans: Sequence[TextSpan]) -> list[Ablation]:
    """Returns reductions of all heads to their first k texts, up to the k at which every head keeps all."""
    longest = max(len(span.text_index) for span in spans)
    enough = min((k for k in TEXT_COUNTS if k >= longest), default=TEXT_COUNTS[-1])
    return [Ablation(TEXTS, k=k) for k in TEXT_COUNTS if k <= enough]


def reduction(
    spaces: HeadSpaces,
    head_map: Float[Tensor, "layer head d_head rank"],
    spans: Sequence[TextSpan],
    text: Float[Tensor, "text d_out"],
) -> Reduction:
    """Returns directions that span each head's texts in its own coordinates, in the order of choice."""
    directions = [
        direct_effects.directions(textspan.text_coordinates(text[span.text_index], basis))
        for span, basis in zip(spans, spaces.basis.flatten(0, 1).cpu(), strict=True)
    ]
    return Reduction(directions, head_map.flatten(0, 1).cpu())


def change(ablation: Ablation, sample: Sample, layers: tuple[int, ...], reduced: Reduction) -> Intervention:
    """Returns the intervention of an ablation; `layers` are the decomposed ones."""
    heads = sample.z_mean.shape[1]
    if ablation.subject == MLPS:
        return Intervention(mlps=dict(enumerate(sample.mlp_mean)))
    places = [(layer, head) for layer in layers for head in range(heads)]
    if ablation.subject == TEXTS:
        reductions = [
            _reduce(sample.z_mean[place], directions, head_map, ablation.k)
            for place, directions, head_map in zip(places, *reduced, strict=True)
        ]
        return Intervention(dict(zip(places, reductions, strict=True)))
    if ablation.subject == EARLY:
        ablated = [(layer, head) for layer in range(layers[0]) for head in range(heads)]
    else:
        ablated = [places[number] for number in ablation.heads]
    return Intervention({place: HeadIntervention(sample.z_mean[place]) for place in ablated})


def direct_margins(
    ablations: Sequence[Ablation],
    sample: Sample,
    spaces: HeadSpaces,
    reduced: Reduction,
    text: Float[Tensor, "value d_out"],
    value: Int[Tensor, " image"],
) -> Float[Tensor, "ablation image"]:
    """Returns the margins of one attribute after the direct effect of each ablation."""
    centered = sample.head - sample.head.mean(dim=0)
    head_text = torch.einsum("hrd,vd->hvr", spaces.basis.flatten(0, 1).cpu(), text)
    by_head = direct_effects.head_losses(centered, head_text)
    score = zero_shot.scores(sample.embedding, text)
    parts = {EARLY: sample.early, MLPS: sample.mlp}
    margins = []
    for ablation in ablations:
        if ablation.subject == TEXTS:
            loss = direct_effects.texts_losses(centered, head_text, reduced.directions, ablation.k)
        elif ablation.subject in parts:
            loss = zero_shot.scores(parts[ablation.subject] - parts[ablation.subject].mean(dim=0), text)
        else:
            loss = by_head[list(ablation.heads)].sum(dim=0)
        margins.append(zero_shot.margin(score - loss, value))
    return torch.stack(margins)


def _reduce(
    mean: Float[Tensor, " d_head"],
    directions: Float[Tensor, "_ rank"],
    head_map: Float[Tensor, "d_head rank"],
    k: int,
) -> HeadIntervention:
    """Returns z' = mean + (z - mean) M P M⁺ of one head."""
    weight = direct_effects.through_z(head_map, direct_effects.projection(directions, k))
    # Rounded on the CPU: Apple's GPUs have no float64.
    weight = weight.to(mean.dtype).to(mean.device)
    return HeadIntervention(mean - mean @ weight, weight)
