"""The heads of a scope in one model."""

import numpy as np
from numpy.typing import NDArray

from dashboard.data import cached, head_vectors
from dashboard.data.types import Source
from dashboard.state.views import Head, Scope


def resolve(source: Source, scope: Scope) -> tuple[Head, ...]:
    """Returns the heads of a scope in this model."""
    if scope.kind == "property":
        return cached.property_heads(source, scope.property)
    if scope.kind == "layer":
        return tuple(head for head in _places(source) if head[0] == scope.layer)
    return _places(source) if scope.kind == "all" else scope.heads


def _places(source: Source) -> tuple[Head, ...]:
    return tuple((row.layer, row.head) for row in cached.heads(source).itertuples())


def left_out(source: Source, scope: Scope) -> list[Head]:
    """Returns the unsupported heads with the label of a property scope, if it contains supported heads."""
    rows = cached.heads(source)
    labeled = rows[rows["label"] == scope.property] if scope.kind == "property" else rows[:0]
    pairs = zip(labeled["layer"].tolist(), labeled["head"].tolist(), strict=True)
    return [head for head in pairs if head not in resolve(source, scope)]


def mask(source: Source, scope: Scope) -> NDArray[np.bool_]:
    """Returns a mask of the stored heads in a scope, [head]."""
    heads = set(resolve(source, scope))
    return np.array([head in heads for head in head_vectors.all_heads(source)])
