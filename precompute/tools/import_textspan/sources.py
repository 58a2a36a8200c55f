"""Sources of an import: files of results, facts of their models, and the text pool.

Facts of a model come from its name alone: open_clip's config of the architecture and of the weights tag.
Reads no weights and downloads nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jaxtyping import Int
from torch import Tensor

from db.layout import head_name
from precompute import clip
from precompute.inputs import lexical_tags, model_specs, text_pool, textspan_files
from precompute.inputs.text_pool import PoolError
from precompute.inputs.textspan_files import ResultsError, TextLists
from precompute.method import labels_from_lists
from precompute.method.types import Pool
from precompute.runtime.method_versions import METHOD_VERSIONS


class Source(NamedTuple):
    """The results of one model."""

    facts: dict[str, object]
    """Row of the table `model`, without unknown columns, which become null."""

    lists: TextLists

    @property
    def model_key(self) -> str:
        return str(self.facts["model_key"])

    @property
    def name(self) -> str:
        return str(self.facts["model"])


def read_all(names: Sequence[str], files: Sequence[Path]) -> list[Source]:
    """Reads each file as the results of the model at the same position.

    Raises:
        ResultsError: a file cannot be read or has another architecture, or two files have the same model.
    """
    sources = [read(name, file) for name, file in zip(names, files, strict=True)]
    full_names = [source.name for source in sources]
    for name, full_name in zip(names, full_names, strict=True):
        if full_names.count(full_name) > 1:
            raise ResultsError(
                f"--model {name} is {full_name}, which is given twice. Import each file into a bundle of its "
                "own."
            )
    return sources


def read(name: str, file: Path) -> Source:
    """Reads the results of one model and the facts of its architecture and weights.

    Raises:
        ResultsError: the file cannot be read, or has another architecture.
    """
    lists = textspan_files.read(file)
    spec = _spec(name)
    name = spec.name if spec else name
    architecture, _, weights = name.partition("/")
    sizes = clip.architecture_facts(architecture, spec.config if spec else None)
    if sizes is not None:
        _check_fits(lists, architecture, sizes)
    facts: dict[str, object] = {
        "model_key": model_specs.model_key(name, lists.sha256),
        "model": name,
        "architecture": architecture,
        "weights": weights,
        "first_layer": min(layer for layer, _ in lists.texts),
        "heads": 1 + max(head for _, head in lists.texts),
        "label_rule": f"{labels_from_lists.RULE} {METHOD_VERSIONS['labels']}",
        "has_vectors": False,
        **_sizes(sizes),
        **_training(spec),
    }
    return Source({fact: value for fact, value in facts.items() if value is not None}, lists)


def gathered_pool(lists: list[TextLists], license: str) -> Pool:
    """Returns all texts of the results as a pool, in order of appearance, tagged by the lexical rule.

    Raises:
        PoolError: the rule finds no property in any text.
    """
    texts = dict.fromkeys(text for model in lists for head in model.texts.values() for text in head)
    lexicon = lexical_tags.load_lexicon()
    tagged = {text: lexical_tags.tags(text, lexicon) for text in texts}
    names = ", ".join(model.file for model in lists)
    if not any(tagged.values()):
        raise PoolError(
            f"the lexical rule finds no property in any text of {names}, so heads cannot be labeled. Give "
            "the pool that the texts were chosen from, with their properties, by --texts."
        )
    count = sum(map(bool, tagged.values()))
    metadata = {"name": f"texts of {names}", "license": license}
    return text_pool.build(tagged, metadata, name=names, duplicates=0, empty=0, tagged_count=count)


def picks(lists: TextLists, pool: Pool) -> Int[Tensor, "head k"]:
    """Returns the rows of the pool that each head chose, as `pick_indices` does. Raises PoolError."""
    advice = "Give the pool that they were chosen from by --texts, or leave --texts out."
    return text_pool.pick_indices(list(lists.texts.values()), pool, source=lists.file, advice=advice)


def _spec(name: str) -> model_specs.ModelSpec | None:
    """Returns the spec of a model; None if open_clip lacks it, since results of any model are accepted."""
    try:
        return model_specs.resolve(name, clip.catalog())
    except model_specs.ModelError:
        return None


def _check_fits(lists: TextLists, architecture: str, sizes: clip.ArchitectureFacts) -> None:
    """Raises ResultsError for heads that the architecture lacks: the results are of another model."""
    for layer, head in lists.texts:
        problem = None
        if sizes.layers is not None and layer >= sizes.layers:
            problem = f"layer {layer}, but {architecture} has {sizes.layers} layers"
        elif sizes.heads is not None and head >= sizes.heads:
            problem = f"head {head} ({head_name(layer, head)}), but {architecture} has {sizes.heads} heads"
        if problem:
            raise ResultsError(
                f"{lists.file} has {problem}, counted from 0. Name the model that the results are of "
                "by --model."
            )


def _sizes(sizes: clip.ArchitectureFacts | None) -> dict[str, object]:
    """Returns columns of the table `model` from the architecture."""
    if sizes is None:
        return {}
    columns = {name: size for name, size in sizes._asdict().items() if size is not None}
    if sizes.image_size is not None and sizes.patch_size is not None:
        side = sizes.image_size // sizes.patch_size
        columns |= {"grid_rows": side, "grid_columns": side}
    return columns


def _training(spec: model_specs.ModelSpec | None) -> dict[str, object]:
    """Returns columns of the table `model` from the weights tag."""
    if spec is None:
        return {"is_control": False}
    names = ("activation", "training_data", "interpolation", "resize_mode", "is_control", "control_of")
    facts = {name: getattr(spec, name) for name in names}
    return facts | {"mean": list(spec.mean), "std": list(spec.std)}
