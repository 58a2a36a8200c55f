"""Maps and their tables for the pages: vectors from `data`, results of `analyses`."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from dashboard.analyses import maps, outliers
from dashboard.analyses.maps import PART_NAMES, TextMap
from dashboard.data import cached, choices, digits, head_vectors, label_text, scopes, texts, token_images
from dashboard.data.types import Source, TokenImage, column_title
from dashboard.state.views import ContrastView, Head, MapView, TopicView, head_name, parse_head

NO_CONTROL = "No control is shown: the pool has too few other texts to draw one from."


class LabeledMap(NamedTuple):
    """A map on the page with its title."""

    title: str
    map: TextMap
    head: Head | None = None
    """The head of a map through one of several heads."""


class Outliers(NamedTuple):
    """Patches that write far more than the others, whatever the text."""

    mask: NDArray[np.bool_]
    """[row, column]"""

    ratio: float
    """Smallest ratio of an outlier's contribution to the median of the patches; NaN without outliers."""


class MapPanel(NamedTuple):
    """Maps of one image on one scale."""

    picture: Image.Image
    """Part of the image that the patches cover."""

    panels: list[LabeledMap]
    """Maps through all chosen heads and the control, or a map through each head."""

    total: LabeledMap
    """The map through all chosen heads; of two texts, their difference."""

    limit: float
    note: str
    """Origin of the numbers if they are not from the bundle, and missing controls."""

    outliers: Outliers


class Scores(NamedTuple):
    """Scores of every token through every head for one text."""

    tokens: NDArray[np.float64]
    """[head, token]"""

    rest: float
    """Score of everything that is not a stored head."""

    grid: tuple[int, int]

    def map(self, shown: NDArray) -> TextMap:
        """Returns the map through the heads of a mask [head]."""
        return maps.map_of_scores(self.tokens, self.rest, shown, self.grid)


def topic(source: Source, view: TopicView) -> MapPanel:
    """Returns the map of one text through a set of heads, and a control that should show no pattern."""
    image, shown = token_images.token_image(source, view.image), scopes.mask(source, view.heads)
    scores = scores_of(source, image, direction(source, view, (view.text,)))
    total = LabeledMap(view.text, scores.map(shown))
    if view.maps == "each":
        return _on_one_scale(source, view, image, _each_head(source, scores, shown), total)
    control = _control(source, view, image, (view.text,), shown, scores)
    return _on_one_scale(source, view, image, [total], total, control)


def contrast(source: Source, view: ContrastView) -> MapPanel:
    """Returns the maps of two texts, their difference, and a control of the difference."""
    image, shown = token_images.token_image(source, view.image), scopes.mask(source, view.heads)
    pair = a, b = view.text, view.against
    of_a, of_b = (scores_of(source, image, direction(source, view, (text,))) for text in pair)
    scores = Scores(of_a.tokens - of_b.tokens, of_a.rest - of_b.rest, of_a.grid)
    map_a, map_b = of_a.map(shown), of_b.map(shown)
    total = LabeledMap("A − B", maps.contrast(map_a, map_b))
    if view.maps == "each":
        return _on_one_scale(source, view, image, _each_head(source, scores, shown), total)
    panels = [LabeledMap(f"A: {a}", map_a), LabeledMap(f"B: {b}", map_b), total]
    control = _control(source, view, image, pair, shown, scores)
    return _on_one_scale(source, view, image, panels, total, control)


def subject(view: MapView) -> tuple[str, ...]:
    """Returns the texts of a view: one, or A and B."""
    return (view.text, view.against) if isinstance(view, ContrastView) else (view.text,)


def direction(source: Source, view: MapView, subject: Sequence[str]) -> NDArray[np.float64]:
    """Returns a text, or the difference of two, [d_out]; relative maps subtract the pool's mean text.

    All texts share a common direction, so the zero of a plain map is a convention.
    """
    relative = isinstance(view, TopicView) and view.reference == "relative"
    first, *others = (texts.embedding(source, text).astype(np.float64) for text in subject)
    return first - sum(others) - (texts.pool(source).mean if relative else 0)


def scores_of(source: Source, image: TokenImage, text: NDArray) -> Scores:
    """Returns the scores of a text, or of a difference of two, [d_out]."""
    basis = head_vectors.head_space(source).basis
    return Scores(maps.token_scores(image.tokens, basis, text), float(image.rest @ text), source.grid)


def _each_head(source: Source, scores: Scores, shown: NDArray) -> list[LabeledMap]:
    """Returns a map through each head of a mask, with the head's name and label."""
    rows = {(row.layer, row.head): row for row in label_text.heads(source).itertuples()}
    stored = head_vectors.all_heads(source)
    every = np.eye(len(stored), dtype=bool)
    return [
        LabeledMap(f"{rows[head].name} · {label_text.cell_label(rows[head])}", scores.map(every[place]), head)
        for place, head in enumerate(stored)
        if shown[place]
    ]


def _control(
    source: Source, view: MapView, image: TokenImage, subject: Sequence[str], shown: NDArray, scores: Scores
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
        scores = scores_of(source, image, direction(source, view, subject))
    else:
        shown = np.array([head in others for head in stored])
    return LabeledMap(f"Control: {title}", scores.map(shown))


def _on_one_scale(
    source: Source,
    view: MapView,
    image: TokenImage,
    panels: list[LabeledMap],
    total: LabeledMap,
    control: LabeledMap | None = None,
) -> MapPanel:
    wanted = view.maps == "sum" and view.control != "none"
    note = NO_CONTROL if control is None and wanted else ""
    panels = [*panels, control] if control else panels
    limit = fitted_limit(view.limit, panels)
    outliers = outliers_of(source, view.image, image.tokens)
    return MapPanel(image.picture, panels, total, limit, f"{image.note} {note}".strip(), outliers)


def common_limit(limit: str, results: Sequence[MapPanel | None]) -> list[MapPanel | None]:
    """Returns the maps of several images, models or heads on one scale; `limit` of a view fits it."""
    panels = [panel for result in results if result for panel in result.panels]
    fitted = fitted_limit(limit, panels)
    return [result and result._replace(limit=fitted) for result in results]


def fitted_limit(limit: str, panels: Sequence[LabeledMap]) -> float:
    """Returns the end of one scale for maps, which may be of several images or models: `limit` of a view."""
    share = 1.0 if limit == "full" else maps.ROBUST
    return maps.symmetric_limit(*(panel.map.grid for panel in panels), share=share)


@cached.kept(max_entries=256)
def outliers_of(source: Source, image_id: str, _tokens: NDArray) -> Outliers:
    """Returns the outlier patches of an image with these token contributions."""
    norms = outliers.contribution_norms(_tokens, head_vectors.head_space(source).basis)
    mask = outliers.outliers(norms)
    ratio = float(norms[mask].min() / np.median(norms)) if mask.any() else np.nan
    return Outliers(cached.frozen(mask.reshape(source.grid)), ratio)


def in_words(title: str, grid: NDArray) -> str:
    """Returns a sentence on a map for screen readers: where it is highest and lowest."""
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
        column_title(panel.title, ("part", "total")): [
            1000 * value for value in (*panel.map.parts, panel.map.parts.score)
        ]
        for panel in panels
    }
    total = [False] * len(PART_NAMES) + [True]
    return pd.DataFrame({"part": [*PART_NAMES, "Sum = score"], **columns, "total": total})


def parts_ends(panels: list[LabeledMap]) -> tuple[float, float]:
    """Returns the ends of one axis for the parts of the scores of maps, in thousandths."""
    values = parts_table(panels).drop(columns=["part", "total"]).to_numpy(float)
    return min(0.0, float(values.min())), max(0.0, float(values.max()))


def patches_table(panels: list[LabeledMap]) -> pd.DataFrame:
    """Returns one row per patch, one column per map, in thousandths. Row 1 is the top."""
    rows, columns = np.indices(panels[0].map.grid.shape)
    places = {"patch row": rows.ravel() + 1, "patch column": columns.ravel() + 1}
    values = {column_title(panel.title, places): 1000 * panel.map.grid.ravel() for panel in panels}
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
