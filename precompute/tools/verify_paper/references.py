"""Reads the reference files of `verify-paper` and checks their consistency."""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from precompute.inputs import text_pool, textspan_files
from precompute.method.types import Head, Pool
from precompute.runtime.config import ConfigError
from precompute.tools import label_agreement
from precompute.tools.verify_paper import classes, published_figures
from precompute.tools.verify_paper.classes import ClassSet
from precompute.tools.verify_paper.options import VerifyTask
from precompute.tools.verify_paper.published_figures import Figure
from precompute.validation import segmentation

Item = TypeVar("Item")


class ReferenceFiles(NamedTuple):
    """Contents of the reference files; None for a missing file."""

    pool: Pool | None
    theirs: Mapping[Head, tuple[str, ...]] | None
    """Released texts."""

    released: Mapping[Head, str] | None
    """Released labels."""

    synonyms: Mapping[str, frozenset[str]]
    classes: ClassSet
    figures: Mapping[str, Figure]


def read(task: VerifyTask, model: str) -> ReferenceFiles:
    """Reads every file. Raises UserError."""
    if task.segmentation:
        segmentation.count(task.segmentation)
    texts = text_pool.load(task.pool) if task.pool else None
    theirs = textspan_files.read(task.textspan).texts if task.textspan else None
    try:
        synonyms = label_agreement.read_synonyms(task.synonyms or label_agreement.SYNONYMS)
        released = label_agreement.read_labels(task.labels, model) if task.labels else None
        if theirs and texts:
            text_pool.pick_indices(list(theirs.values()), texts)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    published = published_figures.load(model, task.figures)
    return ReferenceFiles(texts, theirs, released, synonyms, classes.load(task.classes), published)


def of_layers(references: ReferenceFiles, layers: tuple[int, ...], model: str) -> ReferenceFiles:
    """Restricts texts and labels to the described layers. Raises ConfigError if there are none."""
    return references._replace(
        theirs=_restrict("textspan", references.theirs, layers, model),
        released=_restrict("labels", references.released, layers, model),
    )


def _restrict(
    name: str, by_head: Mapping[Head, Item] | None, layers: tuple[int, ...], model: str
) -> Mapping[Head, Item] | None:
    if by_head is None:
        return None
    restricted = {head: item for head, item in by_head.items() if head[0] in layers}
    if not restricted:
        raise ConfigError(
            f"--{name} says nothing of layers {layers[0]} to {layers[-1]} of {model}. "
            "They are the ones that are described here; give the file of this model."
        )
    return restricted
