"""The cache of the pages, and the cached queries of a bundle.

Every cache key contains the model and the bundle as it is on disk, never a name alone: a rebuilt bundle must
not get the results of its predecessor. All sessions share the results without a copy: no page modifies them.
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
from db.errors import BundleDamaged
from db.layout import MANIFEST
from db.verify import check_contents

P = ParamSpec("P")
R = TypeVar("R")

_hash: dict[str | type[Any], Callable[[Any], Any]] = {
    Source: lambda s: (str(s.bundle.path), s.bundle.stamp, s.key),
    Bundle: lambda b: (str(b.path), b.stamp),
}


def kept(*, max_entries: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Returns a decorator that caches the results of a function, each with the queries behind it.

    A cached result records its queries on every call, as if they ran now: a page shows them even if another
    session computed the result.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @st.cache_resource(show_spinner=False, hash_funcs=_hash, max_entries=max_entries)
        @wraps(function)
        def with_queries(*args: P.args, **options: P.kwargs) -> tuple[R, tuple[queries.Ran, ...]]:
            with queries.recorded() as ran:
                return function(*args, **options), tuple(ran)

        @wraps(function)
        def cached_function(*args: P.args, **options: P.kwargs) -> R:
            result, ran = with_queries(*args, **options)
            queries.replay(ran)
            return result

        return cached_function

    return decorate


def bundle_paths() -> dict[str, Path]:
    """Returns the path of the default bundle and of the bundles beside it, by name."""
    default = Path(os.environ.get("HEADLIGHT_BUNDLE", DEFAULT_BUNDLE))
    siblings = sorted(manifest.parent for manifest in default.resolve().parent.glob(f"*/{MANIFEST}"))
    own = Path(os.path.abspath(default)).name  # that of "." is empty
    visible = [path for path in siblings if not path.name.startswith(".") and path.name != own]
    return {_shown(own): default} | {_shown(path.name): path for path in visible}


def _shown(name: str) -> str:
    """Returns a folder's name as a text that a page can show: it need not be UTF-8."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


@st.cache_resource(show_spinner=False, max_entries=4, validate=is_current)
def bundle(path: Path) -> Bundle:
    """Returns the open bundle, after a check of its facts, counts and ids."""
    return open_checked(path)


def open_checked(path: Path) -> Bundle:
    bundle = open_bundle(path)
    try:
        check_contents(bundle)
    except BundleDamaged:
        bundle.close()
        raise
    return bundle


def source(bundle: Bundle, name: str, key: str) -> Source:
    return next(source for source in sources(bundle, name) if source.key == key)


def sources(bundle: Bundle, name: str) -> list[Source]:
    """Returns every model of a bundle, controls last."""
    return [Source(bundle, name, row.model_key, row) for row in models(bundle).itertuples(index=False)]


@kept(max_entries=1024)
def query(bundle: Bundle, name: str, **parameters: Any) -> Any:
    """Returns the result of the function `name` of `db.queries`."""
    return getattr(queries, name)(bundle, **parameters)


def of_model(source: Source, name: str, **parameters: Any) -> pd.DataFrame:
    """Returns the result of a query about one model."""
    return query(source.bundle, name, model_key=source.key, **parameters)


def of_head(source: Source, name: str, head: Head, **parameters: Any) -> pd.DataFrame:
    """Returns the result of a query about one head."""
    return of_model(source, name, layer=head[0], head=head[1], **parameters)


def models(bundle: Bundle) -> pd.DataFrame:
    return query(bundle, "models")


def leaderboard(bundle: Bundle) -> pd.DataFrame:
    """Returns every metric of every model, long, by offline labels and by chosen labels that differ."""
    return query(bundle, "leaderboard", labels=None)


def heads(source: Source) -> pd.DataFrame:
    return of_model(source, "heads")


@kept(max_entries=16)
def head_metrics(source: Source) -> pd.DataFrame:
    """Returns every metric of every head, long, without undefined values."""
    return of_model(source, "head_metrics").dropna(subset=["value"])


@kept(max_entries=16)
def head_selectivity(source: Source) -> pd.DataFrame:
    """Returns the selectivity of every head for every attribute, long, without undefined values."""
    return of_model(source, "head_selectivity").dropna(subset=["value"])


@kept(max_entries=128)
def property_heads(source: Source, property: str) -> tuple[Head, ...]:
    """Returns the heads with a property as supported label, or as label if none is supported."""
    return tuple(queries.supported_or_all(of_model(source, "property_heads", property=property)))


def frozen(array: NDArray) -> NDArray:
    """Returns the array contiguous and read-only: all sessions share it."""
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array
