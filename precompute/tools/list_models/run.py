"""Lists models with the facts to report beside their figures: `python -m precompute models`.

Builds architectures without allocating weights, and downloads nothing.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from db.text_table import text_table
from precompute import clip
from precompute.inputs import model_specs
from precompute.inputs.model_specs import ModelError, ModelSpec
from precompute.runtime import progress


class Entry(NamedTuple):
    """One line of the list."""

    model: str
    parameters: str
    """Number of parameters of both towers, in millions."""

    image_size: int | None
    patch_size: int | None
    heads: str
    """Layers x heads of the image tower."""

    activation: str
    training_data: str
    weights: str
    """Location of the weights, or the reason why the model cannot be decomposed."""


def entries(pattern: str | None = None) -> Iterator[Entry]:
    """Yields the models of the study and of the demo; with a pattern, all models with a matching name.

    Raises:
        ModelError: no name matches the pattern, a regular expression that ignores case.
    """
    names = names_of(pattern)
    for name in progress.track(names, "building models", total=len(names), unit="model"):
        spec = model_specs.resolve(name, clip.catalog())
        facts = clip.architecture_facts(spec.architecture, spec.config)
        assert facts is not None  # every name is of a known architecture
        yield Entry(
            name,
            f"{facts.parameters / 1e6:,.0f} M" if facts.parameters else "",
            facts.image_size,
            facts.patch_size,
            f"{facts.layers} x {facts.heads}" if facts.heads else "",
            spec.activation,
            spec.training_data or "",
            _weights(spec),
        )


def names_of(pattern: str | None) -> list[str]:
    """Returns the names of the models that match a pattern. Raises ModelError."""
    defaults = [*model_specs.STUDY, *model_specs.demo_specs()]
    if pattern is None:
        return defaults
    catalog = [f"{architecture}/{tag}" for architecture, tags in clip.catalog().items() for tag in tags]
    try:
        expression = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ModelError(
            f"{pattern!r} is no pattern: {error}. Give a part of a name, such as B-16."
        ) from error
    names = [name for name in dict.fromkeys([*defaults, *catalog]) if expression.search(name)]
    if not names:
        raise ModelError(f"no model known by name holds {pattern!r}. Try a part of a name, such as B-16.")
    return names


def table(rows: list[Entry]) -> str:
    """Returns the entries as aligned columns, without empty columns."""
    fields = [name for name in Entry._fields if any(getattr(row, name) for row in rows)]
    columns = [name.replace("_", " ") for name in fields]
    return text_table(columns, [[getattr(row, name) for name in fields] for row in rows], aligned=True)


def _weights(spec: ModelSpec) -> str:
    """Returns the location of the weights, or the reason why the model cannot be decomposed."""
    try:
        clip.check(spec)
    except ModelError as error:
        reason = str(error).removeprefix(f"{spec.name} cannot be decomposed exactly: ")
        return f"no: {reason.partition('. ')[0]}"
    return "with this repository" if spec.checkpoint else clip.weights_location(spec)
