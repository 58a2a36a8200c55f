"""The rule by which answers are kept, and the queries of a bundle, kept.

Every cache is keyed by the bundle as it stands on disk and the model, never by a name alone: a rebuilt bundle
must not answer what its predecessor said. Results are shared by all sessions and not copied: nobody changes
them.
"""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from dashboard import DEFAULT_BUNDLE
from dashboard.data.types import Source
from dashboard.state.views import Head
from db import queries
from db.connection import Bundle, is_current, open_bundle
from db.layout import MANIFEST

P = ParamSpec("P")
R = TypeVar("R")

_hash: dict[str | type[Any], Callable[[Any], Any]] = {
    Source: lambda s: (str(s.bundle.path), s.bundle.stamp, s.key),
    Bundle: lambda b: (str(b.path), b.stamp),
}


def kept(*, max_entries: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorates a function whose answers are kept, each with the queries that it was made of.

    A kept answer names its queries whenever it is asked for, as if they had run now: a page shows what made
    its numbers, whoever was the first to ask.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @st.cache_resource(show_spinner=False, hash_funcs=_hash, max_entries=max_entries)
        @wraps(function)
        def with_queries(*args: P.args, **options: P.kwargs) -> tuple[R, tuple[queries.Ran, ...]]:
            with queries.recorded() as ran:
                return function(*args, **options), tuple(ran)

        @wraps(function)
        def answer(*args: P.args, **options: P.kwargs) -> R:
            result, ran = with_queries(*args, **options)
            queries.replay(ran)
            return result

        return answer

    return decorate


def bundle_paths() -> dict[str, Path]:
    """The bundle that was asked for and those beside it, by name."""
    chosen = Path(os.environ.get("HEADLIGHT_BUNDLE", DEFAULT_BUNDLE))
    beside = sorted(manifest.parent for manifest in chosen.resolve().parent.glob(f"*/{MANIFEST}"))
    visible = [path for path in beside if not path.name.startswith(".") and path.name != chosen.name]
    return {chosen.name: chosen} | {path.name: path for path in visible}


@st.cache_resource(show_spinner=False, max_entries=4, validate=is_current)
def bundle(path: Path) -> Bundle:
    return open_bundle(path)


def source(bundle: Bundle, name: str, key: str) -> Source:
    info = next(row for row in models(bundle).itertuples(index=False) if row.model_key == key)
    return Source(bundle, name, key, info)


@kept(max_entries=1024)
def query(bundle: Bundle, name: str, **parameters: Any) -> Any:
    """The answer of the function of `db.queries` that is called `name`."""
    return getattr(queries, name)(bundle, **parameters)


def of_model(source: Source, name: str, **parameters: Any) -> pd.DataFrame:
    """The answer of a query about one model."""
    return query(source.bundle, name, model_key=source.key, **parameters)


def of_head(source: Source, name: str, head: Head, **parameters: Any) -> pd.DataFrame:
    """The answer of a query about one head."""
    return of_model(source, name, layer=head[0], head=head[1], **parameters)


def models(bundle: Bundle) -> pd.DataFrame:
    return query(bundle, "models")


def leaderboard(bundle: Bundle) -> pd.DataFrame:
    """Every metric of every model, long, by offline labels and, where they differ, by chosen ones."""
    return query(bundle, "leaderboard", labels=None)


def heads(source: Source) -> pd.DataFrame:
    return of_model(source, "heads")


@kept(max_entries=16)
def head_metrics(source: Source) -> pd.DataFrame:
    """Every metric of every head, long, where it has a value."""
    return of_model(source, "head_metrics").dropna(subset=["value"])


@kept(max_entries=16)
def head_selectivity(source: Source) -> pd.DataFrame:
    """Selectivity of every head for every known attribute, long, where it has a value."""
    return of_model(source, "head_selectivity").dropna(subset=["value"])


@kept(max_entries=128)
def property_heads(source: Source, property: str) -> tuple[Head, ...]:
    """The heads whose label is a property: the supported ones, or all where none is."""
    rows = of_model(source, "property_heads", property=property)
    supported = rows["supported"].fillna(False).astype(bool)
    # Heads that rotated heads do as well as would only blur the answer of those that are about it.
    rows = rows[supported] if supported.any() else rows
    return tuple(sorted(zip(rows["layer"].tolist(), rows["head"].tolist(), strict=True)))


def frozen(array: NDArray) -> NDArray:
    """A contiguous array that one page cannot change for all others."""
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array
