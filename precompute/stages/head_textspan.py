"""The texts of every head of one model, of its rotations, and with texts of one length in its space."""

import os
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from precompute.method import labels, textspan
from precompute.method.types import HeadSpaces, Picks, TextSpan
from precompute.runtime import progress, work_files
from precompute.runtime.config import HeadOptions
from precompute.runtime.method_versions import METHOD_VERSIONS

_THREADS = os.cpu_count() or 1

_OWN, _EQUAL_NORM, _ROTATED = "own", "equal_norm", "rotated"


class HeadInputs(NamedTuple):
    """One head with the pool in its space."""

    layer: int
    head: int
    covariance: Float[Tensor, "rank rank"]
    text: Float[Tensor, "text rank"]
    rank: int


class HeadTexts(NamedTuple):
    """The axis `head` runs over all heads of the model, layer by layer."""

    spans: list[TextSpan]
    equal_norm: list[TextSpan]
    """When all texts have one length in a head's space."""

    rotated: Picks
    """First picks of the heads turned at random, [head, rotation]."""


def each(
    covariance: Float[Tensor, "layer head rank rank"], spaces: HeadSpaces, text: Float[Tensor, "text d_out"]
) -> list[HeadInputs]:
    """Every head with the pool in its own space."""
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
    directory: Path | None = None,
) -> HeadTexts:
    """TEXTSPAN of every head and of its rotations; layer by layer, so that progress shows.

    A layer that lies in `directory`, which is of one model, for the same heads, texts and options, is not
    computed again.
    """
    layers, count = spaces.basis.shape[:2]
    by_layer = [heads[place * count :][:count] for place in range(layers)]
    paths = [
        directory / f"heads-{_key(one, text, options)}.safetensors" if directory else None for one in by_layer
    ]
    compute = [
        partial(_one_layer, one, spaces.basis[place], spaces.rank[place], text, options)
        for place, one in enumerate(by_layer)
    ]
    found = list(
        progress.load_or_compute_each(
            work_files.load_or_compute, paths, compute, "describing heads", unit="layer"
        )
    )
    return HeadTexts(
        [span for layer in found for span in _spans(layer, _OWN, count)],
        [span for layer in found for span in _spans(layer, _EQUAL_NORM, count)],
        Picks(*(torch.cat([layer[f"{_ROTATED}.{name}"] for layer in found]) for name in Picks._fields)),
    )


def _key(heads: list[HeadInputs], text: Float[Tensor, "text d_out"], options: HeadOptions) -> str:
    """Hash of everything that the texts of one layer depend on, but for its heads' spaces."""
    content = work_files.hash_of_tensors(*(one.covariance for one in heads), text)
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
    of_heads = partial(textspan.textspan_heads, covariance, text, basis, k=options.picks, workers=_THREADS)
    rotated = textspan.rotated_heads(
        covariance,
        text,
        basis,
        own_rank=rank,
        # A rotation that may pick more texts than the head is no fair null.
        k=min(options.picks, max(labels.PICKS)),
        rotations=options.rotations,
        seed=options.seed,
        workers=_THREADS,
    )
    return {
        **_by_name(_OWN, of_heads()),
        **_by_name(_EQUAL_NORM, of_heads(of_one_length=True)),
        **{f"{_ROTATED}.{name}": tensor for name, tensor in rotated._asdict().items()},
    }


def _by_name(kind: str, spans: list[TextSpan]) -> dict[str, Tensor]:
    """The spans of a layer's heads, which differ in length, as named tensors."""
    return {
        f"{kind}.{head}.{name}": tensor
        for head, span in enumerate(spans)
        for name, tensor in span._asdict().items()
    }


def _spans(named: dict[str, Tensor], kind: str, heads: int) -> list[TextSpan]:
    """What `_by_name` was given."""
    return [TextSpan(*(named[f"{kind}.{head}.{name}"] for name in TextSpan._fields)) for head in range(heads)]
