"""What is imported: files of results, the models they are of, and the pool their texts are counted against.

Of a model only what its name tells is known: open_clip's config of the architecture and what its weights tag
says of the training. Neither weights nor the network are asked.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from db.layout import head_name
from precompute import clip
from precompute.inputs import lexical_tags, model_specs, textspan_files
from precompute.inputs.text_pool import PoolError, pick_indices
from precompute.inputs.textspan_files import ResultsError, TextLists
from precompute.method.types import Pool


class Source(NamedTuple):
    """The results of one model."""

    facts: dict[str, object]
    """The model's row of the table `model`; what is not known is left out, and null there."""

    lists: TextLists

    @property
    def model_key(self) -> str:
        return str(self.facts["model_key"])

    @property
    def name(self) -> str:
        return str(self.facts["model"])


def read_all(names: Sequence[str], files: Sequence[Path]) -> list[Source]:
    """Read each file as the results of the model that stands in its place.

    Raises:
        ResultsError: a file cannot be read or is of another architecture, or two are of one model.
    """
    sources = [read(name, file) for name, file in zip(names, files, strict=True)]
    found = [source.name for source in sources]
    for given, name in zip(names, found, strict=True):
        if found.count(name) > 1:
            raise ResultsError(
                f"--model {given} is {name}, which is given twice. Import each file into a bundle of its own."
            )
    return sources


def read(name: str, file: Path) -> Source:
    """Read the results of one model and set them beside what is known of it.

    Raises:
        ResultsError: the file cannot be read, or is of another architecture.
    """
    lists = textspan_files.read(file)
    spec = _spec(name)
    name = spec.name if spec else name
    architecture, _, weights = name.partition("/")
    known = clip.architecture_facts(architecture, spec.config if spec else None)
    if known is not None:
        _check_fits(lists, architecture, known)
    facts: dict[str, object] = {
        "model_key": model_specs.model_key(name, lists.sha256),
        "model": name,
        "architecture": architecture,
        "weights": weights,
        "first_layer": min(layer for layer, _ in lists.texts),
        "heads": 1 + max(head for _, head in lists.texts),
        "has_vectors": False,
        "is_control": spec.is_control if spec else False,
        "control_of": spec.control_of if spec else None,
        **_sizes(known),
        **_training(spec),
    }
    return Source({fact: value for fact, value in facts.items() if value is not None}, lists)


def gathered_pool(lists: list[TextLists]) -> Pool:
    """All texts that the results name, in the order they first stand there, tagged by the lexical rule.

    Raises:
        PoolError: the rule knows nothing of any of them.
    """
    texts = list(dict.fromkeys(text for one in lists for own in one.texts.values() for text in own))
    lexicon = lexical_tags.load_lexicon()
    carried = [lexical_tags.tags(text, lexicon) for text in texts]
    properties = sorted(set().union(*carried))
    names = ", ".join(one.file for one in lists)
    if not properties:
        raise PoolError(
            f"the lexical rule finds no property in any text of {names}, so heads cannot be labeled. Give "
            "the pool that the texts were chosen from, with their properties, by --texts."
        )
    tags = torch.tensor([[one in own for one in properties] for own in carried])
    return Pool(
        name=f"texts of {names}",
        language="und",
        license=None,
        texts=tuple(texts),
        properties=tuple(properties),
        tags=tags,
        dropped_duplicates=0,
        dropped_empty=0,
        tagged_by_rule=int(tags.any(dim=1).sum()),
    )


def picks(lists: TextLists, pool: Pool) -> Int[Tensor, "head k"]:
    """Rows of the pool that each head chose, as `pick_indices` gives them. Raises PoolError."""
    advice = "Give the pool that they were chosen from by --texts, or leave --texts out."
    return pick_indices(list(lists.texts.values()), pool, source=lists.file, advice=advice)


def _spec(name: str) -> model_specs.ModelSpec | None:
    """What the name tells; None where open_clip does not know it, which is no reason to refuse results."""
    try:
        return model_specs.resolve(name, clip.catalog())
    except model_specs.ModelError:
        return None


def _check_fits(lists: TextLists, architecture: str, known: clip.ArchitectureFacts) -> None:
    """Refuse heads that the architecture does not have: the results are of another model."""
    for layer, head in lists.texts:
        wrong = None
        if known.layers is not None and layer >= known.layers:
            wrong = f"layer {layer}, but {architecture} has {known.layers} layers"
        elif known.heads is not None and head >= known.heads:
            wrong = f"head {head} ({head_name(layer, head)}), but {architecture} has {known.heads} heads"
        if wrong:
            raise ResultsError(
                f"{lists.file} has {wrong}, counted from 0. Name the model that the results are of "
                "by --model."
            )


def _sizes(known: clip.ArchitectureFacts | None) -> dict[str, object]:
    """Columns of the table `model` that the architecture fills."""
    if known is None:
        return {}
    sizes = {fact: size for fact, size in known._asdict().items() if size is not None}
    if known.image_size is not None and known.patch_size is not None:
        side = known.image_size // known.patch_size
        sizes |= {"grid_rows": side, "grid_columns": side}
    return sizes


def _training(spec: model_specs.ModelSpec | None) -> dict[str, object]:
    """Columns of the table `model` that the weights tag fills."""
    if spec is None:
        return {}
    return {
        "activation": spec.activation,
        "training_data": spec.training_data,
        "mean": list(spec.mean),
        "std": list(spec.std),
        "interpolation": spec.interpolation,
        "resize_mode": spec.resize_mode,
    }
