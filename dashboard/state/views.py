"""What a page shows, as one frozen dataclass per page, and its two pure ways to and from the address bar.

Every field stands in the link, defaults included: a link must reopen the same view after a default has
changed. `bind="query-params"` of Streamlit leaves defaults out, drops unknown values in silence and blocks
the key on other pages, so it is not used. Knows nothing of Streamlit.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple, TypeVar

from db import layout

Head = tuple[int, int]
"""(layer, head), zero-based."""

SEPARATOR = "|"
"""Between labels in a link; as between properties in the file of a pool, which no property can hold."""

MAX_K = 200
MAX_CLASSES = 1000
"""Classes that a chart may show at each end."""

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
    """L11.H3, zero-based."""
    return layout.head_name(*head)


def parse_head(name: str) -> Head | None:
    return layout.parse_head_name(name.strip().upper())


@dataclass(frozen=True)
class Scope:
    """The heads a page works through: one, several, a layer's, a property's, or all that are stored."""

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
        return "all" if self.kind == "all" else ",".join(head_name(head) for head in self.heads)

    @classmethod
    def of_heads(cls, *heads: Head) -> "Scope":
        return cls("head" if len(heads) == 1 else "heads", tuple(sorted(heads)))


def parse_scope(value: str) -> Scope | None:
    if value == "all":
        return Scope("all")
    kind, colon, rest = value.partition(":")
    if colon and kind == "property":
        return Scope("property", property=rest)
    if colon and kind == "layer":
        return Scope("layer", layer=int(rest)) if re.fullmatch("[0-9]{1,4}", rest) else None
    parts = value.split(",")
    heads = [head for part in parts if (head := parse_head(part))]
    return Scope.of_heads(*dict.fromkeys(heads)) if len(heads) == len(parts) else None


@dataclass(frozen=True)
class Labels:
    """Labels to choose heads by; none stands for all."""

    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return SEPARATOR.join(self.names)


@dataclass(frozen=True)
class Range:
    """Values of a metric to choose heads by; open at both ends unless it is narrowed."""

    low: float = -math.inf
    high: float = math.inf

    def __bool__(self) -> bool:
        return self != Range()

    def __str__(self) -> str:
        return f"{self.low:.6g}..{self.high:.6g}" if self else ""


class Choices(NamedTuple):
    """What one bundle and one of its models have to choose from."""

    bundles: tuple[str, ...]
    models: tuple[str, ...]
    """Model keys."""

    heads: tuple[Head, ...]
    properties: tuple[str, ...]
    metrics: tuple[str, ...]
    attributes: tuple[str, ...]
    """Those that can be asked zero-shot."""

    head_metrics: tuple[str, ...]
    colors: tuple[str, ...]
    """What a grid of heads can show: label, a metric of heads, or selectivity:<attribute>."""

    labels: tuple[str, ...]
    """Those that heads of the model have."""

    positions: int
    """Texts of the head that has most."""

    images: int
    has_image: Callable[[str], bool]


@dataclass(frozen=True)
class View:
    """What every page has."""

    bundle: str = ""
    model: str = ""


@dataclass(frozen=True)
class LeaderboardView(View):
    metric: str = ""
    over: str = "all"
    label_kind: str = "offline"
    """Of the labels that metrics rest on; chosen ones differ where a person or a language model gave some."""

    columns: str = "main"
    """Of the table of all metrics."""

    beside: str = "parameters"
    """What the metric is drawn against."""


@dataclass(frozen=True)
class HeadsView(View):
    color: str = "label"
    labels: Labels = field(default=Labels())
    over: str = "all"
    head_metric: str = ""
    range: Range = field(default=Range())
    """Of that metric."""

    words: str = ""


@dataclass(frozen=True)
class HeadView(View):
    head: Head = (0, 0)
    position: int = 0
    """Of the text along which images are sorted, zero-based."""

    k: int = 8
    seed: int = 0


@dataclass(frozen=True)
class PropertyView(View):
    image: str = ""
    heads: Scope = field(default=Scope("all"))
    by: str = "cosine"
    k: int = 12


@dataclass(frozen=True)
class ImageNeighborsView(View):
    image: str = ""
    head: Head = (0, 0)
    by: str = "cosine"
    k: int = 12


@dataclass(frozen=True)
class TextNeighborsView(View):
    text: str = ""
    head: Head = (0, 0)
    by: str = "cosine"
    k: int = 12


@dataclass(frozen=True)
class TopicView(View):
    image: str = ""
    text: str = ""
    heads: Scope = field(default=Scope("all"))
    reference: str = "absolute"
    control: str = "heads"
    seed: int = 0
    scale: float = 0.0
    """Ends of the color scale in thousandths; 0 fits it to the maps on the page."""

    opacity: int = 65


@dataclass(frozen=True)
class ContrastView(View):
    image: str = ""
    text: str = ""
    against: str = ""
    heads: Scope = field(default=Scope("all"))
    control: str = "heads"
    seed: int = 0
    scale: float = 0.0
    opacity: int = 65


@dataclass(frozen=True)
class MeanAblationView(View):
    attribute: str = ""
    heads: Scope = field(default=Scope("all"))
    seed: int = 0
    most: int = 25
    """Classes shown at each end: the largest losses, the largest gains."""


@dataclass(frozen=True)
class ValidationView(View):
    section: str = "labels"
    by: str = "cosine"
    """How the section on neighbors compares; the others leave it as it is."""


V = TypeVar("V", bound=View)


def to_query(view: View) -> dict[str, str]:
    """The view as query parameters, every field of it."""
    return {f.name: show(getattr(view, f.name)) for f in fields(view)}


def from_query(params: Mapping[str, str], default: V, choices: Choices) -> tuple[V, list[str]]:
    """The view that a link asks for, and a note for each value that had to be replaced."""
    names = {f.name for f in fields(default)}
    notes = [
        f"The link asks for {name}, which this page does not have." for name in params if name not in names
    ]
    found: dict[str, Any] = {}
    for name in names & set(params):
        try:
            found[name] = READERS[name](params[name], choices)
        except Unusable as problem:
            if problem.instead is not None:
                found[name] = problem.instead
            instead = show(found.get(name, getattr(default, name))) or "nothing"
            notes.append(f"{name}={params[name]}: {problem} Shown instead: {instead}.")
    return replace(default, **found), sorted(notes)


def show(value: Any) -> str:
    if isinstance(value, tuple):
        return head_name(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


class Unusable(ValueError):
    """A value in a link that this bundle or model cannot show; the message says why."""

    def __init__(self, reason: str, instead: Any = None) -> None:
        super().__init__(reason)
        self.instead = instead
        """What comes nearest to it; none where only the default is left."""


def one_of(options: Callable[[Choices], tuple[str, ...]], what: str) -> Callable[[str, Choices], str]:
    def read(value: str, choices: Choices) -> str:
        if value not in options(choices):
            raise Unusable(f"{what}.")
        return value

    return read


def one_of_modes(modes: tuple[str, ...]) -> Callable[[str, Choices], str]:
    return one_of(lambda _: modes, f"write {' or '.join(modes)}")


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
    missing = missing_from(scope, choices)
    if missing:
        raise Unusable(missing)
    return scope


def missing_from(scope: Scope, choices: Choices) -> str:
    """Why a model cannot show these heads; empty where it can."""
    unknown = [head_name(head) for head in scope.heads if head not in choices.heads]
    if unknown:
        return f"this model has no {', '.join(unknown)} in the bundle."
    if scope.kind == "layer" and scope.layer not in {layer for layer, _ in choices.heads}:
        return f"layer {scope.layer} of this model is not in the bundle."
    if scope.kind == "property" and scope.property not in choices.properties:
        return f'no head of this model is labeled "{scope.property}".'
    return ""


def read_labels(value: str, choices: Choices) -> Labels:
    names = tuple(name for name in value.split(SEPARATOR) if name)
    known = tuple(name for name in names if name in choices.labels)
    if known != names:
        missing = ", ".join(f'"{name}"' for name in names if name not in known)
        raise Unusable(f"no head of this model is labeled {missing}.", instead=Labels(known))
    return Labels(known)


def read_range(value: str, _: Choices) -> Range:
    if not value:
        return Range()
    low, dots, high = value.partition("..")
    try:
        found = Range(float(low), float(high))
    except ValueError:
        raise Unusable("a range is written like 0.2..0.8.") from None
    if not dots or not found.low <= found.high:  # also where one of them is no number
        raise Unusable("a range runs from its lower to its upper end, like 0.2..0.8.")
    return found


def number(low: float, high: Callable[[Choices], float], kind: type) -> Callable[[str, Choices], Any]:
    def read(value: str, choices: Choices) -> Any:
        try:
            parsed = kind(value)
        except ValueError:
            raise Unusable("it is not a number.") from None
        if not low <= parsed <= high(choices):
            raise Unusable(f"it must lie between {low:g} and {high(choices):g}.")
        return parsed

    return read


def read_k(value: str, choices: Choices) -> int:
    most = max(1, min(MAX_K, choices.images - 1))
    if re.fullmatch("[0-9]+", value) and int(value) > most:
        raise Unusable(f"only {most} can be shown.", instead=most)
    return number(1, lambda _: most, int)(value, choices)


READERS: dict[str, Callable[[str, Choices], Any]] = {
    "bundle": one_of(lambda c: c.bundles, "no such bundle beside this one"),
    "model": one_of(lambda c: c.models, "no such model in this bundle"),
    "metric": one_of(lambda c: c.metrics, "no such metric in this bundle"),
    "attribute": one_of(lambda c: c.attributes, "no such attribute with class texts in this bundle"),
    "color": one_of(lambda c: c.colors, "the heads of this model cannot be colored by it"),
    "labels": read_labels,
    "head_metric": one_of(lambda c: (*c.head_metrics, ""), "the heads of this model have no such metric"),
    "range": read_range,
    "words": lambda value, _: value,
    "position": number(0, lambda c: max(0, c.positions - 1), int),
    "image": read_image,
    "text": lambda value, _: value,
    "against": lambda value, _: value,
    "head": read_head,
    "heads": read_scope,
    "k": read_k,
    "seed": number(0, lambda c: 9999, int),
    "most": number(1, lambda c: MAX_CLASSES, int),
    "scale": number(0, lambda c: 1000, float),
    "opacity": number(0, lambda c: 100, int),
} | {name: one_of_modes(modes) for name, modes in MODES.items()}
