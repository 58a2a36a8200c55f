"""The heads most alike to one head: of its model by their outputs, of other models as they are matched."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.analyses import similarity
from dashboard.data import cached, choices, head_vectors, label_text
from dashboard.data.types import Source
from dashboard.state.views import Head
from db import vectors

OF_OWN = 3
"""Heads of the same model."""

SAMPLE = 500
"""Images on which heads of one model are compared, the first by id: ids are hashes."""

COLUMNS = ["model_key", "model", "layer", "head", "name", "shown", "cka", "control_cka"]


@cached.kept(max_entries=256)
def nearest(source: Source, head: Head) -> pd.DataFrame:
    """Returns the nearest heads of the same model, then the partner in every other trained model: COLUMNS.

    `cka` is debiased linear CKA, `control_cka` the largest one with a head of the other model's random-
    weights control. Imported results have none.
    """
    models = cached.sources(source.bundle, source.name)
    parts = [
        _of_other(source, head, other)
        for other in models
        if other.key != source.key and not other.info.is_control
    ]
    parts = [part for part in parts if len(part)]
    parts.sort(key=lambda part: part["cka"].iloc[0], reverse=True)
    own = _of_own(source, head)
    tables = [own] * bool(len(own)) + parts or [pd.DataFrame(columns=COLUMNS)]
    return pd.concat(tables)[COLUMNS].reset_index(drop=True)


def _of_own(source: Source, head: Head) -> pd.DataFrame:
    """Returns the heads of the same model whose outputs are most alike."""
    if not source.has_vectors:
        return pd.DataFrame()
    heads = head_vectors.all_heads(source)
    outputs = _sample(source)
    values = similarity.cka(outputs[:, heads.index(head)], outputs)
    values[heads.index(head)] = np.nan
    best = [place for place in np.argsort(-values, kind="stable")[:OF_OWN] if np.isfinite(values[place])]
    places = pd.DataFrame([heads[place] for place in best], columns=["layer", "head"])
    return _named(source, places.assign(cka=values[best], control_cka=np.nan))


def _sample(source: Source) -> NDArray[np.float32]:
    """Returns the coordinates of the first images in all heads, [image, head, rank]."""

    def read() -> NDArray[np.float32]:
        image_ids = vectors.image_ids(source.bundle, source.key)[:SAMPLE].tolist()
        heads = head_vectors.all_heads(source)
        return cached.frozen(vectors.image_coordinates(source.bundle, source.key, image_ids, heads)[1])

    return head_vectors.cached_array(source, "sample", None, read)


def _of_other(source: Source, head: Head, other: Source) -> pd.DataFrame:
    """Returns the head of another model with which a head is matched, if there is one."""
    rows = cached.of_model(source, "head_matches", other_model_key=other.key, pairing="best")
    row = rows[rows["layer"].eq(head[0]) & rows["head"].eq(head[1])]
    places = pd.DataFrame({"layer": row["other_layer"], "head": row["other_head"]})
    return _named(other, places.assign(cka=row["cka"], control_cka=row["control_cka"]))


def _named(source: Source, places: pd.DataFrame) -> pd.DataFrame:
    """Returns heads with their model, name and label, in their order."""
    title = choices.model_titles(source.bundle)[source.key]
    return places.merge(_labels(source), on=["layer", "head"]).assign(model_key=source.key, model=title)


@cached.kept(max_entries=64)
def _labels(source: Source) -> pd.DataFrame:
    """Returns name and shown label of every head."""
    heads = label_text.heads(source)
    shown = [label_text.display_label(row) for row in heads.itertuples()]
    return heads[["layer", "head", "name"]].assign(shown=shown)
