"""The heads that a scope stands for in one model."""

import numpy as np
from numpy.typing import NDArray

from dashboard.data import cached, head_vectors
from dashboard.data.types import Source
from dashboard.state.views import Head, Scope


def resolve(source: Source, scope: Scope) -> tuple[Head, ...]:
    """The heads that a scope stands for in this model."""
    if scope.kind == "property":
        return cached.property_heads(source, scope.property)
    if scope.kind == "layer":
        return tuple(head for head in _places(source) if head[0] == scope.layer)
    return _places(source) if scope.kind == "all" else scope.heads


def _places(source: Source) -> tuple[Head, ...]:
    return tuple((row.layer, row.head) for row in cached.heads(source).itertuples())


def left_out(source: Source, scope: Scope) -> list[Head]:
    """Heads labeled with a property that it does not stand for: unsupported ones beside supported ones."""
    if scope.kind != "property":
        return []
    used, rows = resolve(source, scope), cached.heads(source).itertuples()
    return [
        (row.layer, row.head)
        for row in rows
        if row.label == scope.property and (row.layer, row.head) not in used
    ]


def mask(source: Source, scope: Scope) -> NDArray[np.bool_]:
    """Which of the stored heads a scope stands for -> [head]."""
    chosen = set(resolve(source, scope))
    return np.array([head in chosen for head in head_vectors.all_heads(source)])
