"""The last stage: tables and vectors of all models into one bundle."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from torch import Tensor

from db.store import BundleWriter, ImageTokens, ImageVectors
from db.vectors import HeadSpace
from precompute.clip import Clip
from precompute.inputs.text_pool import text_id
from precompute.method.types import HeadSpaces, Pool
from precompute.runtime import progress
from precompute.runtime.config import METHOD_VERSION, Config
from precompute.stages import decompose_images
from precompute.stages.check_precision import PrecisionReport
from precompute.stages.describe_heads import HeadDescriptions
from precompute.stages.scan_images import ImageSet

_SOFTWARE = ("torch", "torchvision", "open_clip_torch", "duckdb", "lancedb", "numpy", "pillow")


class ModelResult(NamedTuple):
    """Everything one model adds to the bundle. Weights are not kept: the next model needs the room."""

    facts: dict[str, object]
    """The model's row of the table `model`."""

    identity: list[object]
    """What the model's numbers depend on."""

    spaces: HeadSpaces
    shards: tuple[decompose_images.Shard, ...]
    gallery: tuple[decompose_images.Shard, ...]
    text: Float[Tensor, "text d_out"]
    classes: Float[Tensor, "value d_out"]
    """Embeddings of what is asked, value by value."""

    described: HeadDescriptions
    truth: list[tuple[str, pd.DataFrame]]
    """Tables and their rows: what is scored against what is known of the images."""

    timing: dict[str, tuple[datetime, float]]
    """Start and seconds of each stage."""

    @property
    def model_key(self) -> str:
        return str(self.facts["model_key"])


def model_facts(
    model: Clip,
    spaces: HeadSpaces,
    taken: decompose_images.DecompositionResult,
    rounded: PrecisionReport | None,
) -> dict[str, object]:
    """The row of the table `model`; `rounded` is None in float32."""
    spec = model.spec
    return {
        "model_key": model.model_key,
        "model": spec.name,
        "architecture": spec.architecture,
        "weights": spec.weights,
        "weights_sha256": model.weights_sha256,
        "layers": model.layers,
        "first_layer": spaces.layers[0],
        "heads": model.heads,
        "d_head": model.d_head,
        "d_model": model.d_model,
        "d_out": model.d_out,
        "rank": spaces.basis.shape[2],
        "image_size": model.image_size,
        "patch_size": model.patch_size,
        "grid_rows": model.grid[0],
        "grid_columns": model.grid[1],
        "parameters": model.parameters,
        "activation": spec.activation,
        "training_data": spec.training_data,
        "context_length": model.context_length,
        "mean": list(spec.mean),
        "std": list(spec.std),
        "interpolation": spec.interpolation,
        "resize_mode": spec.resize_mode,
        "has_vectors": True,
        "is_control": spec.is_control,
        "control_of": spec.control_of,
        "images": sum(len(shard.image_id) for shard in taken.shards),
        "gallery_images": sum(len(shard.image_id) for shard in taken.gallery),
        "max_sum_error": taken.max_sum_error,
        "precision": model.precision,
        **(rounded._asdict() if rounded else {}),
    }


def write(
    config: Config,
    input_id: str,
    image_set: ImageSet,
    pool: Pool,
    asked: list[tuple[str, str, str]],
    results: list[ModelResult],
    board: dict[str, pd.DataFrame],
) -> None:
    """Write the bundle aside and give it its name at the very end. `asked`: attribute, value and text."""
    with BundleWriter(config.bundle, input_id=input_id, replace=config.replace) as writer:
        _write_images(writer, image_set, config)
        for table, rows in pool_rows(pool).items():
            writer.write(table, rows)
        _write_class_texts(writer, asked)
        for result in results:
            writer.write("model", pd.DataFrame([result.facts]))
            for table, rows in result.described.tables.items():
                writer.write(table, rows)
            for table, rows in result.truth:
                writer.write(table, rows)
            _write_vectors(writer, result, pool)
            if asked:
                attributes, values, _ = zip(*asked, strict=True)
                writer.write_classes(result.model_key, attributes, values, result.classes.numpy())
            writer.write("run", _runs(result, config))
        for table, rows in board.items():
            writer.write(table, rows)
        writer.finish({"software": _software(), "method_version": METHOD_VERSION})


def _write_images(writer: BundleWriter, image_set: ImageSet, config: Config) -> None:
    writer.write(
        "image_set",
        pd.DataFrame(
            [
                {
                    "name": image_set.name,
                    "images": len(image_set.image_files),
                    "files": len(image_set.files) + len(image_set.failed),
                    "failed": len(image_set.failed),
                    "license": config.license,
                }
            ]
        ),
    )
    for rows in image_set.thumbnails():
        writer.write("image", rows)
    writer.write("image_file", image_set.files[["image_id", "path"]])
    writer.write("image_attribute", image_set.attributes)
    writer.write("failed_image", image_set.failed)


def _write_class_texts(writer: BundleWriter, asked: list[tuple[str, str, str]]) -> None:
    rows = pd.DataFrame(asked, columns=["attribute", "value", "text"])
    writer.write("class_text", rows.assign(position=rows.groupby("attribute").cumcount()))


def _write_vectors(writer: BundleWriter, result: ModelResult, pool: Pool) -> None:
    key, described = result.model_key, result.described
    writer.write_heads(key, _space(result.spaces, described))
    images = progress.track(result.shards, "writing vectors", total=len(result.shards), unit="shard")
    writer.write_images(key, (_vectors(shard) for shard in images))
    writer.write_texts(key, [text_id(text) for text in pool.texts], result.text.numpy())
    tokens = 1 + int(result.facts["grid_rows"]) * int(result.facts["grid_columns"])  # type: ignore[call-overload]
    writer.write_tokens(key, tokens, _gallery(result.gallery))


def _space(spaces: HeadSpaces, described: HeadDescriptions) -> HeadSpace:
    layers, heads, rank, d_out = spaces.basis.shape
    return HeadSpace(
        layer=np.repeat(spaces.layers, heads),
        head=np.tile(np.arange(heads), layers),
        basis=spaces.basis.reshape(-1, rank, d_out).numpy(),
        mean=described.mean.flatten(0, 1).float().numpy(),
        scale=described.scale.flatten().float().numpy(),
    )


def _vectors(shard: decompose_images.Shard) -> ImageVectors:
    parts = decompose_images.read(shard)
    return ImageVectors(shard.image_id, parts["embedding"].numpy(), parts["head"].numpy())


def _gallery(shards: tuple[decompose_images.Shard, ...]) -> Iterator[ImageTokens]:
    for shard in shards:
        parts = decompose_images.read(shard)
        for image_id, token, rest in zip(shard.image_id, parts["token"], parts["rest"], strict=True):
            yield ImageTokens(image_id, token.numpy(), rest.numpy())


def _runs(result: ModelResult, config: Config) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "model_key": result.model_key,
                "stage": stage,
                "method_version": METHOD_VERSION,
                "options": json.dumps(config.result_options(), sort_keys=True),
                "software": json.dumps(_software(), sort_keys=True),
                "started_at": started.astimezone(UTC).replace(tzinfo=None),
                "seconds": seconds,
            }
            for stage, (started, seconds) in result.timing.items()
        ]
    )


def _software() -> dict[str, str]:
    return {name: version(name) for name in _SOFTWARE}


def pool_rows(pool: Pool) -> dict[str, pd.DataFrame]:
    """Rows by table, in the order they are to be written."""
    ids = [text_id(text) for text in pool.texts]
    about = {
        "name": pool.name,
        "language": pool.language,
        "license": pool.license,
        "texts": len(ids),
        "dropped_duplicates": pool.dropped_duplicates,
        "dropped_empty": pool.dropped_empty,
        "tagged_by_rule": pool.tagged_by_rule,
    }
    text, tag = pool.tags.nonzero(as_tuple=True)
    tagged = {
        "text_id": [ids[row] for row in text.tolist()],
        "property": [pool.properties[column] for column in tag.tolist()],
    }
    counts = pool.tags.sum(dim=0).tolist()
    return {
        "text_pool": pd.DataFrame([about]),
        "text": pd.DataFrame({"text_id": ids, "position": range(len(ids)), "text": pool.texts}),
        "text_property": pd.DataFrame(tagged),
        "property": pd.DataFrame({"property": list(pool.properties), "texts": counts}),
    }
