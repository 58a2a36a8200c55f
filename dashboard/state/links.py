"""The values of a link: each read and checked for one bundle and one model. Knows nothing of Streamlit."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from dashboard.state.choices import Choices
from dashboard.state.collection_files import from_link
from dashboard.state.markdown import cut
from dashboard.state.pins import Collection
from dashboard.state.versus import Versus
from dashboard.state.views import (
    MAX_CLASSES,
    MAX_PICKS,
    MAX_QUERY,
    MODES,
    PLOTS,
    SEPARATOR,
    Head,
    Labels,
    Plot,
    Range,
    Scope,
    V,
    head_name,
    parse_head,
    parse_patch,
    parse_scope,
    show,
)


def from_query(params: Mapping[str, str], default: V, choices: Choices) -> tuple[V, list[str]]:
    """Returns the view of a link, and a note for each value that had to be replaced."""
    names = {f.name for f in fields(default)}
    unknown = ", ".join(cut(name) for name in params if name not in names)
    notes = [f"The link asks for {unknown}, which this page does not have."] if unknown else []
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


def read_image(value: str, choices: Choices) -> str:
    if not choices.has_image(value):
        raise Unusable("no such image in this bundle; if it was an uploaded one, upload the file again.")
    return value


def read_picture(value: str, choices: Choices) -> str:
    if value and not choices.has_picture(value):
        raise Unusable("this model has not decomposed such an image.")
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


def read_patch(value: str, choices: Choices) -> str:
    if not value:
        return value
    patch = parse_patch(value)
    if patch is None:
        raise Unusable("a patch is written row,column, like 3,5, from 1.")
    rows, columns = choices.grid
    if patch[0] >= rows or patch[1] >= columns:
        raise Unusable(f"this model has {rows} rows and {columns} columns of patches.")
    return value


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


def read_plot(value: str, _: Choices) -> Plot:
    if not value:
        return Plot()
    kind, *columns = value.split(SEPARATOR)
    if kind not in PLOTS[1:] or len(columns) != 3:
        raise Unusable("a chart is written like bars|label|heads|supported.")
    return Plot(kind, *columns)


def read_query(value: str, _: Choices) -> str:
    if len(value) > MAX_QUERY:
        raise Unusable(f"a query has at most {MAX_QUERY} letters.")
    return value


def read_versus(value: str, choices: Choices) -> Versus:
    versus = Versus.parsed(value)
    if value and versus.kind not in choices.kinds:
        raise Unusable(f"write what to compare with: {', '.join(f'{kind}:…' for kind in choices.kinds)}.")
    read = {"model": READERS["other"], "head": read_head, "heads": read_scope, "image": read_image}
    if versus.kind not in read:
        return versus
    return replace(versus, value=show(read[versus.kind](versus.value, choices)))


def read_pins(value: str, _: Choices) -> Collection:
    try:
        pins, notes = from_link(value)
    except ValueError as problem:
        raise Unusable(str(problem)) from None
    if notes:
        raise Unusable(" ".join(notes[:3]), instead=pins)
    return pins


def read_k(value: str, choices: Choices) -> int:
    if re.fullmatch("[0-9]{1,99}", value) and int(value) > choices.max_k:
        raise Unusable(f"only {choices.max_k} can be shown.", instead=choices.max_k)
    return number(1, lambda _: choices.max_k, int)(value, choices)


READERS: dict[str, Callable[[str, Choices], Any]] = {
    "metric": one_of(lambda c: c.metrics, "no such metric in this bundle."),
    "attribute": one_of(lambda c: c.attributes, "no such attribute with class texts in this bundle."),
    "color": one_of(lambda c: c.colors, "the heads of this model cannot be colored by it."),
    "labels": read_labels,
    "head_metric": one_of(lambda c: c.head_metrics or ("",), "the heads of this model have no such metric."),
    "other": one_of(lambda c: c.others or ("",), "no such other model in this bundle."),
    "range": read_range,
    "position": number(0, lambda c: max(0, c.positions - 1), int),
    "image": read_image,
    "picture": read_picture,
    "split": one_of(lambda c: c.splits, "the images have no such attribute."),
    "head": read_head,
    "heads": read_scope,
    "k": read_k,
    "seed": number(0, lambda c: 9999, int),
    "picks": number(1, lambda c: MAX_PICKS, int),
    "most": number(1, lambda c: MAX_CLASSES, int),
    "scale": number(0, lambda c: 1000, float),
    "pins": read_pins,
    "versus": read_versus,
    "patch": read_patch,
    "plot": read_plot,
    "query": read_query,
    "table": one_of(lambda c: c.tables, "no such table in this bundle."),
    "opacity": number(0, lambda c: 100, int),
}
# The sidebar checks bundle and model before a page opens.
READERS |= dict.fromkeys(
    ("bundle", "model", "words", "text", "against", "onto", "concept"), lambda value, _: value
)
READERS |= {name: one_of(values, f"write {' or '.join(values)}.") for name, values in MODES.items()}
