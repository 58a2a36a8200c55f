"""Texts of the pool and free texts, with their embeddings by one model."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.data import cached, head_vectors, live_model
from dashboard.data.live import LiveError, TextRefused
from dashboard.data.near_words import near_words
from dashboard.data.types import PoolVectors, Source
from dashboard.state.markdown import cut
from dashboard.state.views import OF_PROPERTY, Head, head_name
from db import vectors
from db.layout import normalize_text

MAX_UNKNOWN = 3
"""Unknown words that a message names."""

MAX_EXAMPLES = 3

MAX_LISTED = 200
"""Texts of a list of one's own that are read."""


def pool(source: Source) -> PoolVectors:
    """Returns all texts of the pool with their embeddings, in pool order."""
    rows = cached.query(source.bundle, "texts")

    def read() -> PoolVectors:
        embedding = cached.frozen(
            vectors.text_embeddings(source.bundle, source.key, rows["text_id"].tolist())[1]
        )
        texts = rows["text"].tolist()
        mean = embedding.mean(axis=0, dtype=np.float64)
        return PoolVectors(
            texts, embedding, mean, {normalize_text(text): row for row, text in enumerate(texts)}
        )

    return head_vectors.cached_array(source, "pool", None, read)


def in_pool(source: Source, text: str) -> bool:
    return not outside_pool(source, [text])


def outside_pool(source: Source, listed: Sequence[str]) -> list[str]:
    """Returns the texts that only the model can read."""
    known = pool(source).row
    return [text for text in listed if normalize_text(text) not in known]


def head_column(source: Source, head: Head) -> NDArray[np.float32]:
    """Returns the coordinates of every text of the pool in one head, centered on the pool, [text, rank]."""

    def project() -> NDArray[np.float32]:
        texts = pool(source)
        basis = head_vectors.head_space(source, (head,)).basis[0]
        return cached.frozen((texts.embedding - texts.mean.astype(np.float32)) @ basis.T)

    return head_vectors.cached_array(source, "texts", head, project)


def embedding(source: Source, text: str) -> NDArray[np.float32]:
    """Returns the unit-length embedding of a text, [d_out]; runs the model for a text outside the pool."""
    row = pool(source).row.get(normalize_text(text))
    return live_model.encode(source, normalize_text(text)) if row is None else pool(source).embedding[row]


def embeddings(source: Source, listed: Sequence[str]) -> NDArray[np.float32]:
    """Returns the unit-length embeddings of texts, [text, d_out]; looks the pool up once for all."""
    known = pool(source)
    rows = [known.row.get(normalize_text(text)) for text in listed]
    return np.stack(
        [
            live_model.encode(source, normalize_text(text)) if row is None else known.embedding[row]
            for text, row in zip(listed, rows, strict=True)
        ]
    )


class Refusal(NamedTuple):
    """A text that the model cannot read."""

    problem: str
    vocabulary: tuple[str, ...]
    """All words that it can read; empty for an open vocabulary."""


def refusal(source: Source, text: str) -> Refusal | None:
    """Returns why the model cannot read a text, with words that are spelled like the unknown ones."""
    try:
        if text:
            embedding(source, text)
    except TextRefused as error:
        named = "; ".join(map(partial(_unknown, vocabulary=error.vocabulary), error.unknown[:MAX_UNKNOWN]))
        more = f"; and {len(error.unknown) - MAX_UNKNOWN:,} more" * (len(error.unknown) > MAX_UNKNOWN)
        problem = f"{source.info.model} does not know {named}{more}." if named else str(error)
        return Refusal(problem, error.vocabulary)
    except LiveError:  # no text can be read: the page says so below its controls
        return None
    return None


def _unknown(word: str, vocabulary: Sequence[str]) -> str:
    near = near_words(word, vocabulary)
    return f"“{cut(word)}”" + (f" (spelled like it: {', '.join(near)})" if near else "")


def examples(source: Source, head: Head | None) -> list[str]:
    """Returns some texts that the model reads: of a head, else of the pool."""
    return (of_head(source, head) if head else pool(source).texts)[:MAX_EXAMPLES]


def of_head(source: Source, head: Head) -> list[str]:
    """Returns the texts that describe a head, in the order of selection."""
    return cached.of_head(source, "head_texts", head)["text"].tolist()


def filters(source: Source, head: Head | None) -> dict[str, str]:
    """Returns titles of the filters of the pool: none, the texts of a head, the texts of a property."""
    of_one_head = {"head": f"what describes {head_name(head)}"} if head else {}
    of_property = {
        f"property:{row.property}": f"{row.property} · {row.texts} texts"
        for row in cached.of_model(source, "properties").itertuples()
    }
    return {"": f"any property · {len(pool(source).texts):,} texts"} | of_one_head | of_property


def properties(source: Source) -> dict[str, str]:
    """Returns titles of the properties that texts of the pool carry."""
    rows = cached.of_model(source, "properties").query("texts > 0").sort_values("property")
    return {row.property: f"{row.property} · {row.texts} texts" for row in rows.itertuples()}


def of_concept(source: Source, concept: str) -> list[str]:
    """Returns the texts of property:<name>, else the lines of a list, without empty lines and repeats."""
    kind, colon, name = concept.partition(":")
    if f"{kind}{colon}" == OF_PROPERTY and name in properties(source):
        return cached.query(source.bundle, "texts", property=name)["text"].tolist()
    return list(dict.fromkeys(filter(None, map(normalize_text, concept.splitlines()))))[:MAX_LISTED]


def of_filter(source: Source, which: str, head: Head | None) -> list[str]:
    """Texts of the pool under one of `filters`."""
    if which == "head" and head:
        return of_head(source, head)
    return cached.query(source.bundle, "texts", property=which.partition(":")[2] or None)["text"].tolist()


def random(source: Source, seed: int, count: int, without: Sequence[str]) -> list[str]:
    others = [text for text in pool(source).texts if text not in without]
    return [others[i] for i in np.random.default_rng(seed).permutation(len(others))[:count]]
