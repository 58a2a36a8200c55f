"""What pages read, cached. The only file with `st.cache_*`; knows nothing of widgets.

Every cache is keyed by the bundle as it stands on disk and the model, never by a name alone: a rebuilt bundle
must not answer what its predecessor said. Results are shared by all sessions and not copied: nobody changes
them.
"""

import hashlib
import os
import unicodedata
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from dashboard import DEFAULT_BUNDLE
from dashboard import images as image_drawing
from dashboard.analyses import neighbors
from dashboard.data import live
from dashboard.data.types import (
    ImageInfo,
    PoolVectors,
    Source,
    Space,
    TokenImage,
)
from dashboard.state.views import Head
from db import queries, vectors
from db.connection import Bundle, is_current, open_bundle
from db.layout import MANIFEST
from db.random_sets import random_sets

UPLOADS = 64
"""Uploaded images kept in memory, so that links lead back to them."""

_hash = {
    Source: lambda s: (str(s.bundle.path), s.bundle.stamp, s.key),
    Bundle: lambda b: (str(b.path), b.stamp),
}
kept = partial(st.cache_resource, show_spinner=False, hash_funcs=_hash)


def bundle_paths() -> dict[str, Path]:
    """The bundle that was asked for and those beside it, by name."""
    chosen = Path(os.environ.get("HEADLIGHT_BUNDLE", DEFAULT_BUNDLE))
    beside = sorted(manifest.parent for manifest in chosen.resolve().parent.glob(f"*/{MANIFEST}"))
    visible = [path for path in beside if not path.name.startswith(".") and path.name != chosen.name]
    return {chosen.name: chosen} | {path.name: path for path in visible}


@kept(max_entries=4, validate=is_current)
def bundle(path: Path) -> Bundle:
    return open_bundle(path)


@kept(max_entries=8)
def models(bundle: Bundle) -> pd.DataFrame:
    return queries.models(bundle)


def source(bundle: Bundle, name: str, key: str) -> Source:
    info = next(row for row in models(bundle).itertuples(index=False) if row.model_key == key)
    return Source(bundle, name, key, info)


@kept(max_entries=8)
def leaderboard(bundle: Bundle) -> pd.DataFrame:
    """Every metric of every model, long, by offline labels and, where they differ, by chosen ones."""
    return queries.leaderboard(bundle, labels=None)


@kept(max_entries=8)
def metrics(bundle: Bundle) -> pd.DataFrame:
    return queries.metrics(bundle)


@kept(max_entries=8)
def image_set(bundle: Bundle) -> pd.DataFrame:
    return queries.image_set(bundle)


@kept(max_entries=8)
def published(bundle: Bundle) -> pd.DataFrame:
    return queries.published(bundle)


@kept(max_entries=8)
def class_texts(bundle: Bundle) -> pd.DataFrame:
    """The attributes and values that can be asked zero-shot, with the text that stands for each."""
    return queries.class_texts(bundle)


@kept(max_entries=8)
def validation_scores(bundle: Bundle) -> pd.DataFrame:
    """How the tool scores against what is known, all models; empty where the bundle was built without."""
    return queries.validation_scores(bundle)


@kept(max_entries=16)
def head_validation(source: Source) -> pd.DataFrame:
    """What every head acts on, attribute by attribute."""
    return queries.head_validation(source.bundle, model_key=source.key)


@kept(max_entries=8)
def rotated_metrics(bundle: Bundle) -> pd.DataFrame:
    """Metrics of every model's rotated heads."""
    return queries.rotated_metrics(bundle)


@kept(max_entries=16)
def component_shares(source: Source) -> pd.DataFrame:
    """What every component of one model accounts for; empty for imported results."""
    return queries.component_shares(source.bundle, model_key=source.key)


@kept(max_entries=16)
def heads(source: Source) -> pd.DataFrame:
    return queries.heads(source.bundle, model_key=source.key)


@kept(max_entries=256)
def head_texts(source: Source, head: Head) -> list[str]:
    """The texts that describe a head, in the order TEXTSPAN chose them."""
    layer, number = head
    return queries.head_texts(source.bundle, model_key=source.key, layer=layer, head=number)["text"].tolist()


@kept(max_entries=16)
def head_metrics(source: Source) -> pd.DataFrame:
    """Every metric of every head, long, where it has a value."""
    return queries.head_metrics(source.bundle, model_key=source.key).dropna(subset=["value"])


@kept(max_entries=16)
def head_selectivity(source: Source) -> pd.DataFrame:
    """Selectivity of every head for every known attribute, long, where it has a value."""
    return queries.head_selectivity(source.bundle, model_key=source.key).dropna(subset=["value"])


@kept(max_entries=16)
def properties(source: Source) -> pd.DataFrame:
    return queries.properties(source.bundle, model_key=source.key)


@kept(max_entries=128)
def property_heads(source: Source, property: str) -> tuple[Head, ...]:
    """The heads whose label is a property: the supported ones, or all where none is."""
    found = queries.property_heads(source.bundle, model_key=source.key, property=property)
    supported = found["supported"].fillna(False).astype(bool)
    # Heads that rotated heads do as well as would only blur the answer of those that are about it.
    found = found[supported] if supported.any() else found
    return tuple(sorted(zip(found["layer"].tolist(), found["head"].tolist(), strict=True)))


@kept(max_entries=256)
def texts(source: Source, property: str | None) -> list[str]:
    """Texts of the pool that carry a property, or all."""
    return queries.texts(source.bundle, property=property)["text"].tolist()


@kept(max_entries=8)
def images(source: Source) -> pd.DataFrame:
    """All images by path: path, attributes, `words` that a search looks in, `stored` where maps are."""
    found = queries.images(source.bundle)[["image_id", "path", "attributes"]]
    found = found.fillna({"path": "", "attributes": ""})
    stored = found["image_id"].isin(vectors.gallery(source.bundle, source.key))
    return found.assign(words=(found["path"] + " " + found["attributes"]).str.lower(), stored=stored)


@kept(max_entries=8)
def image_rows(source: Source) -> dict[str, ImageInfo]:
    """What is known about every image of the bundle, by id."""
    return {
        row.image_id: ImageInfo(row.path, row.attributes, row.stored) for row in images(source).itertuples()
    }


def image_info(source: Source, image_id: str) -> ImageInfo:
    known = image_rows(source).get(image_id)
    return known or ImageInfo(uploads()[image_id][1], "your own image", False)


def has_image(source: Source, image_id: str) -> bool:
    return image_id in image_rows(source) or image_id in uploads()


@kept(max_entries=512)
def thumbnails(source: Source, image_ids: tuple[str, ...]) -> dict[str, bytes | None]:
    """Pictures to show, by id; None where the bundle has no thumbnails."""
    found = queries.thumbnails(source.bundle, image_ids=image_ids)
    known = dict(zip(found["image_id"], found["thumbnail"], strict=True))
    own = [image_id for image_id in image_ids if known.get(image_id) is None and image_id in uploads()]
    return {one: known.get(one) for one in image_ids} | {
        one: image_drawing.preview(uploads()[one][0]) for one in own
    }


@st.cache_resource
def uploads() -> dict[str, tuple[bytes, str]]:
    """Uploaded images of this server: bytes and file name, by id."""
    return {}


def take_upload(data: bytes, name: str) -> str:
    """Keep an uploaded image; refuses what is no image."""
    image_drawing.read(data, name)
    image_id = hashlib.sha256(data).hexdigest()[:16]
    held = uploads()
    held[image_id] = (data, name)
    while len(held) > UPLOADS:
        held.pop(next(iter(held)), None)
    return image_id


@kept(max_entries=8)
def image_places(source: Source) -> dict[str, int]:
    """Row of every image among the vectors, in their order."""
    ids, _ = vectors.image_coordinates(source.bundle, source.key, None, all_heads(source)[:1])
    return {image_id: row for row, image_id in enumerate(ids)}


@kept(max_entries=64)
def head_vectors(source: Source, head: Head) -> NDArray[np.float32]:
    """Centered coordinates of every image in one head -> [image, rank]."""
    return frozen(vectors.image_coordinates(source.bundle, source.key, None, [head])[1][:, 0])


@kept(max_entries=64)
def norms(source: Source, heads: tuple[Head, ...]) -> NDArray[np.float32]:
    """Length of every image's mean centered contribution through some heads -> [image]."""
    rows = [head_vectors(source, head) for head in heads]
    return frozen(neighbors.mixture_norms(rows, head_space(source, heads).basis))


@kept(max_entries=8)
def mean_embedding(source: Source) -> NDArray[np.float64]:
    """Mean embedding of the images of the bundle -> [d_out]."""
    return vectors.image_embeddings(source.bundle, source.key)[1].mean(axis=0, dtype=np.float64)


def frozen(array: NDArray) -> NDArray:
    """A contiguous array that one page cannot change for all others."""
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


def all_heads(source: Source) -> tuple[Head, ...]:
    """Every stored head, in the order of the axis `head`."""
    space = vectors.head_spaces(source.bundle, source.key)
    return tuple(zip(space.layer.tolist(), space.head.tolist(), strict=True))


@kept(max_entries=128)
def random_heads(source: Source, chosen: tuple[Head, ...], seed: int) -> tuple[Head, ...]:
    """A random set of as many heads of like variance as a control; none where all heads are chosen.

    Seed 0 gives the closest of the sets that a validation (`--seed 0`) compares these heads with, seed 1 the
    next.
    """
    every = all_heads(source)
    importance = heads(source).set_index(["layer", "head"])["importance"].loc[list(every)].to_numpy(float)
    sets = random_sets(importance**2, [every.index(head) for head in chosen], seed=0)
    return tuple(every[place] for place in sets[seed % len(sets)]) if sets else ()


def head_space(source: Source, heads: Sequence[Head]) -> Space:
    space = vectors.head_spaces(source.bundle, source.key)
    stored = {head: place for place, head in enumerate(all_heads(source))}
    place = [stored[head] for head in heads]
    return Space(place, space.basis[place], space.mean[place])


def query_coordinates(source: Source, image_id: str) -> NDArray[np.float32]:
    """Centered coordinates of one image -> [head, rank]; an uploaded one asks the model."""
    if image_id in image_places(source):
        return stored_coordinates(source, image_id)
    now = live_image(source, uploads()[image_id][0])
    return now.coordinates - head_space(source, all_heads(source)).mean


@kept(max_entries=256)
def stored_coordinates(source: Source, image_id: str) -> NDArray[np.float32]:
    return frozen(vectors.image_coordinates(source.bundle, source.key, [image_id], all_heads(source))[1][0])


@kept(max_entries=64)
def stored_tokens(source: Source, image_id: str) -> vectors.Tokens:
    return vectors.tokens(source.bundle, source.key, image_id)


def token_image(source: Source, image_id: str) -> TokenImage:
    """One image token by token: from the bundle where its maps are stored, otherwise the model is asked."""
    if image_info(source, image_id).stored:
        found = stored_tokens(source, image_id)
        return TokenImage(found.coordinates, found.rest, stored_picture(source, image_id), "")
    if image_id in uploads():  # the file itself, even where the bundle has a thumbnail of it
        return taken_apart(source, live_image(source, uploads()[image_id][0]), "")
    data = thumbnails(source, (image_id,))[image_id]
    if data is None:
        raise live.LiveError(
            "This bundle stores neither maps nor a thumbnail of this image. Upload the file, or choose an "
            "image whose maps are stored."
        )
    now = live_image(source, data)
    return taken_apart(source, now, from_thumbnail(source, image_id, now.embedding))


def taken_apart(source: Source, now: live.LiveImage, note: str) -> TokenImage:
    """One image that the model was asked about, with the picture as the model's own decoder read it."""
    return TokenImage(now.tokens, now.rest, covered(source, now.image), note)


def from_thumbnail(source: Source, image_id: str, embedding: NDArray) -> str:
    """How far a thumbnail stands for the file: said wherever its numbers are shown."""
    stored = vectors.image_embeddings(source.bundle, source.key, [image_id])[1][0]
    alike = float(stored @ embedding / np.linalg.norm(stored) / np.linalg.norm(embedding))
    return (
        "Maps of this image are not stored, so the model was asked now, with the thumbnail in place of the "
        f"file. The cosine of its embedding with the stored one is {alike:.3f}. Upload the file itself for "
        "exact numbers."
    )


@kept(max_entries=64)
def stored_picture(source: Source, image_id: str) -> Image.Image:
    """What the patches of an image of the bundle cover; plain gray where there is no thumbnail."""
    data = thumbnails(source, (image_id,))[image_id]
    if data is None:
        rows, columns = source.grid
        return Image.new("RGB", (32 * columns, 32 * rows), "#bbbbbb")
    return covered(source, image_drawing.read(data))


def covered(source: Source, picture: Image.Image) -> Image.Image:
    """The part of a picture that the patches cover."""
    rows, columns = source.grid
    return image_drawing.model_view(picture, source.info.resize_mode, columns / rows)


@kept(max_entries=8)
def pool(source: Source) -> PoolVectors:
    """All texts of the pool, in its order."""
    known = queries.texts(source.bundle)
    _, embedding = vectors.text_embeddings(source.bundle, source.key, known["text_id"].tolist())
    texts = known["text"].tolist()
    mean = embedding.mean(axis=0, dtype=np.float64)
    return PoolVectors(texts, frozen(embedding), mean, {normal(text): row for row, text in enumerate(texts)})


def normal(text: str) -> str:
    """What makes two texts the same text."""
    return unicodedata.normalize("NFC", text).strip()


@kept(max_entries=64)
def head_text_vectors(source: Source, head: Head) -> NDArray[np.float32]:
    """Coordinates of every text of the pool in one head, centered on the pool -> [text, rank]."""
    every = pool(source)
    return frozen((every.embedding - every.mean.astype(np.float32)) @ head_space(source, (head,)).basis[0].T)


def text_embedding(source: Source, text: str) -> NDArray[np.float32]:
    """Unit-length embedding of a text -> [d_out]; one that is not in the pool asks the model."""
    row = pool(source).row.get(normal(text))
    if row is None:
        return _encode(source, normal(text), live_model(source))
    return pool(source).embedding[row]


def live_model(source: Source) -> Any:
    # The spinner names the model, which a decorator cannot; only the first session that asks has to wait.
    with st.spinner(f"Loading {source.info.model} (once)", show_time=True):
        return _load(source)


def live_image(source: Source, data: bytes) -> live.LiveImage:
    model = live_model(source)
    with st.spinner("Taking the image apart", show_time=True):
        return _decompose(source, data, model)


@kept(max_entries=2)
def _load(source: Source) -> Any:
    info = source.info
    return live.load(
        info.model,
        info.weights_sha256,
        layers=sorted({layer for layer, _ in all_heads(source)}),
        basis=head_space(source, all_heads(source)).basis,
        activation=info.activation,
        mean=info.mean,
        std=info.std,
        interpolation=info.interpolation,
        resize_mode=info.resize_mode,
    )


@kept(max_entries=512)
def _encode(source: Source, text: str, _model: Any) -> NDArray[np.float32]:
    return live.encode_texts(_model, [text])[0]


@kept(max_entries=16)
def _decompose(source: Source, data: bytes, _model: Any) -> live.LiveImage:
    return live.decompose_image(_model, data)
