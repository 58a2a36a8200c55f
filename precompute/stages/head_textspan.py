"""Texts of every head of one model, of its rotations, and from a pool of equal norm in its space."""

from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from precompute.method import labels, textspan
from precompute.method.types import HeadSpaces, Picks, TextSpan
from precompute.runtime import devices, work_files
from precompute.runtime.config import HeadOptions
from precompute.runtime.method_versions import METHOD_VERSIONS

_OWN, _EQUAL_NORM, _ROTATED = "own", "equal_norm", "rotated"


class HeadInputs(NamedTuple):
    """One head with the pool in its space."""

    layer: int
    head: int
    covariance: Float[Tensor, "rank rank"]
    text: Float[Tensor, "text rank"]
    rank: int


class HeadTexts(NamedTuple):
    """Texts of all heads of a model, layer by layer."""

    spans: list[TextSpan]
    equal_norm: list[TextSpan]
    """Spans with all texts scaled to equal norm in a head's space."""

    rotated: Picks
    """First picks of the rotated heads, [head, rotation]."""


def each(
    covariance: Float[Tensor, "layer head rank rank"], spaces: HeadSpaces, text: Float[Tensor, "text d_out"]
) -> list[HeadInputs]:
    """Returns every head with the pool in its space."""
    return [
        HeadInputs(
            layer,
            head,
            covariance[place, head],
            textspan.text_coordinates(text, spaces.basis[place, head]),
            int(spaces.rank[place, head]),
        )
        for place, layer in enumerate(spaces.layers)
        for head in range(covariance.shape[1])
    ]


def span(
    heads: list[HeadInputs],
    spaces: HeadSpaces,
    text: Float[Tensor, "text d_out"],
    options: HeadOptions,
    directory: Path,
) -> HeadTexts:
    """Returns TEXTSPAN of every head and of its rotations; runs by layer, so that progress is visible.

    `directory` is of one model. A layer stored there for the same heads, texts and options is loaded.
    """
    count = spaces.basis.shape[1]
    compute = {}
    for place, (basis, rank) in enumerate(zip(spaces.basis, spaces.rank, strict=True)):
        layer = heads[place * count :][:count]
        path = directory / f"heads-{_key(layer, text, options)}.safetensors"
        compute[path] = partial(_one_layer, layer, basis, rank, text, options)
    layers = work_files.load_or_compute_layers(compute, "describing heads")
    rotated = [work_files.record_of(Picks, layer, _ROTATED) for layer in layers]
    return HeadTexts(
        _spans(layers, _OWN, count),
        _spans(layers, _EQUAL_NORM, count),
        Picks(*map(torch.cat, zip(*rotated, strict=True))),
    )


def _key(heads: list[HeadInputs], text: Float[Tensor, "text d_out"], options: HeadOptions) -> str:
    """Returns a hash of everything that the texts of one layer depend on, except its heads' spaces."""
    content = work_files.hash_of_tensors(*(head.covariance for head in heads), text)
    depends_on = [options.picks, options.rotations, options.seed]
    return work_files.key_of(METHOD_VERSIONS["textspan"], heads[0].layer, content, depends_on)


def _one_layer(
    heads: list[HeadInputs],
    basis: Float[Tensor, "head rank d_out"],
    rank: Int[Tensor, " head"],
    text: Float[Tensor, "text d_out"],
    options: HeadOptions,
) -> dict[str, Tensor]:
    covariance = torch.stack([head.covariance for head in heads])
    of_heads = partial(
        textspan.textspan_heads, covariance, text, basis, k=options.picks, workers=devices.threads()
    )
    rotated = textspan.rotated_heads(
        covariance,
        text,
        basis,
        own_rank=rank,
        # A null that picks more texts than the head would be unfair.
        k=min(options.picks, max(labels.PICKS)),
        rotations=options.rotations,
        seed=options.seed,
        workers=devices.threads(),
    )
    tensors = work_files.named(rotated, _ROTATED)
    # The spans differ in length and cannot be stacked.
    for kind, spans in ((_OWN, of_heads()), (_EQUAL_NORM, of_heads(of_one_length=True))):
        for head, span in enumerate(spans):
            tensors |= work_files.named(span, f"{kind}.{head}")
    return tensors


def _spans(layers: list[dict[str, Tensor]], kind: str, heads: int) -> list[TextSpan]:
    places = product(layers, range(heads))
    return [work_files.record_of(TextSpan, layer, f"{kind}.{head}") for layer, head in places]
