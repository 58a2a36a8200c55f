"""Heads matched between models of different bundles, from stored vectors.

Coordinates are stored as float16, so a CKA differs by rounding from that of a run with all models.
"""

from collections.abc import Collection, Mapping, Sequence

import pandas as pd
import torch

from db import queries, vectors
from db.connection import Bundle
from precompute.method import head_matching
from precompute.method.head_matching import Comparison, Outputs
from precompute.method.types import HeadSpaces
from precompute.stages import head_matches
from precompute.stages.head_matches import ModelHeads


def match_rows(bundles: Sequence[Bundle], *, seed: int) -> pd.DataFrame:
    """Returns the rows of `head_match` of all pairs of models that no bundle has together."""
    origin = {key: bundle for bundle in reversed(bundles) for key in _with_vectors(bundle)}
    models = [_model_heads(bundle, key) for key, bundle in sorted(origin.items())]
    pairs = [pair for pair in head_matches.pairs_of(models) if not _together(bundles, pair)]
    outputs: dict[str, Outputs] = {}

    def compare(a: ModelHeads, b: ModelHeads) -> Comparison:
        for model in (a, b):
            if model.model_key not in outputs:
                outputs[model.model_key] = _outputs(origin[model.model_key], model)
        return head_matching.compare(outputs[a.model_key], outputs[b.model_key], seed=seed)

    return head_matches.match_rows(pairs, models, compare)


def _with_vectors(bundle: Bundle) -> list[str]:
    return [model["model_key"] for model in bundle.manifest["models"] if model["has_vectors"]]


def _together(bundles: Sequence[Bundle], pair: Collection[ModelHeads]) -> bool:
    return any({model.model_key for model in pair} <= set(bundle.model_keys) for bundle in bundles)


def _model_heads(bundle: Bundle, model_key: str) -> ModelHeads:
    """Returns a model without work files."""
    facts = queries.models(bundle).set_index("model_key").loc[model_key]
    space = vectors.head_spaces(bundle, model_key)
    layers = tuple(sorted(set(space.layer.tolist())))
    basis = torch.from_numpy(space.basis).unflatten(0, (len(layers), -1))
    rank = (basis != 0).any(dim=-1).sum(dim=-1)
    named: Mapping[str, str | None] = {
        "model_key": model_key,
        "model": facts["model"],
        "architecture": facts["architecture"],
        "control_of": facts["control_of"] if facts["is_control"] else None,
    }
    return head_matches.model_heads(named, HeadSpaces(layers, basis, rank), ())


def _outputs(bundle: Bundle, model: ModelHeads) -> Outputs:
    ids = vectors.image_ids(bundle, model.model_key)[: head_matches.IMAGES].tolist()
    _, coordinates = vectors.image_coordinates(bundle, model.model_key, ids, model.spaces.places)
    return head_matching.outputs(torch.from_numpy(coordinates))
