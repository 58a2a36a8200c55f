"""What the analyses answer, as tables and maps for the pages: vectors from `data` through `analyses`."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from dashboard.analyses import maps
from dashboard.analyses.maps import PART_NAMES, TextMap
from dashboard.analyses.score_difference import why
from dashboard.data import cached, choices, head_vectors, scopes, texts, token_images
from dashboard.data.types import Source, TokenImage
from dashboard.state.views import Scope, head_name

NO_CONTROL = "No control is shown: the pool has too few other texts to draw one from."


class LabeledMap(NamedTuple):
    """A map on the page: what it is of, and its numbers."""

    title: str
    map: TextMap


class MapPanel(NamedTuple):
    """Maps of one image on one scale."""

    picture: Image.Image
    """What the patches cover."""

    shown: list[LabeledMap]
    limit: float
    note: str
    """What to know about where the numbers came from, and what is missing."""


def topic(
    source: Source, image_id: str, text: str, scope: Scope, *, reference: str, control: str, seed: int
) -> MapPanel:
    """The map of one text through some heads, and a control that should look like nothing."""
    image = token_images.token_image(source, image_id)
    shown = scopes.mask(source, scope)
    relative = reference == "relative"
    vector = _text(source, text, relative=relative)
    draw = partial(_random_text, source, seed, text, relative=relative)
    other, note = _control(source, image, vector, draw, shown, control, seed)
    return _on_one_scale(image, [LabeledMap(text, _map(source, image, vector, shown)), *other], note)


def contrast(
    source: Source, image_id: str, a: str, b: str, scope: Scope, *, control: str, seed: int
) -> MapPanel:
    """The maps of two texts and their difference, and a control for the difference."""
    image = token_images.token_image(source, image_id)
    shown = scopes.mask(source, scope)
    of_a, of_b = (_map(source, image, _text(source, text), shown) for text in (a, b))
    difference = LabeledMap("A - B", maps.contrast(of_a, of_b))
    vector = _text(source, a) - _text(source, b)
    draw = partial(_random_pair, source, seed, (a, b))
    other, note = _control(source, image, vector, draw, shown, control, seed)
    return _on_one_scale(
        image, [LabeledMap(f"A: {a}", of_a), LabeledMap(f"B: {b}", of_b), difference, *other], note
    )


def _text(source: Source, text: str, *, relative: bool = False) -> NDArray:
    vector = texts.embedding(source, text).astype(np.float64)
    return maps.relative(vector, texts.pool(source).mean) if relative else vector


def _map(source: Source, image: TokenImage, text: NDArray, shown: NDArray) -> TextMap:
    space = head_vectors.head_space(source, head_vectors.all_heads(source))
    return maps.text_map(image.tokens, space.basis, image.rest, text, shown, source.grid)


def _control(
    source: Source,
    image: TokenImage,
    text: NDArray,
    draw: Callable[[], tuple[str, NDArray] | None],
    shown: NDArray,
    control: str,
    seed: int,
) -> tuple[list[LabeledMap], str]:
    """The same text through other heads or, where all heads are shown, another text through the same.

    `draw` gives that other text, None where the pool has too few; then a note says that there is no control.
    """
    if control == "none":
        return [], ""
    every = head_vectors.all_heads(source)
    chosen = tuple(head for head, on in zip(every, shown, strict=True) if on)
    others = head_vectors.random_heads(source, chosen, seed)
    if control == "heads" and others:
        names = ", ".join(map(head_name, others))
        mask = np.array([head in others for head in every])
        return [LabeledMap(f"Control: {names}", _map(source, image, text, mask))], ""
    drawn = draw()
    if drawn is None:
        return [], NO_CONTROL
    title, vector = drawn
    return [LabeledMap(f"Control: {title}", _map(source, image, vector, shown))], ""


def _random_text(source: Source, seed: int, text: str, *, relative: bool) -> tuple[str, NDArray] | None:
    others = texts.random(source, seed, 1, (text,))
    return (others[0], _text(source, others[0], relative=relative)) if others else None


def _random_pair(source: Source, seed: int, pair: tuple[str, str]) -> tuple[str, NDArray] | None:
    others = texts.random(source, seed, 2, pair)
    if len(others) < 2:
        return None
    a, b = others
    return f"{a} - {b}", _text(source, a) - _text(source, b)


def _on_one_scale(image: TokenImage, shown: list[LabeledMap], note: str) -> MapPanel:
    limit = maps.symmetric_limit(*(one.map.grid for one in shown))
    return MapPanel(image.picture, shown, limit, f"{image.note} {note}".strip())


def parts_table(shown: list[LabeledMap]) -> pd.DataFrame:
    """One row per part of the score, one column per map, in thousandths; the last row is their sum."""
    columns = {one.title: [1000 * value for value in (*one.map.parts, one.map.parts.score)] for one in shown}
    total = [False] * len(PART_NAMES) + [True]
    return pd.DataFrame({"part": [*PART_NAMES, "Sum = score"], **columns, "total": total})


def patches_table(shown: list[LabeledMap]) -> pd.DataFrame:
    """One row per patch, one column per map, in thousandths."""
    rows, columns = np.indices(shown[0].map.grid.shape)
    places = {"patch row": rows.ravel(), "patch column": columns.ravel()}
    return pd.DataFrame(places | {one.title: 1000 * one.map.grid.ravel() for one in shown})


def why_table(source: Source, image_id: str, a: str, b: str) -> pd.DataFrame:
    """What decides between two texts: one row per head and one for each of the rest, in thousandths."""
    image = token_images.token_image(source, image_id)
    heads = head_vectors.all_heads(source)
    space = head_vectors.head_space(source, heads)
    direction = (texts.embedding(source, a) - texts.embedding(source, b)).astype(np.float64)
    found = why(
        image.tokens.sum(axis=1),
        space.mean,
        space.basis,
        image.rest,
        head_vectors.mean_embedding(source),
        direction,
    )
    names = choices.head_names(source)
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
    return next(row for row in cached.query(source.bundle, "metrics").itertuples() if row.metric == metric)
