"""The model of a bundle and its results, cached."""

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import images
from dashboard.data import live
from dashboard.data.cached import kept
from dashboard.data.types import Source
from dashboard.state.markdown import literal
from db import vectors


def encode(source: Source, text: str) -> NDArray[np.float32]:
    """Returns the unit-length embedding of a text, [d_out]."""
    model = load(source)
    with st.spinner("3 of 3: reading the text", show_time=True):
        return _encode(source, text, model)


def decompose(source: Source, data: bytes) -> live.LiveImage:
    """Returns the decomposition of an image file by the model, with the part of the picture that it sees."""
    model = load(source)
    with st.spinner("3 of 3: decomposing the image", show_time=True):
        return _decompose(source, data, model)


def load(source: Source) -> Any:
    """Returns the model. Only the first session waits: a spinner is drawn after a tenth of a second."""
    with st.spinner("1 of 3: starting PyTorch (once)", show_time=True):
        live.start()
    with st.spinner(f"2 of 3: loading {literal(source.info.model)} (once)", show_time=True):
        return _load(source)


@kept(max_entries=2)
def _load(source: Source) -> Any:
    return live.load(source.info, vectors.head_spaces(source.bundle, source.key))


@kept(max_entries=512)
def _encode(source: Source, text: str, _model: Any) -> NDArray[np.float32]:
    return live.encode_texts(_model, [text])[0]


@kept(max_entries=16)
def _decompose(source: Source, data: bytes, _model: Any) -> live.LiveImage:
    result = live.decompose_image(_model, data)
    # Results stay in memory, and a whole picture can have 400 MB.
    return result._replace(image=images.covered(result.image, source.info))
