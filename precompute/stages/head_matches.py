"""Heads of different models, matched by their outputs on the same images: the table `head_match`.

`method.head_matching` has the mathematics. This module reads at most `IMAGES` images of each model, the first
by id (ids are hashes: a sample without a pattern), so its time and memory do not grow with the image set. The
comparison of two models is a work file, so an interrupted run resumes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from precompute.method import head_matching
from precompute.method.head_matching import Comparison
from precompute.method.types import HeadSpaces
from precompute.runtime import progress, work_files
from precompute.runtime.method_versions import METHOD_VERSIONS
from precompute.stages import decompose_images
from precompute.stages.decompose_images import Shard
from precompute.stages.head_rows import or_none

IMAGES = 2000
"""Maximum number of images on which heads are compared."""

BEST, PLACE = "best", "place"
"""Pairings: one to one with the largest sum of CKA; the same layer and head, of one architecture."""

_COMPARISON = "comparison"
_PLACES = ("layer", "head", "other_layer", "other_head")
_SCORES = ("cka", "control_cka", "control_p", "shuffled_p", "exceeds", "overlap", "median_angle")


class ModelHeads(NamedTuple):
    """Heads of one model with the work files of their outputs."""

    model_key: str
    model: str
    architecture: str
    control_of: str | None
    """Name of the trained model of a control; None for a trained model."""

    spaces: HeadSpaces
    shards: tuple[Shard, ...]


class Null(NamedTuple):
    """Largest CKA of every head of two models with a head of the other model's control."""

    first: Float[Tensor, " head"]
    second: Float[Tensor, " other"]


def model_heads(facts: Mapping[str, Any], spaces: HeadSpaces, shards: tuple[Shard, ...]) -> ModelHeads:
    """Returns the heads of a model, with the facts of its row of the table `model`."""
    model_key, model, architecture, control_of = (
        facts[name] for name in ("model_key", "model", "architecture", "control_of")
    )
    return ModelHeads(model_key, model, architecture, control_of, spaces, shards)


Pair = tuple[ModelHeads, ModelHeads]


def rows(models: Sequence[ModelHeads], directory: Path, *, seed: int = 0) -> pd.DataFrame:
    """Returns the table `head_match`: all pairs of trained models, and each model with its own control."""
    return match_rows(pairs_of(models), models, partial(_compare, directory=directory, seed=seed))


def pairs_of(models: Sequence[ModelHeads]) -> list[Pair]:
    """Returns all pairs of trained models, and each trained model with its own control."""
    trained = [model for model in models if model.control_of is None]
    controls = [model for model in models if model.control_of is not None]
    own = [(a, b) for a in trained for b in controls if b.control_of == a.model]
    return [*combinations(trained, 2), *own]


def match_rows(
    pairs: Sequence[Pair],
    models: Sequence[ModelHeads],
    compare: Callable[[ModelHeads, ModelHeads], Comparison],
) -> pd.DataFrame:
    """Returns the rows of the table `head_match` of some pairs; `models` has their controls too."""
    controls = {model.control_of: model for model in models if model.control_of is not None}
    needed = {(a.model_key, b.model_key): (a, b) for a, b in _with_nulls(pairs, controls)}
    tracked = progress.track(needed.items(), "matching heads", total=len(needed), unit="pair")
    compared = {keys: compare(*pair) for keys, pair in tracked}
    records: list[dict[str, Any]] = []
    for a, b in pairs:
        null = None if b.control_of else _null(a, b, controls, compared)
        records += _pair_rows(a, b, compared[a.model_key, b.model_key], null)
    table = pd.DataFrame(records, columns=["model_key", "other_model_key", "pairing", *_PLACES, *_SCORES])
    return table.astype({name: "boolean" if name == "exceeds" else "Float64" for name in _SCORES})


def _with_nulls(pairs: Sequence[Pair], controls: Mapping[str, ModelHeads]) -> Iterator[Pair]:
    """Yields the pairs, and the comparisons with controls that the nulls of pairs of trained models need."""
    for a, b in pairs:
        yield a, b
        if b.control_of is None and a.model in controls and b.model in controls:
            yield a, controls[b.model]
            yield b, controls[a.model]


def _compare(a: ModelHeads, b: ModelHeads, directory: Path, seed: int) -> Comparison:
    """Compares two models, or loads what an earlier run compared."""
    # The name of a model's directory depends on its weights and layers, that of a shard on its images.
    names = [[shard.path.parent.parent.name, shard.path.name] for model in (a, b) for shard in model.shards]
    key = work_files.key_of(METHOD_VERSIONS["matches"], IMAGES, seed, names)
    compute = partial(_computed, a.shards, b.shards, seed)
    tensors = work_files.load_or_compute(directory / f"matches-{key}.safetensors", compute)
    return work_files.record_of(Comparison, tensors, _COMPARISON)


def _computed(a: tuple[Shard, ...], b: tuple[Shard, ...], seed: int) -> dict[str, Tensor]:
    comparison = head_matching.compare(_outputs(a), _outputs(b), seed=seed)
    return work_files.named(comparison, _COMPARISON)


def _outputs(shards: tuple[Shard, ...]) -> head_matching.Outputs:
    parts = decompose_images.read_first(shards, ("head",), IMAGES)
    head = torch.cat([tensors["head"] for _, tensors in parts])
    return head_matching.outputs(head.flatten(1, 2))


def _null(
    a: ModelHeads,
    b: ModelHeads,
    controls: Mapping[str, ModelHeads],
    compared: Mapping[tuple[str, str], Comparison],
) -> Null | None:
    """Returns what the heads of either model reach with the control of the other; None without controls."""
    if a.model not in controls or b.model not in controls:
        return None
    of_a = compared[a.model_key, controls[b.model].model_key]
    of_b = compared[b.model_key, controls[a.model].model_key]
    return Null(*(head_matching.largest(comparison.cka, dim=1) for comparison in (of_a, of_b)))


def _pair_rows(
    a: ModelHeads, b: ModelHeads, comparison: Comparison, null: Null | None
) -> Iterator[dict[str, Any]]:
    """Yields the rows of every pairing of two models."""
    same = _same_shape(a, b)
    heads = torch.arange(len(comparison.cka))
    pairings = {BEST: head_matching.match(comparison.cka)}
    if same:
        pairings[PLACE] = torch.stack([heads, heads], dim=1)
    keys, of_a, of_b = (
        {"model_key": a.model_key, "other_model_key": b.model_key},
        a.spaces.places,
        b.spaces.places,
    )
    for pairing, pairs in pairings.items():
        columns = _scores(comparison, null, pairs) | (_angles(a, b, pairs) if same else {})
        for number, (first, second) in enumerate(pairs.tolist()):
            place = dict(zip(_PLACES, of_a[first] + of_b[second], strict=True))
            yield {**keys, "pairing": pairing, **place, **{name: of[number] for name, of in columns.items()}}


def _scores(comparison: Comparison, null: Null | None, pairs: Int[Tensor, "pair 2"]) -> dict[str, list]:
    """Returns the CKA of every pair beside its nulls, by column."""
    first, second = pairs.unbind(dim=1)
    cka = comparison.cka[first, second]
    shuffled = torch.cat([comparison.shuffled_row, comparison.shuffled_column])
    shuffled_p = head_matching.p_values(cka, shuffled)
    columns = {"cka": or_none(cka), "shuffled_p": or_none(shuffled_p)}
    if null is None:
        return columns
    control = torch.stack([null.first[first], null.second[second]]).nan_to_num(nan=-1).amax(dim=0)
    control_p = head_matching.p_values(cka, torch.cat(null))
    exceeds = (torch.maximum(control_p, shuffled_p) <= head_matching.LEVEL) & (cka > control)
    return columns | {
        "control_cka": or_none(control),
        "control_p": or_none(control_p),
        "exceeds": exceeds.tolist(),
    }


def _angles(a: ModelHeads, b: ModelHeads, pairs: Int[Tensor, "pair 2"]) -> dict[str, list]:
    """Returns the angles between the spaces of every pair, by column."""
    angles = [
        head_matching.principal_angles(_basis(a, first), _basis(b, second))
        for first, second in pairs.tolist()
    ]
    return {
        "overlap": [float(pair.cos().square().mean()) for pair in angles],
        "median_angle": [float(pair.rad2deg().quantile(0.5)) for pair in angles],
    }


def _basis(model: ModelHeads, place: int) -> Float[Tensor, "rank d_out"]:
    return model.spaces.basis.flatten(0, 1)[place, : model.spaces.rank.flatten()[place]]


def _same_shape(a: ModelHeads, b: ModelHeads) -> bool:
    """True if the same layers and heads of one architecture were decomposed."""
    shapes = [(model.architecture, model.spaces.layers, model.spaces.basis.shape) for model in (a, b)]
    return shapes[0] == shapes[1]
