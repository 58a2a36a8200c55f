"""The last stage: tables and vectors of all models into one bundle."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from db.layout import FORMAT
from db.store import BundleWriter, ImageTokens, ImageVectors
from db.vectors import HeadSpace
from precompute.clip import Clip
from precompute.inputs import images
from precompute.inputs.prompts import ClassPrompt
from precompute.inputs.text_pool import text_id
from precompute.method import labels, moments
from precompute.method.intervals import MIN_IMAGES
from precompute.method.types import HeadSpaces, Pool
from precompute.runtime import progress, work_files
from precompute.runtime.method_versions import METHOD_VERSIONS
from precompute.runtime.run_row import package_versions, run_row
from precompute.stages import decompose_images
from precompute.stages.check_precision import PrecisionReport
from precompute.stages.decompose_images import DecompositionResult
from precompute.stages.describe_heads import HeadDescriptions
from precompute.stages.read_inputs import RunInputs
from precompute.stages.scan_images import ImageSet

_PACKAGES = ("torch", "torchvision", "open_clip_torch", "duckdb", "lancedb", "numpy", "pillow")


_SPEC_FACTS = (
    "architecture", "weights", "activation", "training_data", "weights_verified", "interpolation",
    "resize_mode", "is_control",
    "control_of",
)  # fmt: skip
_MODEL_FACTS = (
    "model_key", "weights_sha256", "layers", "heads", "d_head", "d_model", "d_out", "image_size",
    "patch_size", "parameters", "context_length", "precision",
)  # fmt: skip
"""Columns of the table `model` with the names of fields of ModelSpec and Clip."""


class ModelResult(NamedTuple):
    """Everything that one model adds to the bundle. Excludes weights: the next model must fit in memory."""

    facts: dict[str, object]
    """The model's row of the table `model`."""

    identity: list[object]
    """Everything that the model's numbers depend on."""

    spaces: HeadSpaces
    decomposition: DecompositionResult
    text: Float[Tensor, "text d_out"]
    classes: Float[Tensor, "value d_out"]
    """Embeddings of the class prompts."""

    heads: HeadDescriptions
    scores: list[tuple[str, pd.DataFrame]]
    """Names and rows of the tables that score heads against known attributes and masks."""

    times: progress.StageTimes

    @property
    def model_key(self) -> str:
        return str(self.facts["model_key"])


def model_facts(
    model: Clip, spaces: HeadSpaces, decomposition: DecompositionResult, precision: PrecisionReport | None
) -> dict[str, object]:
    """Returns the row of the table `model`; `precision` is None in float32."""
    spec = model.spec
    return {
        **{name: getattr(spec, name) for name in _SPEC_FACTS},
        **{name: getattr(model, name) for name in _MODEL_FACTS},
        "model": spec.name,
        "first_layer": spaces.layers[0],
        "rank": spaces.basis.shape[2],
        "grid_rows": model.grid[0],
        "grid_columns": model.grid[1],
        "mean": list(spec.mean),
        "std": list(spec.std),
        "label_rule": f"{labels.RULE} {METHOD_VERSIONS['labels']}",
        "has_vectors": True,
        "images": sum(len(shard.image_id) for shard in decomposition.shards),
        "gallery_images": sum(len(shard.image_id) for shard in decomposition.gallery),
        "max_sum_error": decomposition.max_sum_error,
        **(precision._asdict() if precision else {}),
    }


def write_bundle(
    path: Path,
    options: dict[str, object],
    inputs: RunInputs,
    results: list[ModelResult],
    leaderboard_tables: dict[str, pd.DataFrame],
    *,
    replace: bool,
) -> None:
    """Writes the bundle to a temporary directory and renames it at the end.

    `options` are those that change the result, by name.
    """
    software = package_versions(_PACKAGES)
    with BundleWriter(path, input_id=_input_id(options, inputs, results), replace=replace) as writer:
        _write_images(writer, inputs.image_set, str(options["license"]), gallery_sides(results))
        for table, rows in pool_rows(inputs.pool).items():
            writer.write(table, rows)
        _write_class_texts(writer, inputs.class_prompts)
        for result in results:
            writer.write("model", pd.DataFrame([result.facts]))
            for table, rows in (*result.heads.tables.items(), *result.scores):
                writer.write(table, rows)
            _write_vectors(writer, result, inputs.pool)
            if inputs.class_prompts:
                attributes, values, _ = zip(*inputs.class_prompts, strict=True)
                writer.write_classes(result.model_key, attributes, values, result.classes.numpy())
            for stage, times in result.times.items():
                writer.write("run", run_row(result.model_key, stage, options, software, *times))
        for table, rows in leaderboard_tables.items():
            writer.write(table, rows)
        writer.finish({"software": software, "method_versions": dict(METHOD_VERSIONS)})


def _input_id(options: dict[str, object], inputs: RunInputs, results: list[ModelResult]) -> str:
    """Returns a hash of everything that the bundle depends on; equal on any machine."""
    attributes, pool = inputs.attributes.sort_values(["image_id", "attribute", "value"]), inputs.pool
    return work_files.key_of(
        FORMAT,
        dict(METHOD_VERSIONS),
        [result.identity for result in results],
        list(inputs.image_files),
        attributes.to_numpy().tolist(),
        [pool.texts, pool.properties, pool.tags.to(torch.uint8).tolist()],
        inputs.class_prompts,
        images.mask_identity(inputs.masks),
        options,
    )


def gallery_sides(results: list[ModelResult]) -> dict[str, int]:
    """Returns the image ids with stored maps, each with the largest input size of the models of its maps."""
    sides: dict[str, int] = {}
    for result in results:
        for shard in result.decomposition.gallery:
            for image_id in shard.image_id:
                sides[image_id] = max(sides.get(image_id, 0), int(str(result.facts["image_size"])))
    return sides


def larger_thumbnails(rows: pd.DataFrame, image_set: ImageSet, sides: dict[str, int]) -> pd.DataFrame:
    """Returns rows of the table `image`; pictures of `sides` have a shorter side of up to so many pixels.

    Reads the files of these images again. Raises ImagesError.
    """
    pictures = [
        images.thumbnail(images.picture_of(image_set.image_files[row.image_id], row.image_id), side)
        if row.thumbnail is not None and (side := sides.get(row.image_id, 0)) > images.THUMBNAIL_SHORTER
        else row.thumbnail
        for row in rows.itertuples()
    ]
    return rows.assign(thumbnail=pd.Series(pictures, rows.index, dtype=object))


def _write_images(writer: BundleWriter, image_set: ImageSet, license: str, sides: dict[str, int]) -> None:
    row = {
        "name": image_set.name,
        "images": len(image_set.image_files),
        "files": len(image_set.files) + len(image_set.failed),
        "failed": len(image_set.failed),
        "flat": image_set.flat,
        "license": license,
        "min_images_for_intervals": MIN_IMAGES,
    }
    writer.write("image_set", pd.DataFrame([row]))
    for rows in image_set.thumbnails():
        writer.write("image", larger_thumbnails(rows, image_set, sides))
    writer.write("image_file", image_set.files[["image_id", "path"]])
    writer.write("image_attribute", image_set.attributes)
    writer.write("failed_image", image_set.failed)


def _write_class_texts(writer: BundleWriter, class_prompts: list[ClassPrompt]) -> None:
    rows = pd.DataFrame(class_prompts, columns=ClassPrompt._fields)
    writer.write("class_text", rows.assign(position=rows.groupby("attribute").cumcount()))


def _write_vectors(writer: BundleWriter, result: ModelResult, pool: Pool) -> None:
    key, shards = result.model_key, result.decomposition.shards
    writer.write_heads(key, _space(result))
    tracked = progress.track(shards, "writing vectors", total=len(shards), unit="shard")
    writer.write_images(key, (_vectors(shard) for shard in tracked))
    writer.write_texts(key, [text_id(text) for text in pool.texts], result.text.numpy())
    tokens = 1 + int(result.facts["grid_rows"]) * int(result.facts["grid_columns"])  # type: ignore[call-overload]
    writer.write_tokens(key, tokens, _gallery(result.decomposition.gallery))


def _space(result: ModelResult) -> HeadSpace:
    spaces, described = result.spaces, result.heads
    layers, heads, rank, d_out = spaces.basis.shape
    covariance = moments.pooled(result.decomposition.moments).covariance
    mean_length = _mean_lengths(result.decomposition.shards, described)
    return HeadSpace(
        layer=np.repeat(spaces.layers, heads),
        head=np.tile(np.arange(heads), layers),
        basis=spaces.basis.reshape(-1, rank, d_out).numpy(),
        mean=described.mean.flatten(0, 1).float().numpy(),
        scale=described.scale.flatten().float().numpy(),
        covariance=covariance.flatten(0, 1).float().numpy(),
        mean_length=mean_length.flatten().float().numpy(),
    )


def _mean_lengths(
    shards: tuple[decompose_images.Shard, ...], described: HeadDescriptions
) -> Float[Tensor, "layer head"]:
    """Mean length of the centered coordinates of every head; 0 for a constant head."""
    total = torch.zeros_like(described.scale)
    for shard in shards:
        total += (decompose_images.read(shard)["head"] - described.mean).norm(dim=-1).sum(0)
    return (total / described.image_count).where(described.scale > 0, 0)


def _vectors(shard: decompose_images.Shard) -> ImageVectors:
    parts = decompose_images.read(shard)
    return ImageVectors(shard.image_id, parts["embedding"].numpy(), parts["head"].numpy())


def _gallery(shards: tuple[decompose_images.Shard, ...]) -> Iterator[ImageTokens]:
    for shard in shards:
        parts = decompose_images.read(shard)
        for image_id, token, rest in zip(shard.image_id, parts["token"], parts["rest"], strict=True):
            yield ImageTokens(image_id, token.numpy(), rest.numpy())


def pool_rows(pool: Pool) -> dict[str, pd.DataFrame]:
    """Returns the rows of the text pool by table, in the order to write them."""
    ids = [text_id(text) for text in pool.texts]
    pool_row = {
        "name": pool.name,
        "language": pool.language,
        "license": pool.license,
        "texts": len(ids),
        "dropped_duplicates": pool.dropped_duplicates,
        "dropped_empty": pool.dropped_empty,
        "dropped_comments": len(pool.comments),
        "tagged_by_rule": pool.tagged_by_rule,
    }
    text, tag = pool.tags.nonzero(as_tuple=True)
    tags = {
        "text_id": [ids[row] for row in text.tolist()],
        "property": [pool.properties[column] for column in tag.tolist()],
    }
    counts = pool.tags.sum(dim=0).tolist()
    return {
        "text_pool": pd.DataFrame([pool_row]),
        "text": pd.DataFrame({"text_id": ids, "position": range(len(ids)), "text": pool.texts}),
        "text_property": pd.DataFrame(tags),
        "property": pd.DataFrame({"property": list(pool.properties), "texts": counts}),
    }
