"""`python -m precompute models`: which models there are, and what a figure must say of each.

Builds architectures without memory and fetches nothing.
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
    """One model that can be asked for by name."""

    model: str
    parameters: str
    """Of both towers, in millions."""

    image_size: int | None
    patch_size: int | None
    heads: str
    """Layers x heads of the image tower."""

    activation: str
    training_data: str
    weights: str
    """Where they are, or why this model cannot be taken apart."""


def entries(pattern: str | None = None) -> Iterator[Entry]:
    """The models of the study and of the demo; with a pattern all whose name it occurs in.

    Raises:
        ModelError: no name holds the pattern, a regular expression that ignores case.
    """
    names = names_of(pattern)
    for name in progress.track(names, "looking at models", total=len(names), unit="model"):
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
            _standing(spec),
        )


def names_of(pattern: str | None) -> list[str]:
    """Names of the models that are meant by a pattern. Raises ModelError."""
    own = [*model_specs.STUDY, *model_specs.demo_specs()]
    if pattern is None:
        return own
    known = [f"{architecture}/{tag}" for architecture, tags in clip.catalog().items() for tag in tags]
    try:
        wanted = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ModelError(
            f"{pattern!r} is no pattern: {error}. Give a part of a name, such as B-16."
        ) from error
    found = [name for name in dict.fromkeys([*own, *known]) if wanted.search(name)]
    if not found:
        raise ModelError(f"no model known by name holds {pattern!r}. Try a part of a name, such as B-16.")
    return found


def table(rows: list[Entry]) -> str:
    """Entries as lines of aligned columns; a column that is empty throughout is left out."""
    shown = [name for name in Entry._fields if any(getattr(row, name) for row in rows)]
    columns = [name.replace("_", " ") for name in shown]
    return text_table(columns, [[getattr(row, name) for name in shown] for row in rows], aligned=True)


def _standing(spec: ModelSpec) -> str:
    """Where the weights are, or why they are of no use here."""
    try:
        clip.check(spec)
    except ModelError as error:
        reason = str(error).removeprefix(f"{spec.name} cannot be decomposed exactly: ")
        return f"no: {reason.partition('. ')[0]}"
    return "with this repository" if spec.checkpoint else clip.weights_location(spec)
