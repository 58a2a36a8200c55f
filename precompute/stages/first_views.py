"""First views: what each page of the dashboard shows before anything is chosen, for one model.

`method.first_views` has the rules. This module reads at most `IMAGES` images, the first by id (ids are
hashes: a sample without a pattern), and at most `GALLERY_BYTES` of token coordinates, so its time and memory
do not grow with the image set.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from precompute.inputs.prompts import ClassPrompt
from precompute.inputs.text_pool import text_id
from precompute.method import first_views, labels
from precompute.method.first_views import Choice
from precompute.method.types import HeadSpaces, Label, Pool, TextSpan
from precompute.stages import decompose_images
from precompute.stages.decompose_images import DecompositionResult, Shard
from precompute.stages.describe_heads import HeadDescriptions

IMAGES = 2000
"""Maximum number of images to choose from, except images with maps."""

GALLERY_BYTES = 512_000_000
"""Memory limit of the token coordinates of images with maps."""

NEIGHBORS = 12
"""Number of neighbors that a page shows first."""

COLUMNS = ("page", "image_id", "text_id", "against_id", "property", "layer", "head", "attribute", "value")
"""Columns of the table, without the model."""


class Outputs(NamedTuple):
    """Images to choose from, centered; the axis `head` has all heads, layer by layer. float64."""

    image_id: list[str]
    head: Float[Tensor, "image head rank"]
    embedding: Float[Tensor, "image d_out"]


class Maps(NamedTuple):
    """Images with maps."""

    outputs: Outputs
    token: Float[Tensor, "image head patch rank"]
    """Coordinates of every patch, not centered."""

    grid: tuple[int, int]


class Model(NamedTuple):
    """Inputs of the choices, of one model."""

    images: Outputs
    center: Float[Tensor, " d_out"]
    """Mean embedding of the images to choose from."""

    maps: Maps | None
    """None if there are none, or if they have too few patches."""

    basis: Float[Tensor, "head rank d_out"]
    text: Float[Tensor, "text d_out"]
    pool: Pool
    labels: list[Label]
    spans: list[TextSpan]
    places: list[tuple[int, int]]
    """Layer and head of each entry of the axis `head`, which `labels` and `spans` have too."""


class Subject(NamedTuple):
    """Heads with one supported label, and how they read the images."""

    label: str
    heads: list[int]
    texts: list[int]
    """Texts of the pool that carry the label."""

    output: Float[Tensor, "image dim"]
    """Mean centered contribution of the heads, in the joint space; of one head, in its coordinates."""

    fits: Float[Tensor, "image text"]
    reading: Int[Tensor, " image"]
    separation: float


def read(
    decomposition: DecompositionResult,
    spaces: HeadSpaces,
    described: HeadDescriptions,
    text: Float[Tensor, "text d_out"],
    pool: Pool,
    grid: tuple[int, int],
) -> Model:
    """Reads what the choices need of one model; `text` has one row for each text of the pool."""
    basis, mean = spaces.basis.flatten(0, 1).double(), described.mean.flatten(0, 1)
    parts = list(decompose_images.read_first(decomposition.shards, ("head", "embedding"), IMAGES))
    image_id = [name for names, _ in parts for name in names]
    head, embedding = (
        torch.cat([tensors[name] for _, tensors in parts]).double() for name in ("head", "embedding")
    )
    center = embedding.mean(dim=0)
    images = Outputs(image_id, head.flatten(1, 2) - mean, embedding - center)
    maps = _read_maps(decomposition.gallery, basis, mean, center, grid)
    head_labels, spans = described.labels.shown, described.spans
    return Model(images, center, maps, basis, text.double(), pool, head_labels, spans, spaces.places)


def rows(
    model: Model,
    class_prompts: Sequence[ClassPrompt],
    classes: Float[Tensor, "value d_out"],
    attributes: pd.DataFrame,
    contrast: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Returns the table `first_view` without the model; no row for a page that nothing qualifies for.

    `classes` has one row for each class prompt; `attributes` has the columns image_id, attribute, value.
    `contrast` says how well the maps of each label find what their text names; None without masks.
    """
    supported = _supported(model)
    subjects = [subject for item in supported.items() if (subject := _label(model, *item)).separation > 0]
    chosen = [
        *_one_head_views(model, sorted(chain.from_iterable(supported.values()))),
        *_search_views(model, subjects),
        *_map_views(model, subjects, attributes, contrast),
        *_ablation_views(model, subjects, class_prompts, classes, attributes),
    ]
    return pd.DataFrame(chosen, columns=COLUMNS).astype(
        {"layer": "Int64", "head": "Int64", "value": "float64"}
    )


def _read_maps(
    shards: Sequence[Shard],
    basis: Float[Tensor, "head rank d_out"],
    mean: Float[Tensor, "head rank"],
    center: Float[Tensor, " d_out"],
    grid: tuple[int, int],
) -> Maps | None:
    """Returns the images with maps, as many as fit into `GALLERY_BYTES`."""
    if not shards or min(grid) < first_views.MIN_SIDE:
        return None
    bytes_each = 4 * basis.shape[0] * (1 + grid[0] * grid[1]) * basis.shape[1]
    parts = list(decompose_images.read_first(shards, ("token", "rest"), max(1, GALLERY_BYTES // bytes_each)))
    token, rest = (torch.cat([tensors[name] for _, tensors in parts]) for name in ("token", "rest"))
    token = token.flatten(1, 2)  # [image, head, token, rank]
    head = token.double().sum(dim=2)
    embedding = rest.double() + torch.einsum("nhr,hrd->nd", head, basis)
    image_id = [name for names, _ in parts for name in names]
    return Maps(Outputs(image_id, head - mean, embedding - center), token[:, :, 1:], grid)


def _supported(model: Model) -> dict[str, list[int]]:
    """Returns the supported heads of every label that has some, by label."""
    heads: dict[str, list[int]] = {}
    for place, label in enumerate(model.labels):
        if label.supported:
            heads.setdefault(label.label, []).append(place)
    return dict(sorted(heads.items()))


def _label(model: Model, label: str, heads: list[int]) -> Subject:
    """Returns heads with one label, and how they read the images together."""
    texts = _texts(model, label)
    return _subject(label, heads, texts, _output(model.images, model.basis, heads), model.text[texts])


def _head(model: Model, head: int) -> Subject:
    """Returns one head, and how it reads the images; its output is in the coordinates of the head."""
    label = model.labels[head].label
    texts = _texts(model, label)
    return _subject(label, [head], texts, model.images.head[:, head], model.text[texts] @ model.basis[head].T)


def _texts(model: Model, label: str) -> list[int]:
    """Returns the texts of the pool that carry a label."""
    return model.pool.tags[:, model.pool.properties.index(label)].nonzero()[:, 0].tolist()


def _subject(
    label: str,
    heads: list[int],
    texts: list[int],
    output: Float[Tensor, "image dim"],
    text: Float[Tensor, "text dim"],
) -> Subject:
    fits = first_views.fit(output, text)
    reading = first_views.readings(fits)
    return Subject(label, heads, texts, output, fits, reading, first_views.separation(output, reading))


def _output(
    images: Outputs, basis: Float[Tensor, "head rank d_out"], heads: list[int]
) -> Float[Tensor, "image d_out"]:
    """Returns the mean centered contribution of some heads to each image."""
    return torch.einsum("nhr,hrd->nd", images.head[:, heads], basis[heads]) / len(heads)


def _best_separated(subjects: Sequence[Subject]) -> Subject | None:
    """Returns the first of the subjects with the largest separation; None if none has any."""
    best = first_views.first_best(torch.tensor([subject.separation for subject in subjects]))
    return subjects[best.place[0]] if best else None


def _one_head_views(model: Model, heads: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yields the views of the pages of one head: of the head that separates the texts of its label best."""
    subject = _best_separated([_head(model, head) for head in heads])
    if subject is None:
        return
    head = subject.heads[0]
    place = dict(zip(("layer", "head"), model.places[head], strict=True))
    yield {"page": "head", "value": subject.separation, **place}
    if near := _neighborhood(model, subject):
        yield {"page": "image_neighbors", **near, **place}
    picks = model.spans[head].text_index[: labels.SHOWN_PICKS].tolist()
    carrying = [text for text in picks if text in subject.texts]
    within = (model.text[carrying] - model.text.mean(dim=0)) @ model.basis[head].T
    count = min(NEIGHBORS, len(model.images.image_id))
    if best := first_views.best_text(subject.output, within, subject.reading, count):
        text = _text_id(model, carrying[best.place[0]])
        yield {"page": "text_neighbors", "text_id": text, "value": best.value, **place}


def _search_views(model: Model, subjects: Sequence[Subject]) -> Iterator[dict[str, Any]]:
    """Yields the view of the search by property: through the best separated label."""
    subject = _best_separated(subjects)
    if subject and (near := _neighborhood(model, subject)):
        yield {"page": "property_search", "property": subject.label, **near}


def _neighborhood(model: Model, subject: Subject) -> dict[str, Any] | None:
    """Returns image_id and value of the query whose neighbors show best what the heads read."""
    images = model.images
    count = min(NEIGHBORS, len(images.image_id) - 1)
    best = first_views.best_neighborhood(subject.output, images.embedding, subject.reading, count)
    return {"image_id": images.image_id[best.place[0]], "value": best.value} if best else None


def _map_views(
    model: Model, subjects: Sequence[Subject], attributes: pd.DataFrame, contrast: Mapping[str, float] | None
) -> Iterator[dict[str, Any]]:
    """Yields the views of the pages of maps: of all labels, the one with the largest value.

    Where maps were scored against masks, the value is weighted by that score: position heads read far from
    what is at the position. Where images have an attribute of the label's name, the image has a value of it,
    and two values for two texts: text and image embeddings alone let a ball be an animal.
    """
    if model.maps is None:
        return
    subjects = [subject for subject in subjects if contrast is None or contrast.get(subject.label, 0) > 0]
    weights = [1.0 if contrast is None else contrast[subject.label] for subject in subjects]
    chosen = [
        _choose_maps(model, model.maps, subject, weight, _known_values(model.maps, subject.label, attributes))
        for subject, weight in zip(subjects, weights, strict=True)
    ]
    one, two = (_best_maps(subjects, [pair[number] for pair in chosen]) for number in (0, 1))
    if one and not two:
        two = _against_the_rest(model, model.maps, *one)
    for page, best in (("topic_segmentation", one), ("contrastive_segmentation", two)):
        if best:
            subject, choice = best
            image, *texts = choice.place
            names = [_text_id(model, subject.texts[text]) for text in texts]
            view = dict(zip(("text_id", "against_id"), names, strict=False))
            view["image_id"] = model.maps.outputs.image_id[image]
            yield {"page": page, "property": subject.label, "value": choice.value, **view}


def _best_maps(
    subjects: Sequence[Subject], choices: Sequence[Choice | None]
) -> tuple[Subject, Choice] | None:
    """Returns the label with the largest value and its choice; None if nothing was chosen for any."""
    chosen = [
        (subject, choice) for subject, choice in zip(subjects, choices, strict=True) if choice is not None
    ]
    best = first_views.first_best(torch.tensor([choice.value for _, choice in chosen]))
    return chosen[best.place[0]] if best else None


def _against_the_rest(model: Model, maps: Maps, subject: Subject, choice: Choice) -> tuple[Subject, Choice]:
    """Returns the text of one map against the text of its label that fits the image least."""
    image, text = choice.place
    fits = first_views.fit(maps.outputs.embedding[image : image + 1], model.text[subject.texts])
    return subject, choice._replace(place=(image, text, int(fits.argmin())))


def _known_values(maps: Maps, label: str, attributes: pd.DataFrame) -> Int[Tensor, " gallery"]:
    """Returns the number of values of an attribute that each image has; 2 if there is no such attribute."""
    values = attributes[attributes["attribute"] == label].groupby("image_id")["value"].nunique()
    if values.empty:
        return torch.full((len(maps.outputs.image_id),), 2)
    return torch.tensor([int(values.get(image_id, 0)) for image_id in maps.outputs.image_id])


def _choose_maps(
    model: Model, maps: Maps, subject: Subject, contrast: float, known: Int[Tensor, " gallery"]
) -> tuple[Choice | None, Choice | None]:
    """Returns the best map and the best two maps of a label; values are weighted by locality and contrast.

    `known` has the number of values of the label that each image has.
    """
    text = model.text[subject.texts]
    whole = first_views.fit(model.images.embedding, text)
    of_gallery = first_views.fit(maps.outputs.embedding, text)
    through = first_views.fit(_output(maps.outputs, model.basis, subject.heads), text)
    fitting = first_views.fits_well(through, subject.fits) & first_views.fits_well(of_gallery, whole)
    reading = first_views.readings(of_gallery)
    drawn = _maps_of(model, maps, subject.heads, text)
    place = torch.arange(len(reading))
    weight = contrast * first_views.locality(drawn[place, reading], reading, fitting[place, reading])
    shown = first_views.presence(drawn)
    best = first_views.best_map(drawn, shown, reading, fitting & (known > 0)[:, None])
    pair = first_views.best_contrast(drawn, shown, fitting & (known > 1)[:, None])
    first, second = (choice and choice._replace(value=weight * choice.value) for choice in (best, pair))
    return first, second


def _maps_of(
    model: Model, maps: Maps, heads: list[int], text: Float[Tensor, "text d_out"]
) -> Float[Tensor, "gallery text row column"]:
    """Returns the maps of all texts over all images with maps, through some heads. float32."""
    total = torch.zeros(len(maps.token), maps.token.shape[2], len(text))
    for head in heads:
        total += maps.token[:, head] @ (model.basis[head] @ text.T).float()
    return total.mT.unflatten(-1, maps.grid).contiguous()


def _ablation_views(
    model: Model,
    subjects: Sequence[Subject],
    class_prompts: Sequence[ClassPrompt],
    classes: Float[Tensor, "value d_out"],
    attributes: pd.DataFrame,
) -> Iterator[dict[str, Any]]:
    """Yields the view of mean-ablation: the label and attribute where the accuracy falls most."""
    pairs, losses = [], []
    for attribute in dict.fromkeys(prompt.attribute for prompt in class_prompts):
        rows = [row for row, prompt in enumerate(class_prompts) if prompt.attribute == attribute]
        values = [class_prompts[row].value for row in rows]
        images, target = _targets(model.images.image_id, attribute, values, attributes)
        if len(values) < 2 or not len(target):
            continue
        text = classes[rows].float()
        score = (model.images.embedding[images] + model.center).float() @ text.T
        for subject in subjects:
            removed = (len(subject.heads) * subject.output[images]).float() @ text.T
            losses.append(first_views.accuracy_loss(score, removed, target))
            pairs.append((attribute, subject.label))
    if best := first_views.first_best(torch.tensor(losses)):
        attribute, label = pairs[best.place[0]]
        yield {"page": "mean_ablation", "attribute": attribute, "property": label, "value": best.value}


def _targets(
    image_id: list[str], attribute: str, values: list[str], attributes: pd.DataFrame
) -> tuple[Int[Tensor, " image"], Int[Tensor, " image"]]:
    """Returns the images with exactly one of the values, and the index of their value."""
    rows = attributes[(attributes["attribute"] == attribute) & attributes["value"].isin(values)]
    rows = rows.drop_duplicates("image_id", keep=False)
    value = dict(zip(rows["image_id"], rows["value"].map(values.index), strict=True))
    pairs = [(place, value[name]) for place, name in enumerate(image_id) if name in value]
    images, target = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T
    return images, target


def _text_id(model: Model, text: int) -> str:
    return text_id(model.pool.texts[text])
