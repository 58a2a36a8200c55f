"""Options of every page, one frozen dataclass a page, and their conversion to query parameters.

A link contains every field, defaults included: it must reopen the same view after a default has changed.
`bind="query-params"` of Streamlit omits defaults, drops unknown values without a message and blocks the key
on other pages, so it is not used. Knows nothing of Streamlit.
"""

import math
import re
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, TypeVar

from dashboard.state.pins import Collection
from dashboard.state.versus import Versus
from db import layout

Head = tuple[int, int]
"""(layer, head), zero-based."""

SEPARATOR = "|"
"""Separates labels in a link, and properties in the file of a pool: no property contains it."""

MAX_K = 200
MAX_PICKS = 20
"""Maximum number of texts of a concept that span a head's variance."""

OF_PROPERTY, OF_ATTRIBUTE = "property:", "attribute:"
"""Beginnings of a concept that is a property of the pool, and of a split that is an attribute."""

MAX_QUERY = 6000
"""Maximum number of letters of a query: browsers and servers cut longer links."""

MAX_CLASSES = 1000
"""Maximum number of classes at each end of a chart."""

MODES = {
    "by": ("cosine", "dot"),
    "reference": ("absolute", "relative"),
    "control": ("heads", "text", "none"),
    "over": ("all", "supported"),
    "label_kind": ("offline", "chosen"),
    "columns": ("main", "all"),
    "beside": ("parameters", "patch_size", "layers", "training_data"),
    "pairing": ("best", "place"),
    "section": ("labels", "heads", "maps", "neighbors", "mean_ablation", "texts"),
    "form": ("text", "image", "both", "concept"),
    "order": ("amount", "z"),
    "models": ("every", "one"),
    "maps": ("sum", "each"),
    "drawing": ("patches", "smooth"),
    "limit": ("robust", "full"),
}


def head_name(head: Head) -> str:
    """Returns a name like L11.H3, zero-based."""
    return layout.head_name(*head)


def parse_head(name: str) -> Head | None:
    return layout.parse_head_name(name.strip().upper())


def parse_patch(value: str) -> tuple[int, int] | None:
    """Returns row and column, from 0, of a patch that is written row,column from 1."""
    match = re.fullmatch("([1-9][0-9]{0,3}),([1-9][0-9]{0,3})", value)
    return (int(match[1]) - 1, int(match[2]) - 1) if match else None


@dataclass(frozen=True)
class Scope:
    """The heads of a page: one, several, those of a layer or a property, or all stored heads.

    Several heads may be one, written with a comma behind it, or none.
    """

    kind: str
    """head, heads, layer, property or all."""

    heads: tuple[Head, ...] = ()
    layer: int = -1
    property: str = ""

    def __str__(self) -> str:
        if self.kind == "property":
            return f"property:{self.property}"
        if self.kind == "layer":
            return f"layer:{self.layer}"
        if self.kind == "all":
            return "all"
        names = ",".join(head_name(head) for head in self.heads)
        return f"{names}," if self.kind == "heads" and len(self.heads) == 1 else names

    @classmethod
    def of_heads(cls, *heads: Head) -> "Scope":
        return cls("head" if len(heads) == 1 else "heads", tuple(sorted(heads)))


def parse_scope(value: str) -> Scope | None:
    if value in ("all", ""):
        return Scope(value or "heads")
    kind, colon, rest = value.partition(":")
    if colon and kind == "property":
        return Scope("property", property=rest)
    if colon and kind == "layer":
        return Scope("layer", layer=int(rest)) if re.fullmatch("[0-9]{1,4}", rest) else None
    parts = value.removesuffix(",").split(",")
    heads = [head for part in parts if (head := parse_head(part))]
    if len(heads) < len(parts):
        return None
    scope = Scope.of_heads(*dict.fromkeys(heads))
    return replace(scope, kind="heads") if value.endswith(",") else scope


@dataclass(frozen=True)
class Labels:
    """Labels that filter heads; empty for no filter."""

    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return SEPARATOR.join(self.names)


@dataclass(frozen=True)
class Range:
    """Values of a metric that filter heads; infinite ends for no filter."""

    low: float = -math.inf
    high: float = math.inf

    def __bool__(self) -> bool:
        return self != Range()

    def __str__(self) -> str:
        return f"{self.low:.6g}..{self.high:.6g}" if self else ""


PLOTS = ("none", "bars", "lines", "points")


@dataclass(frozen=True)
class Plot:
    """A chart of a table: its kind, and the columns that it shows; empty for none."""

    kind: str = PLOTS[0]
    x: str = ""
    y: str = ""
    color: str = ""

    def __str__(self) -> str:
        return SEPARATOR.join([self.kind, self.x, self.y, self.color]) if self.kind != PLOTS[0] else ""


@dataclass(frozen=True)
class View:
    """Options of every page."""

    needs_vectors: ClassVar[bool] = True
    """False for pages that show imported results too."""

    kinds: ClassVar[tuple[str, ...]] = ()
    """Kinds of other sides that the page compares its view with."""

    bundle: str = ""
    model: str = ""


@dataclass(frozen=True)
class StartView(View):
    needs_vectors: ClassVar[bool] = False
    head: Head = (0, 0)
    """The head whose images the page shows."""


@dataclass(frozen=True)
class LeaderboardView(View):
    needs_vectors: ClassVar[bool] = False
    metric: str = ""
    over: str = "all"
    label_kind: str = "offline"
    """Labels that metrics use: the offline labels, or those of people and language models before them."""

    columns: str = "main"
    """Columns of the table of all metrics."""

    beside: str = "parameters"
    """Horizontal axis of the scatter plot."""


@dataclass(frozen=True)
class HeadsView(View):
    needs_vectors: ClassVar[bool] = False
    head: Head = (0, 0)
    """The head that has a frame: keys move it, and open the head."""

    color: str = "label"
    labels: Labels = field(default=Labels())
    over: str = "all"
    head_metric: str = ""
    range: Range = field(default=Range())
    """Range of `head_metric`."""

    words: str = ""


@dataclass(frozen=True)
class HeadView(View):
    needs_vectors: ClassVar[bool] = False
    head: Head = (0, 0)
    position: int = 0
    """Position of the text that sorts the images, zero-based."""

    k: int = 8
    seed: int = 0
    picture: str = ""
    """The image that is shown large; empty for none."""

    onto: str = ""
    """Text of the histogram; empty for the one that sorts the images."""

    split: str = "most"
    """What splits the histogram: most (what the head varies with most), none, or attribute:<name>."""


@dataclass(frozen=True)
class NeighborsView(View):
    """Options of the pages that list neighbors."""

    by: str = "cosine"
    k: int = 12
    versus: Versus = field(default=Versus())


@dataclass(frozen=True)
class PropertyView(NeighborsView):
    kinds: ClassVar[tuple[str, ...]] = ("model", "heads", "image")
    image: str = ""
    heads: Scope = field(default=Scope("all"))


@dataclass(frozen=True)
class ImageNeighborsView(NeighborsView):
    kinds: ClassVar[tuple[str, ...]] = ("model", "head", "image")
    image: str = ""
    head: Head = (0, 0)


@dataclass(frozen=True)
class TextNeighborsView(NeighborsView):
    kinds: ClassVar[tuple[str, ...]] = ("model", "head", "text")
    text: str = ""
    head: Head = (0, 0)


@dataclass(frozen=True)
class ReadsView(View):
    form: str = "text"
    """What heads are ranked by: a text, an image, both, or the texts of a concept."""

    text: str = ""
    image: str = ""
    concept: str = ""
    """property:<name>, or texts, one a line."""

    picks: int = 5
    """Number of texts of the concept that span a head's variance."""

    order: str = "amount"
    models: str = "every"


@dataclass(frozen=True)
class MapView(View):
    """Options of the pages that draw maps."""

    kinds: ClassVar[tuple[str, ...]] = ("model", "heads", "image")

    image: str = ""
    text: str = ""
    heads: Scope = field(default=Scope("all"))
    control: str = "heads"
    seed: int = 0
    scale: float = 0.0
    """Ends of the color scale in thousandths; 0 fits it to the maps on the page."""

    limit: str = "robust"
    """Values that a fitted scale covers: nearly all, or all."""

    opacity: int = 80
    drawing: str = "patches"
    maps: str = "sum"
    """One map through all chosen heads together, or a map through each."""

    patch: str = ""
    """The chosen patch: row,column from 1; empty for none."""

    versus: Versus = field(default=Versus())


@dataclass(frozen=True)
class TopicView(MapView):
    kinds: ClassVar[tuple[str, ...]] = ("model", "heads", "image", "text")
    reference: str = "absolute"


@dataclass(frozen=True)
class ContrastView(MapView):
    against: str = ""


@dataclass(frozen=True)
class MeanAblationView(View):
    kinds: ClassVar[tuple[str, ...]] = ("model", "heads")
    attribute: str = ""
    heads: Scope = field(default=Scope("all"))
    seed: int = 0
    most: int = 25
    """Number of classes at each end: the largest losses, the largest gains."""

    versus: Versus = field(default=Versus())


@dataclass(frozen=True)
class CompareView(View):
    needs_vectors: ClassVar[bool] = False
    other: str = ""
    """model_key of the model to compare with."""

    pairing: str = "best"
    """How heads are paired: with their best match, or with the same layer and head."""

    head: Head = (0, 0)
    """The head that is shown beside its partner."""

    head_metric: str = ""


@dataclass(frozen=True)
class ValidationView(View):
    section: str = "labels"
    by: str = "cosine"
    """Similarity in the section on neighbors."""


@dataclass(frozen=True)
class AboutView(View):
    needs_vectors: ClassVar[bool] = False


@dataclass(frozen=True)
class SqlView(View):
    needs_vectors: ClassVar[bool] = False
    query: str = ""
    plot: Plot = field(default=Plot())
    table: str = ""
    """Table whose columns are shown."""


@dataclass(frozen=True)
class CollectionView(View):
    needs_vectors: ClassVar[bool] = False
    pins: Collection = field(default=Collection())


OF_PAGE: dict[str, type[View]] = {
    "start": StartView,
    "leaderboard": LeaderboardView,
    "heads": HeadsView,
    "head": HeadView,
    "which_head": ReadsView,
    "property_search": PropertyView,
    "topic_segmentation": TopicView,
    "contrastive_segmentation": ContrastView,
    "image_neighbors": ImageNeighborsView,
    "text_neighbors": TextNeighborsView,
    "mean_ablation": MeanAblationView,
    "compare": CompareView,
    "validation": ValidationView,
    "sql": SqlView,
    "about": AboutView,
}
"""Options of the pages whose views can be pinned, by the name of the page's file."""

V = TypeVar("V", bound=View)


def to_query(view: View) -> dict[str, str]:
    """Returns every field of a view as query parameters."""
    return {f.name: show(getattr(view, f.name)) for f in fields(view)}


def show(value: Any) -> str:
    if isinstance(value, tuple):
        return head_name(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
