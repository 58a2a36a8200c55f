"""Maps and their tables for the pages: vectors from `data`, results of `analyses`."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from dashboard.analyses import maps
from dashboard.analyses.maps import PART_NAMES, TextMap
from dashboard.data import choices, digits, head_vectors, scopes, texts, token_images
from dashboard.data.types import Source, TokenImage, column_title
from dashboard.state.views import ContrastView, Head, MapView, TopicView, head_name, parse_head

NO_CONTROL = "No control is shown: the pool has too few other texts to draw one from."


class LabeledMap(NamedTuple):
    """A map on the page with its title."""

    title: str
    map: TextMap


class MapPanel(NamedTuple):
    """Maps of one image on one scale."""

    picture: Image.Image
    """Part of the image that the patches cover."""

    panels: list[LabeledMap]
    limit: float
    note: str
    """Origin of the numbers if they are not from the bundle, and missing controls."""


def topic(source: Source, view: TopicView) -> MapPanel:
    """Returns the map of one text through a set of heads, and a control that should show no pattern."""
    image, shown = token_images.token_image(source, view.image), scopes.mask(source, view.heads)
    of_text = _map(source, image, _vector(source, view, (view.text,)), shown)
    control = _control(source, view, image, (view.text,), shown)
    return _on_one_scale(view, image, [LabeledMap(view.text, of_text)], control)


def contrast(source: Source, view: ContrastView) -> MapPanel:
    """Returns the maps of two texts, their difference, and a control of the difference."""
    image, shown = token_images.token_image(source, view.image), scopes.mask(source, view.heads)
    pair = a, b = view.text, view.against
    of_a, of_b = (_map(source, image, _vector(source, view, (text,)), shown) for text in pair)
    panels = [LabeledMap(f"A: {a}", of_a), LabeledMap(f"B: {b}", of_b)]
    panels.append(LabeledMap("A − B", maps.contrast(of_a, of_b)))
    return _on_one_scale(view, image, panels, _control(source, view, image, pair, shown))


def _vector(source: Source, view: MapView, subject: Sequence[str]) -> NDArray[np.float64]:
    """Returns a text, or the difference of two, [d_out]; relative maps subtract the pool's mean text.

    All texts share a common direction, so the zero of a plain map is a convention.
    """
    relative = isinstance(view, TopicView) and view.reference == "relative"
    first, *others = (texts.embedding(source, text).astype(np.float64) for text in subject)
    return first - sum(others) - (texts.pool(source).mean if relative else 0)


def _map(source: Source, image: TokenImage, text: NDArray, shown: NDArray) -> TextMap:
    space = head_vectors.head_space(source)
    return maps.text_map(image.tokens, space.basis, image.rest, text, shown, source.grid)


def _control(
    source: Source, view: MapView, image: TokenImage, subject: Sequence[str], shown: NDArray
) -> LabeledMap | None:
    """Returns the same text through other heads or, if the map uses all heads, another text through them.

    None if the view has no control, or if the pool is too small for another text.
    """
    if view.control == "none":
        return None
    stored = head_vectors.all_heads(source)
    chosen = tuple(head for head, on in zip(stored, shown, strict=True) if on)
    others = head_vectors.random_heads(source, chosen, view.seed)
    title = ", ".join(map(head_name, others))
    if view.control == "text" or not others:
        subject, count = texts.random(source, view.seed, len(subject), subject), len(subject)
        if len(subject) < count:
            return None
        title = " − ".join(subject)
    else:
        shown = np.array([head in others for head in stored])
    return LabeledMap(f"Control: {title}", _map(source, image, _vector(source, view, subject), shown))


def _on_one_scale(
    view: MapView, image: TokenImage, panels: list[LabeledMap], control: LabeledMap | None
) -> MapPanel:
    note = NO_CONTROL if control is None and view.control != "none" else ""
    panels = [*panels, control] if control else panels
    limit = maps.symmetric_limit(*(panel.map.grid for panel in panels))
    return MapPanel(image.picture, panels, limit, f"{image.note} {note}".strip())


def in_words(title: str, grid: NDArray | None) -> str:
    """Returns a sentence on a map for screen readers: where it is highest and lowest."""
    if grid is None:
        return f"{title}, the part that the model sees."
    (top, left), (bottom, right) = (np.unravel_index(at, grid.shape) for at in (grid.argmax(), grid.argmin()))
    high, low = (digits.number(1000 * value, "+.3g") for value in (grid.max(), grid.min()))
    return (
        f"{title}: highest {high} in patch row {top + 1}, column {left + 1}; "
        f"lowest {low} in row {bottom + 1}, column {right + 1}; "
        "thousandths of cosine similarity."
    )


def parts_table(panels: list[LabeledMap]) -> pd.DataFrame:
    """Returns one row per part of the score, one column per map, in thousandths; the last row is the sum."""
    columns = {
        column_title(title, ("part", "total")): [1000 * value for value in (*map.parts, map.parts.score)]
        for title, map in panels
    }
    total = [False] * len(PART_NAMES) + [True]
    return pd.DataFrame({"part": [*PART_NAMES, "Sum = score"], **columns, "total": total})


def patches_table(panels: list[LabeledMap]) -> pd.DataFrame:
    """Returns one row per patch, one column per map, in thousandths. Row 1 is the top."""
    rows, columns = np.indices(panels[0].map.grid.shape)
    places = {"patch row": rows.ravel() + 1, "patch column": columns.ravel() + 1}
    values = {column_title(title, places): 1000 * map.grid.ravel() for title, map in panels}
    return pd.DataFrame(places | values)


def why_table(source: Source, image_id: str, a: str, b: str) -> pd.DataFrame:
    """Returns the parts of a score difference: one row per head, then the rest, in thousandths."""
    image = token_images.token_image(source, image_id)
    heads = head_vectors.all_heads(source)
    space = head_vectors.head_space(source)
    direction = (texts.embedding(source, a) - texts.embedding(source, b)).astype(np.float64)
    coordinates, average = image.tokens.sum(axis=1), head_vectors.mean_embedding(source)
    parts = maps.why(coordinates, space.mean, space.basis, image.rest, average, direction)
    names = choices.head_names(source)
    titles = [names[head] for head in heads] + [PART_NAMES[3], "Average image (baseline)"]
    values = 1000 * np.array([*parts.heads, parts.rest, parts.average])
    kinds = ["head"] * len(heads) + ["rest", "average"]
    return pd.DataFrame({"part": titles, "value": values, "kind": kinds})


def heads_in(shown: pd.DataFrame) -> list[Head]:
    """Returns the heads among the bars of `why_shown`, whose titles begin with their names."""
    names = shown.loc[shown["kind"] == "head", "part"].str.partition(" ")[0]
    return [head for name in names if (head := parse_head(name))]


def why_shown(table: pd.DataFrame, max_heads: int) -> pd.DataFrame:
    """Returns the heads with the largest parts, the other heads as one bar, then the rest, and the sum."""
    heads = table[table["kind"] == "head"].sort_values("value", key=abs, ascending=False, kind="stable")
    first = heads.iloc[:max_heads].sort_values("value", ascending=False)
    others = heads.iloc[max_heads:]

    def bar(part: str, rows: pd.DataFrame, kind: str) -> pd.DataFrame:
        return pd.DataFrame({"part": [part], "value": [rows["value"].sum()], "kind": [kind]})

    bars = [first, *[bar(f"{len(others)} other heads", others, "others")] * bool(len(others))]
    bars += [table[table["kind"] != "head"], bar("Sum = score of A − score of B", table, "sum")]
    shown = pd.concat(bars, ignore_index=True)
    return shown.assign(total=shown["kind"].isin(["average", "sum"]))
