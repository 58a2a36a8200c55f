"""The model behind a bundle, loaded once, and what it was asked: kept."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.data import live
from dashboard.data.cached import kept
from dashboard.data.types import Source
from db import vectors


def encode(source: Source, text: str) -> NDArray[np.float32]:
    """Unit-length embedding of a text -> [d_out]."""
    return _encode(source, text, load(source))


def decompose(source: Source, data: bytes) -> live.LiveImage:
    """An image file, decomposed now."""
    model = load(source)
    with st.spinner("Taking the image apart", show_time=True):
        return _decompose(source, data, model)


def load(source: Source) -> Any:
    # The spinner names the model, which a decorator cannot; only the first session that asks has to wait.
    with st.spinner(f"Loading {source.info.model} (once)", show_time=True):
        return _load(source)


@kept(max_entries=2)
def _load(source: Source) -> Any:
    return live.load(source.info, vectors.head_spaces(source.bundle, source.key))


@kept(max_entries=512)
def _encode(source: Source, text: str, _model: Any) -> NDArray[np.float32]:
    return live.encode_texts(_model, [text])[0]


@kept(max_entries=16)
def _decompose(source: Source, data: bytes, _model: Any) -> live.LiveImage:
    return live.decompose_image(_model, data)
