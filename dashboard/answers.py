"""What the analyses answer, as tables and maps for the pages: vectors from `data` through `analyses`."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from dashboard import data, offers
from dashboard.analyses import maps, neighbors
from dashboard.analyses.maps import PART_NAMES, TextMap
from dashboard.analyses.why import why
from dashboard.source import Source, TokenImage
from dashboard.view_state import Head, Scope, head_name

NO_CONTROL = "No control is shown: the pool has too few other texts to draw one from."


class Shown(NamedTuple):
    """A map on the page: what it is of, and its numbers."""

    title: str
    map: TextMap


class Maps(NamedTuple):
    """Maps of one image on one scale."""

    picture: Image.Image
    """What the patches cover."""

    shown: list[Shown]
    limit: float
    note: str
    """What to know about where the numbers came from, and what is missing."""


def neighbors_of_image(
    source: Source, image_id: str, heads: tuple[Head, ...], by: str, k: int
) -> pd.DataFrame:
    """The images nearest to one through a set of heads; the image itself is left out."""
    space = data.head_space(source, heads)
    query = data.query_coordinates(source, image_id)[space.place]
    rows = [data.head_vectors(source, head) for head in heads]
    norms = data.norms(source, heads)
    score = neighbors.scores(query, rows, space.basis, space.mean, norms, metric=by)
    own = data.image_places(source).get(image_id)
    return with_images(source, neighbors.top(score, k, leave_out=own))


def neighbors_of_text(
    source: Source, text: str, head: Head, by: str, k: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The images, and the descriptions of the pool, nearest to a text inside one head."""
    space = data.head_space(source, (head,))
    basis, mean = space.basis[0], space.mean[0]
    pool = data.pool(source)
    query = basis @ data.text_embedding(source, text)  # [rank]
    pool_mean = basis @ pool.mean
    score = neighbors.text_scores(query, data.head_vectors(source, head), mean, pool_mean, metric=by)
    images = with_images(source, neighbors.top(score, k))
    rows = data.head_text_vectors(source, head)
    near = neighbors.top(neighbors.text_scores(query, rows, pool_mean, pool_mean, metric=by), k)
    return images, pd.DataFrame({"text": [pool.texts[row] for row in near.row], "score": near.score})


def with_images(source: Source, found: neighbors.Ranking) -> pd.DataFrame:
    """Ranked rows of the vectors as images with path and attributes."""
    ids, known = list(data.image_places(source)), data.image_rows(source)
    rows = [(ids[row], known[ids[row]].path, known[ids[row]].attributes) for row in found.row]
    return pd.DataFrame(rows, columns=["image_id", "path", "attributes"]).assign(score=found.score)


def topic(
    source: Source, image_id: str, text: str, scope: Scope, *, reference: str, control: str, seed: int
) -> Maps:
    """The map of one text through some heads, and a control that should look like nothing."""
    image = data.token_image(source, image_id)
    shown = offers.mask(source, scope)
    relative = reference == "relative"
    vector = _text(source, text, relative=relative)
    draw = partial(_random_text, source, seed, text, relative=relative)
    other, note = _control(source, image, vector, draw, shown, control, seed)
    return _on_one_scale(image, [Shown(text, _map(source, image, vector, shown)), *other], note)


def contrast(source: Source, image_id: str, a: str, b: str, scope: Scope, *, control: str, seed: int) -> Maps:
    """The maps of two texts and their difference, and a control for the difference."""
    image = data.token_image(source, image_id)
    shown = offers.mask(source, scope)
    of_a, of_b = (_map(source, image, _text(source, text), shown) for text in (a, b))
    difference = Shown("A - B", maps.contrast(of_a, of_b))
    vector = _text(source, a) - _text(source, b)
    draw = partial(_random_pair, source, seed, (a, b))
    other, note = _control(source, image, vector, draw, shown, control, seed)
    return _on_one_scale(image, [Shown(f"A: {a}", of_a), Shown(f"B: {b}", of_b), difference, *other], note)


def _text(source: Source, text: str, *, relative: bool = False) -> NDArray:
    vector = data.text_embedding(source, text).astype(np.float64)
    return maps.relative(vector, data.pool(source).mean) if relative else vector


def _map(source: Source, image: TokenImage, text: NDArray, shown: NDArray) -> TextMap:
    space = data.head_space(source, data.all_heads(source))
    return maps.text_map(image.tokens, space.basis, image.rest, text, shown, source.grid)


def _control(
    source: Source,
    image: TokenImage,
    text: NDArray,
    draw: Callable[[], tuple[str, NDArray] | None],
    shown: NDArray,
    control: str,
    seed: int,
) -> tuple[list[Shown], str]:
    """The same text through other heads or, where all heads are shown, another text through the same.

    `draw` gives that other text, None where the pool has too few; then a note says that there is no control.
    """
    if control == "none":
        return [], ""
    others = maps.random_heads(shown, seed)
    if control == "heads" and others.any():
        names = [head_name(head) for head, on in zip(data.all_heads(source), others, strict=True) if on]
        return [Shown(f"Control: {', '.join(names)}", _map(source, image, text, others))], ""
    drawn = draw()
    if drawn is None:
        return [], NO_CONTROL
    title, vector = drawn
    return [Shown(f"Control: {title}", _map(source, image, vector, shown))], ""


def _random_text(source: Source, seed: int, text: str, *, relative: bool) -> tuple[str, NDArray] | None:
    others = offers.random_texts(source, seed, 1, (text,))
    return (others[0], _text(source, others[0], relative=relative)) if others else None


def _random_pair(source: Source, seed: int, texts: tuple[str, str]) -> tuple[str, NDArray] | None:
    others = offers.random_texts(source, seed, 2, texts)
    if len(others) < 2:
        return None
    a, b = others
    return f"{a} - {b}", _text(source, a) - _text(source, b)


def _on_one_scale(image: TokenImage, shown: list[Shown], note: str) -> Maps:
    limit = maps.symmetric_limit(*(one.map.grid for one in shown))
    return Maps(image.picture, shown, limit, f"{image.note} {note}".strip())


def parts_table(shown: list[Shown]) -> pd.DataFrame:
    """One row per part of the score, one column per map, in thousandths; the last row is their sum."""
    columns = {one.title: [1000 * value for value in (*one.map.parts, one.map.parts.score)] for one in shown}
    total = [False] * len(PART_NAMES) + [True]
    return pd.DataFrame({"part": [*PART_NAMES, "Sum = score"], **columns, "total": total})


def patches_table(shown: list[Shown]) -> pd.DataFrame:
    """One row per patch, one column per map, in thousandths."""
    rows, columns = np.indices(shown[0].map.grid.shape)
    places = {"patch row": rows.ravel(), "patch column": columns.ravel()}
    return pd.DataFrame(places | {one.title: 1000 * one.map.grid.ravel() for one in shown})


def why_table(source: Source, image_id: str, a: str, b: str) -> pd.DataFrame:
    """What decides between two texts: one row per head and one for each of the rest, in thousandths."""
    image = data.token_image(source, image_id)
    heads = data.all_heads(source)
    space = data.head_space(source, heads)
    direction = (data.text_embedding(source, a) - data.text_embedding(source, b)).astype(np.float64)
    found = why(
        image.tokens.sum(axis=1), space.mean, space.basis, image.rest, data.mean_embedding(source), direction
    )
    names = offers.head_names(source)
    parts = [names[head] for head in heads] + [PART_NAMES[3], "What the average image scores"]
    values = 1000 * np.array([*found.heads, found.rest, found.average])
    kinds = ["head"] * len(heads) + ["rest", "average"]
    return pd.DataFrame({"part": parts, "value": values, "kind": kinds})


def why_shown(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """The heads that decide most, the others as one bar, then the rest: still adding to the same sum."""
    heads = table[table["kind"] == "head"].sort_values("value", key=abs, ascending=False, kind="stable")
    first, others = heads.iloc[:most], heads.iloc[most:]
    rows = [first.sort_values("value", ascending=False)]
    if len(others):
        rows.append(
            pd.DataFrame(
                {"part": [f"{len(others)} other heads"], "value": [others["value"].sum()], "kind": "others"}
            )
        )
    total = pd.DataFrame(
        {"part": ["Sum = score of A - score of B"], "value": [table["value"].sum()], "kind": "sum"}
    )
    shown = pd.concat([*rows, table[table["kind"] != "head"], total], ignore_index=True)
    return shown.assign(total=shown["kind"].isin(["average", "sum"]))


def metric_info(source: Source, metric: str):
    """What a metric means: title, description, unit, direction."""
    return next(row for row in data.metrics(source.bundle).itertuples() if row.metric == metric)
