"""Rankings of the heads of several models by how much they read a text, an image, or texts of a concept."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.analyses import concepts, reads
from dashboard.analyses.reads import Measure
from dashboard.data import cached, choices, head_vectors, images, label_text, neighbors, texts
from dashboard.data.live import LiveError
from dashboard.data.types import Source
from dashboard.state.views import MAX_PICKS, ReadsView
from db import vectors

RANDOM = 10
"""Draws of random texts of the pool, whose mean share is taken."""


NONE = (
    "No head can be ranked: none varies over the images, or the text is the mean text of the pool. Choose "
    "another text."
)


class Words(NamedTuple):
    """Names of the two measures of a ranking."""

    amount: str
    unit: str
    z: str
    about: str
    """Definition of both in a sentence or two."""

    scale: float = 1.0
    """Factor between the stored amount and its unit."""

    decimals: int = 1

    @property
    def title(self) -> str:
        """The amount with its unit."""
        return f"{self.amount} ({self.unit})"


WORDS = {
    "text": Words(
        "share of variance",
        "%",
        "z against rotated heads",
        "Share: how much of the head's variance over the images lies along the text, centered on the pool. "
        "z: its distance from the mean share of the head rotated at random, in standard deviations. p: share "
        "of draws in which the largest z of all heads of the model, each rotated at random, is as large.",
        100,
    ),
    "image": Words(
        "size of the contribution",
        "times the usual",
        "z over the images",
        "Size: length of what the head writes for this image beyond its mean, divided by its root mean "
        "square over the images. z: its distance from the mean length, in standard deviations.",
        decimals=2,
    ),
    "both": Words(
        "contribution along the text",
        "cosine x 1000",
        "z over the images",
        "Contribution: what the head adds to the similarity of this image and the text, beyond the average "
        "image and the mean text of the pool. z: in standard deviations over the images.",
        1000,
        2,
    ),
    "concept": Words(
        "beyond random texts",
        "points of variance",
        "",
        "Share of the head's variance in the span of the first texts that TEXTSPAN chooses among these, less "
        "the share in the span of as many random texts of the pool (mean of ten draws). Choosing alone gives "
        "some of it: compare with a random-weights control.",
        100,
    ),
}


class Ranking(NamedTuple):
    """Heads of several models, best first."""

    heads: pd.DataFrame
    """model_key, model, layer, head, name, label, amount (in its unit), z; of a text p, of a concept share,
    random (both in %) and first_texts.
    """

    left_out: list[str]
    """Models that cannot be ranked, with the reason."""


def rank(source: Source, view: ReadsView) -> Ranking:
    """Returns the heads of the chosen models by the measure `order` of the view, without undefined ones."""
    frames, left_out = [], []
    for other in models(source, view.models):
        try:
            frames.append(_measured(other, view))
        except LiveError as error:
            if other.key == source.key:
                raise
            left_out.append(f"{other.info.model}: {error}")
    order = view.order if WORDS[view.form].z else "amount"
    heads = pd.concat(frames, ignore_index=True).dropna(subset=["amount"])
    return Ranking(heads.sort_values(order, ascending=False, kind="stable", ignore_index=True), left_out)


def models(source: Source, which: str) -> list[Source]:
    """Returns the model of the sidebar, and the others that have vectors unless `which` is one."""
    others = cached.sources(source.bundle, source.name) if which == "every" else []
    return [source, *(other for other in others if other.has_vectors and other.key != source.key)]


def _measured(source: Source, view: ReadsView) -> pd.DataFrame:
    """Returns the heads of one model with their measures, by what the view's form needs."""
    text = view.text if view.form in ("text", "both") else ""
    image = view.image if view.form in ("image", "both") else ""
    if view.form == "concept":
        return _of_concept(source, tuple(texts.of_concept(source, view.concept)), view.picks)
    return _of_query(source, text, image)


@cached.kept(max_entries=256)
def _of_query(source: Source, text: str, image_id: str) -> pd.DataFrame:
    """Returns the heads of one model with their measures for a text, an image, or both."""
    space = head_vectors.head_space(source)
    if not text:
        coordinates = _coordinates(source, image_id)
        return _with_heads(source, "image", reads.in_image(coordinates, space.covariance, space.mean_length))
    direction = space.basis @ (texts.embedding(source, text) - texts.pool(source).mean)
    if image_id:
        coordinates = _coordinates(source, image_id)
        return _with_heads(source, "both", reads.text_in_image(direction, coordinates, space.covariance))
    measure = reads.along_text(direction, space.covariance, head_vectors.own_ranks(space))
    return _with_heads(source, "text", measure, p=reads.exceeded(measure.z, _largest_by_chance(source)))


def _coordinates(source: Source, image_id: str) -> NDArray[np.float32]:
    """Returns the centered coordinates of an image in all heads, [head, rank]."""
    stored = head_vectors.row_of(image_id, vectors.image_ids(source.bundle, source.key)) is not None
    if not stored and image_id not in images.uploads():
        raise LiveError("this model has not decomposed the image.")
    return neighbors.query_coordinates(source, image_id, head_vectors.all_heads(source))


@cached.kept(max_entries=64)
def _largest_by_chance(source: Source) -> NDArray[np.float64]:
    """Returns the largest z of a model's rotated heads in every draw."""
    space = head_vectors.head_space(source)
    return cached.frozen(reads.largest_by_chance(space.covariance, head_vectors.own_ranks(space)))


def _of_concept(source: Source, listed: tuple[str, ...], picks: int) -> pd.DataFrame:
    """Returns the heads of one model with the share of variance that texts of a concept span."""
    span, last = _spanned(source, listed), min(picks, len(listed)) - 1
    share, random = span.share[:, last], _spanned_by_random(source)[:, last]
    chosen = ["; ".join(listed[place] for place in row[:picks] if place >= 0) for row in span.text]
    more = {"share": 100 * share, "random": 100 * random, "first_texts": chosen}
    return _with_heads(source, "concept", Measure(share - random, np.full(len(share), np.nan)), **more)


@cached.kept(max_entries=128)
def _spanned(source: Source, listed: tuple[str, ...]) -> concepts.Span:
    """Returns the first choices of every head among texts, as many as a page can ask for."""
    space = head_vectors.head_space(source)
    in_heads = _in_heads(space, texts.embeddings(source, listed))
    return concepts.first_texts(in_heads, space.covariance, MAX_PICKS)


@cached.kept(max_entries=64)
def _spanned_by_random(source: Source) -> NDArray[np.float64]:
    """Returns the share of every head's variance that 1, 2, ... random texts of the pool span, mean of draws.

    [head, k]
    """
    space, pool, random = head_vectors.head_space(source), texts.pool(source), np.random.default_rng(0)
    draws = [random.permutation(len(pool.texts))[:MAX_PICKS] for _ in range(RANDOM)]
    in_heads = np.stack([_in_heads(space, pool.embedding[rows]) for rows in draws])
    shares = concepts.spanned(in_heads, space.covariance).mean(axis=0)
    missing = MAX_PICKS - shares.shape[1]  # of a small pool: all of its texts span the most
    return cached.frozen(np.pad(shares, ((0, 0), (0, missing)), mode="edge"))


def _in_heads(space: vectors.HeadSpace, embedding: NDArray) -> NDArray[np.float32]:
    """Returns the coordinates of texts [text, d_out] in all heads, [head, text, rank], not centered."""
    heads, rank, d_out = space.basis.shape
    flat = embedding @ space.basis.reshape(-1, d_out).T  # one product: one for each head is slower
    return flat.reshape(len(embedding), heads, rank).swapaxes(0, 1)


def _with_heads(source: Source, form: str, measure: Measure, **more: object) -> pd.DataFrame:
    """Returns one row per stored head with its label and measure."""
    return _heads(source).assign(amount=WORDS[form].scale * measure.amount, z=measure.z, **more)


@cached.kept(max_entries=64)
def _heads(source: Source) -> pd.DataFrame:
    """Returns the stored heads of one model with names and labels, in the order of the axis `head`."""
    rows = {(row.layer, row.head): row for row in label_text.heads(source).itertuples()}
    heads = [rows[head] for head in head_vectors.all_heads(source)]
    return pd.DataFrame(
        {
            "model_key": source.key,
            "model": choices.model_titles(source.bundle)[source.key],
            "layer": [row.layer for row in heads],
            "head": [row.head for row in heads],
            "name": [row.name for row in heads],
            "label": [label_text.display_label(row) for row in heads],
        }
    )


def with_units(view: ReadsView, heads: pd.DataFrame) -> pd.DataFrame:
    """Returns the ranking as a table to save: the measure by its title, without columns of other forms."""
    return heads.rename(columns={"amount": WORDS[view.form].title}).dropna(axis="columns", how="all")


def outside(source: Source, view: ReadsView, heads: pd.DataFrame) -> tuple[str, str]:
    """Returns how many heads vary along the text of the view more than chance, and a warning if none does."""
    if view.form != "text":
        return "", ""
    count, of = int((heads["p"] <= reads.BEYOND).sum()), heads["model"].nunique()
    every = f"{len(heads):,} heads of {of} models" if of > 1 else f"{len(heads):,} heads"
    fact = f"{count:,} of {every} vary along this text more than chance (p ≤ {reads.BEYOND})."
    warning = (
        f"None of {every} varies along this text more than the largest of the rotated heads mostly does: the "
        "text lies outside what these heads span, and their order may mean little."
    )
    return fact, warning * bool(heads["p"].min() > 0.5)
