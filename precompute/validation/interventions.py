"""Ablations of a model: single heads, sets of heads, all but the first texts of each head.

An ablation has two effects. Forward: its change is made at the class token and the model runs on. Direct:
the contribution of the changed parts to each score is subtracted, all else frozen.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from db.random_sets import random_sets
from precompute.clip import HeadIntervention, Intervention
from precompute.method import textspan
from precompute.method.types import HeadSpaces, TextSpan
from precompute.validation import direct_effects, zero_shot
from precompute.validation.sample import Sample
from precompute.validation.subjects import Subject

NOTHING, EARLY, MLPS, TEXTS = map(Subject, ("nothing", "early_heads", "mlps", "texts"))
TEXT_COUNTS = (1, 2, 3, 5, 8, 10, 15, 20, 30, 40, 50, 60)
"""Numbers of first texts that every head is reduced to."""


class Ablation(NamedTuple):
    """One change of a model. Random sets of one property share their subject."""

    subject: Subject
    heads: tuple[int, ...] = ()
    """Decomposed heads that are mean-ablated, counted layer by layer."""

    k: int = 0
    """Texts that every head keeps; TEXTS only."""

    @property
    def is_random(self) -> bool:
        return self.subject.subject_kind == "random_heads"


class Reduction(NamedTuple):
    """What keeping the first texts of every head needs; the axis `head` runs over all decomposed ones."""

    directions: list[Float[Tensor, "_ rank"]]
    """Of each head, as many as it has texts."""

    head_map: Float[Tensor, "head d_head rank"]


def single(spaces: HeadSpaces) -> list[Ablation]:
    """Every decomposed head by itself."""
    heads = spaces.basis.shape[1]
    return [
        Ablation(Subject("head", layer=layer, head=head), (place * heads + head,))
        for place, layer in enumerate(spaces.layers)
        for head in range(heads)
    ]


def sets(
    labels: Sequence[str], attributes: Sequence[str], variance: Float[Tensor, " head"], seed: int
) -> list[Ablation]:
    """The heads labeled with each attribute, and random sets beside them. `variance` is tr S of each head."""
    ablations = []
    for name in attributes:
        heads = tuple(head for head, label in enumerate(labels) if label == name)
        if heads:
            ablations.append(Ablation(Subject("property", name), heads))
            like = Subject("random_heads", name)
            ablations += [Ablation(like, drawn) for drawn in random_sets(variance.numpy(), heads, seed)]
    return ablations


def texts(spans: Sequence[TextSpan]) -> list[Ablation]:
    """All heads reduced to their first k texts, up to the k at which every head has all of its own."""
    longest = max(len(span.text_index) for span in spans)
    enough = min((k for k in TEXT_COUNTS if k >= longest), default=TEXT_COUNTS[-1])
    return [Ablation(TEXTS, k=k) for k in TEXT_COUNTS if k <= enough]


def reduction(
    spaces: HeadSpaces,
    head_map: Float[Tensor, "layer head d_head rank"],
    spans: Sequence[TextSpan],
    text: Float[Tensor, "text d_out"],
) -> Reduction:
    """The span of each head's texts, in its own coordinates, in the order they were chosen."""
    basis = spaces.basis.flatten(0, 1).cpu()
    own = [
        textspan.text_coordinates(text[span.text_index], one) for span, one in zip(spans, basis, strict=True)
    ]
    return Reduction([direct_effects.directions(one) for one in own], head_map.flatten(0, 1).cpu())


def change(ablation: Ablation, sample: Sample, layers: tuple[int, ...], reduced: Reduction) -> Intervention:
    """The ablation as a change of the forward pass; `layers` are the decomposed ones."""
    heads = sample.z_mean.shape[1]
    if ablation.subject == MLPS:
        return Intervention(mlps=dict(enumerate(sample.mlp_mean)))
    if ablation.subject == EARLY:
        places = [(layer, head) for layer in range(layers[0]) for head in range(heads)]
        return Intervention({place: HeadIntervention(sample.z_mean[place]) for place in places})
    if ablation.subject == TEXTS:
        numbers = range(len(layers) * heads)
        return Intervention(
            {_place(n, layers, heads): _kept(n, ablation.k, sample, layers, reduced) for n in numbers}
        )
    places = [_place(number, layers, heads) for number in ablation.heads]
    return Intervention({place: HeadIntervention(sample.z_mean[place]) for place in places})


def direct_margins(
    ablations: Sequence[Ablation],
    sample: Sample,
    spaces: HeadSpaces,
    reduced: Reduction,
    text: Float[Tensor, "value d_out"],
    own: Int[Tensor, " image"],
) -> Float[Tensor, "ablation image"]:
    """Margins of one attribute after the direct effect of each ablation."""
    centered = sample.head - sample.head.mean(dim=0)
    seen = torch.einsum("hrd,vd->hvr", spaces.basis.flatten(0, 1).cpu(), text)
    by_head = direct_effects.head_losses(centered, seen)
    score = zero_shot.scores(sample.embedding, text)
    whole = {EARLY: sample.early, MLPS: sample.mlp}
    margins = []
    for ablation in ablations:
        if ablation.subject == TEXTS:
            loss = direct_effects.texts_losses(centered, seen, reduced.directions, ablation.k)
        elif ablation.subject in whole:
            loss = zero_shot.scores(whole[ablation.subject] - whole[ablation.subject].mean(dim=0), text)
        else:
            loss = by_head[list(ablation.heads)].sum(dim=0)
        margins.append(zero_shot.margin(score - loss, own))
    return torch.stack(margins)


def _place(number: int, layers: tuple[int, ...], heads: int) -> tuple[int, int]:
    """Layer and head of the model."""
    return layers[number // heads], number % heads


def _kept(
    number: int, k: int, sample: Sample, layers: tuple[int, ...], reduced: Reduction
) -> HeadIntervention:
    """z' = mean + (z - mean) M P M⁺."""
    mean = sample.z_mean[_place(number, layers, sample.z_mean.shape[1])]
    kept = direct_effects.projection(reduced.directions[number], k)
    # Rounded before it moves: processors of Apple's graphics have no float64.
    weight = direct_effects.through_z(reduced.head_map[number], kept).to(mean.dtype).to(mean.device)
    return HeadIntervention(mean - mean @ weight, weight)
