"""Options of every page, one frozen dataclass a page, and their conversion to and from query parameters.

A link contains every field, defaults included: it must reopen the same view after a default has changed.
`bind="query-params"` of Streamlit omits defaults, drops unknown values without a message and blocks the key
on other pages, so it is not used. Knows nothing of Streamlit.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, NamedTuple, TypeVar

from dashboard.state.markdown import cut
from db import layout

Head = tuple[int, int]
"""(layer, head), zero-based."""

SEPARATOR = "|"
"""Separates labels in a link, and properties in the file of a pool: no property contains it."""

MAX_K = 200
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
    "section": ("labels", "heads", "maps", "neighbors", "mean_ablation", "texts"),
}


def head_name(head: Head) -> str:
    """Returns a name like L11.H3, zero-based."""
    return layout.head_name(*head)


def parse_head(name: str) -> Head | None:
    return layout.parse_head_name(name.strip().upper())


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


class Choices(NamedTuple):
    """Valid values of the options for one bundle and one of its models."""

    heads: tuple[Head, ...]
    properties: tuple[str, ...]
    metrics: tuple[str, ...]
    attributes: tuple[str, ...]
    """Attributes with class texts."""

    head_metrics: tuple[str, ...]
    colors: tuple[str, ...]
    """Colors of the grid of heads: label, a metric of heads, or selectivity:<attribute>."""

    labels: tuple[str, ...]
    """Labels of the model's heads."""

    positions: int
    """Largest number of texts of one head."""

    images: int
    has_image: Callable[[str], bool]


@dataclass(frozen=True)
class View:
    """Options of every page."""

    needs_vectors: ClassVar[bool] = True
    """False for pages that show imported results too."""

    bundle: str = ""
    model: str = ""


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


@dataclass(frozen=True)
class NeighborsView(View):
    """Options of the pages that list neighbors."""

    by: str = "cosine"
    k: int = 12


@dataclass(frozen=True)
class PropertyView(NeighborsView):
    image: str = ""
    heads: Scope = field(default=Scope("all"))


@dataclass(frozen=True)
class ImageNeighborsView(NeighborsView):
    image: str = ""
    head: Head = (0, 0)


@dataclass(frozen=True)
class TextNeighborsView(NeighborsView):
    text: str = ""
    head: Head = (0, 0)


@dataclass(frozen=True)
class MapView(View):
    """Options of the pages that draw maps."""

    image: str = ""
    text: str = ""
    heads: Scope = field(default=Scope("all"))
    control: str = "heads"
    seed: int = 0
    scale: float = 0.0
    """Ends of the color scale in thousandths; 0 fits it to the maps on the page."""

    opacity: int = 65


@dataclass(frozen=True)
class TopicView(MapView):
    reference: str = "absolute"


@dataclass(frozen=True)
class ContrastView(MapView):
    against: str = ""


@dataclass(frozen=True)
class MeanAblationView(View):
    attribute: str = ""
    heads: Scope = field(default=Scope("all"))
    seed: int = 0
    most: int = 25
    """Number of classes at each end: the largest losses, the largest gains."""


@dataclass(frozen=True)
class ValidationView(View):
    section: str = "labels"
    by: str = "cosine"
    """Similarity in the section on neighbors."""


V = TypeVar("V", bound=View)


def to_query(view: View) -> dict[str, str]:
    """Returns every field of a view as query parameters."""
    return {f.name: show(getattr(view, f.name)) for f in fields(view)}


def from_query(params: Mapping[str, str], default: V, choices: Choices) -> tuple[V, list[str]]:
    """Returns the view of a link, and a note for each value that had to be replaced."""
    names = {f.name for f in fields(default)}
    notes = [
        f"The link asks for {cut(name)}, which this page does not have."
        for name in params
        if name not in names
    ]
    values: dict[str, Any] = {}
    for name in names & set(params):
        try:
            values[name] = READERS[name](params[name], choices)
        except Unusable as problem:
            if problem.instead is not None:
                values[name] = problem.instead
            instead = show(values.get(name, getattr(default, name))) or "nothing"
            notes.append(f"{name}={cut(params[name])}: {problem} Shown instead: {cut(instead)}.")
    return replace(default, **values), sorted(notes)


def show(value: Any) -> str:
    if isinstance(value, tuple):
        return head_name(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


class Unusable(ValueError):
    """A value in a link that this bundle or model cannot show; the message gives the reason."""

    def __init__(self, reason: str, instead: Any = None) -> None:
        super().__init__(reason)
        self.instead = instead
        """The nearest valid value; None for the default."""


def one_of(
    options: Callable[[Choices], tuple[str, ...]] | tuple[str, ...], problem: str
) -> Callable[[str, Choices], str]:
    def read(value: str, choices: Choices) -> str:
        if value not in (options(choices) if callable(options) else options):
            raise Unusable(problem)
        return value

    return read


def parse_number(value: str, kind: type = float) -> Any:
    """Returns the number that a text is. Raises ValueError, also for 1_0, " 3 " and other digits."""
    if not re.fullmatch(r"[+\-.0-9a-z]+", value):
        raise ValueError(value)
    return kind(value)


def number(low: float, high: Callable[[Choices], float], kind: type) -> Callable[[str, Choices], Any]:
    def read(value: str, choices: Choices) -> Any:
        try:
            parsed = parse_number(value, kind)
        except ValueError:
            raise Unusable("it is not a number.") from None
        if not low <= parsed <= high(choices):
            raise Unusable(f"it must lie between {low:g} and {high(choices):g}.")
        return parsed

    return read


def read_text(value: str, _: Choices) -> str:
    if not value.strip():
        raise Unusable("the text is empty.")
    return value


def read_image(value: str, choices: Choices) -> str:
    if not choices.has_image(value):
        raise Unusable("no such image in this bundle; if it was an uploaded one, upload the file again.")
    return value


def read_head(value: str, choices: Choices) -> Head:
    head = parse_head(value)
    if head is None:
        raise Unusable("a head is written like L11.H3.")
    if head not in choices.heads:
        raise Unusable("this model has no such head in the bundle.")
    return head


def read_scope(value: str, choices: Choices) -> Scope:
    scope = parse_scope(value)
    if scope is None:
        raise Unusable("write all, layer:11, property:color, or heads like L11.H3,L11.H5.")
    unknown = [head_name(head) for head in scope.heads if head not in choices.heads]
    if unknown:
        raise Unusable(f"this model has no {cut(', '.join(unknown))} in the bundle.")
    if scope.kind == "layer" and scope.layer not in {layer for layer, _ in choices.heads}:
        raise Unusable(f"layer {scope.layer} of this model is not in the bundle.")
    if scope.kind == "property" and scope.property not in choices.properties:
        raise Unusable(f'no head of this model is labeled "{cut(scope.property)}".')
    return scope


def read_labels(value: str, choices: Choices) -> Labels:
    names = [name for name in value.split(SEPARATOR) if name]
    labels = Labels(tuple(name for name in names if name in choices.labels))
    missing = ", ".join(f'"{name}"' for name in names if name not in labels.names)
    if missing:
        raise Unusable(f"no head of this model is labeled {cut(missing)}.", instead=labels)
    return labels


def read_range(value: str, _: Choices) -> Range:
    if not value:
        return Range()
    low, dots, high = value.partition("..")
    try:
        values = Range(parse_number(low), parse_number(high))
    except ValueError:
        raise Unusable("a range is written like 0.2..0.8.") from None
    if not dots or not values.low <= values.high:  # also if an end is NaN
        raise Unusable("a range runs from its lower to its upper end, like 0.2..0.8.")
    return values


def read_k(value: str, choices: Choices) -> int:
    most = max(1, min(MAX_K, choices.images - 1))
    if re.fullmatch("[0-9]{1,99}", value) and int(value) > most:
        raise Unusable(f"only {most} can be shown.", instead=most)
    return number(1, lambda _: most, int)(value, choices)


READERS: dict[str, Callable[[str, Choices], Any]] = {
    "metric": one_of(lambda c: c.metrics, "no such metric in this bundle."),
    "attribute": one_of(lambda c: c.attributes, "no such attribute with class texts in this bundle."),
    "color": one_of(lambda c: c.colors, "the heads of this model cannot be colored by it."),
    "labels": read_labels,
    "head_metric": one_of(lambda c: c.head_metrics or ("",), "the heads of this model have no such metric."),
    "range": read_range,
    "position": number(0, lambda c: max(0, c.positions - 1), int),
    "image": read_image,
    "head": read_head,
    "heads": read_scope,
    "k": read_k,
    "seed": number(0, lambda c: 9999, int),
    "most": number(1, lambda c: MAX_CLASSES, int),
    "scale": number(0, lambda c: 1000, float),
    "opacity": number(0, lambda c: 100, int),
}
# The sidebar checks bundle and model before a page opens.
READERS |= dict.fromkeys(("bundle", "model", "words"), lambda value, _: value)
READERS |= dict.fromkeys(("text", "against"), read_text)
READERS |= {name: one_of(values, f"write {' or '.join(values)}.") for name, values in MODES.items()}
