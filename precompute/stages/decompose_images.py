"""Passes over the images with a model: head coordinates of every image, token coordinates of the gallery.

Results are written to work files of `shard_size` images, ordered by image_id. An interrupted pass resumes at
the first missing file. Shards are only a unit of work: later stages read them as one stream.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from precompute import clip
from precompute.inputs import images
from precompute.inputs.model_specs import ModelError
from precompute.method import decomposition, moments
from precompute.method.types import ComponentMoments, Decomposition, HeadSpaces, Moments
from precompute.runtime import devices, progress, work_files
from precompute.runtime.config import GalleryLimits, ReadOptions
from precompute.runtime.method_versions import METHOD_VERSIONS
from precompute.runtime.part import WHOLE, Part

# The largest error measured is 1e-6 in every precision, because the residual stream is float32. An error 100
# times larger is a wrong result, not rounding.
_LARGEST_ERROR = 1e-4

_NEXT_STEPS = ("Give --precision float32.", "This model is not decomposed exactly; please report it.")
"""Next step of the message below float32, and in float32."""

_GALLERY_SHARD = 16

_SUM_ERROR = "max_sum_error"

_EARLIER = "earlier"
"""Name of the contributions before the decomposed layers; with a dot, prefix of their moments in a shard."""

Compute = Callable[[list[str], Tensor], dict[str, Tensor]]
"""Function of image ids and pixels that returns tensors with one row per image."""

Fold = Callable[[list[str], dict[str, Tensor]], dict[str, Tensor]]
"""Function of the ids and tensors of a shard's images that returns the tensors to save."""


class LoadedModel(NamedTuple):
    """One model, ready to decompose images."""

    model: clip.Clip
    spaces: HeadSpaces
    identity: list[object]
    """Everything that the model's numbers depend on."""

    directory: Path
    """Directory of the model's work files."""


class Shard(NamedTuple):
    """Consecutive images in the order of image_id, and their work file."""

    image_id: list[str]
    path: Path


class ShardPlan(NamedTuple):
    """Shards to write for one model."""

    plan: decomposition.Plan
    shards: tuple[Shard, ...]
    gallery: tuple[Shard, ...]


class DecompositionResult(NamedTuple):
    """Results of the passes over the images with one model."""

    shards: tuple[Shard, ...]
    gallery: tuple[Shard, ...]
    moments: Moments
    components: ComponentMoments
    max_sum_error: float


def decompose_images(
    loaded: LoadedModel, image_files: dict[str, images.ImageFile], options: ReadOptions, limits: GalleryLimits
) -> DecompositionResult:
    """Decomposes all images and the gallery, or loads what an earlier run finished."""
    todo = plan_shards(loaded, list(image_files), options.shard_size, limits)
    write_missing_shards(loaded.model, todo, image_files, options)
    return reduce_moments(todo, loaded)


def plan_shards(
    loaded: LoadedModel, image_ids: list[str], shard_size: int, limits: GalleryLimits
) -> ShardPlan:
    """Returns all shards of a model, in order; equal for every process that has the same images."""
    return ShardPlan(
        decomposition.plan(clip.vision_weights(loaded.model), loaded.spaces),
        cut(image_ids, loaded.directory / "images", shard_size),
        cut(gallery_ids(loaded, image_ids, limits), loaded.directory / "gallery", _GALLERY_SHARD),
    )


def write_missing_shards(
    model: clip.Clip,
    todo: ShardPlan,
    image_files: dict[str, images.ImageFile],
    options: ReadOptions,
    part: Part = WHOLE,
) -> float:
    """Decomposes the images and the gallery of a part, except for shards that exist.

    Returns the seconds spent waiting for images.
    """
    plan, layers = todo.plan, todo.plan.spaces.layers
    shards, gallery = (
        tuple(shard for place, shard in enumerate(kind) if part.takes(place))
        for kind in (todo.shards, todo.gallery)
    )
    if missing(shards + gallery):
        _check_against_encode_image(model, plan, image_files)

    def whole(_: list[str], pixels: Tensor) -> dict[str, Tensor]:
        captured = clip.capture(model, pixels, layers)
        parts, earlier = decomposition.decompose_with_earlier(plan, captured)
        return parts._asdict() | {_EARLIER: earlier}

    waited = run_missing(model, shards, image_files, whole, "decomposing", options, fold=_fold_earlier)

    def token_level(_: list[str], pixels: Tensor) -> dict[str, Tensor]:
        captured = clip.capture_tokens(model, pixels, layers)
        parts, token = decomposition.decompose_tokens(plan, captured)
        return {"token": token, "rest": parts.early + parts.mlp.sum(dim=1)}

    return waited + run_missing(model, gallery, image_files, token_level, "gallery, by token", options)


def missing(shards: tuple[Shard, ...]) -> list[Shard]:
    """Returns the shards that are not written yet."""
    return [shard for shard in shards if not shard.path.exists()]


def read(shard: Shard) -> dict[str, Tensor]:
    """Returns the tensors of one shard; the first axis is image, except in moments of `_fold_earlier`."""
    return work_files.load_tensors(shard.path)


def read_first(
    shards: Sequence[Shard], names: Sequence[str], most: int
) -> Iterator[tuple[list[str], dict[str, Tensor]]]:
    """Yields ids and tensors of the first images, at most `most`, shard by shard."""
    for shard in shards:
        if most <= 0:
            return
        tensors = read(shard)
        yield shard.image_id[:most], {name: tensors[name][:most] for name in names}
        most -= len(shard.image_id)


def gallery_ids(loaded: LoadedModel, image_ids: list[str], limits: GalleryLimits) -> list[str]:
    """Returns ids of images for token-level coordinates: evenly over the sorted ids, as many as fit."""
    layers, heads, rank, _ = loaded.spaces.basis.shape
    rows, columns = loaded.model.grid
    bytes_each = layers * heads * (1 + rows * columns) * rank * 2
    fit = int(limits.megabytes * 1e6 // bytes_each)
    return images.evenly(image_ids, min(limits.images, fit))


def cut(image_ids: list[str], directory: Path, size: int) -> tuple[Shard, ...]:
    """Returns the images cut into shards; a shard's file name is the hash of its image ids."""
    parts = [image_ids[start : start + size] for start in range(0, len(image_ids), size)]
    return tuple(Shard(part, directory / f"{work_files.key_of(part)}.safetensors") for part in parts)


def run_missing(
    model: clip.Clip,
    shards: tuple[Shard, ...],
    image_files: dict[str, images.ImageFile],
    compute: Compute,
    what: str,
    options: ReadOptions,
    *,
    fold: Fold = lambda _, tensors: tensors,
) -> float:
    """Computes and writes the missing shards; `fold` is applied to the tensors of each shard.

    Returns the seconds spent waiting for images.
    """
    todo = missing(shards)
    if not todo:
        return 0.0
    total, todo_count = (sum(len(shard.image_id) for shard in group) for group in (shards, todo))
    files = {image_id: image_files[image_id] for shard in todo for image_id in shard.image_id}
    sizes = [len(shard.image_id) for shard in todo]
    # A larger batch would keep several shards in memory.
    batch_size = min(options.batch_size, max(sizes))
    batches = images.pixel_batches(files, model.preprocess, batch_size=batch_size, workers=options.workers)
    with progress.bar(what, total=total, done=total - todo_count) as bar:
        waiting = progress.Waiting(batches)
        results = _computed(compute, waiting, model.device, bar)
        with devices.explain_out_of_memory(model.device, batch_size):
            for shard, tensors in zip(todo, _recut(results, sizes), strict=True):
                _check_sum(tensors, model)
                work_files.save_tensors(shard.path, fold(shard.image_id, tensors))
    return waiting.seconds


def _fold_earlier(image_id: list[str], tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Returns the tensors with the earlier layers' contributions, the largest, replaced by moments."""
    rest = dict(tensors)
    earlier = moments.earlier_from(rest.pop(_EARLIER), rest["embedding"], _groups(image_id))
    # The means are rounded to float32, like the contributions. The cross moments are about the exact means.
    earlier = earlier._replace(mean=earlier.mean.float())
    return rest | work_files.named(earlier, _EARLIER)


def _groups(image_id: list[str]) -> Tensor:
    return torch.tensor([moments.group_of(name) for name in image_id])


def _computed(
    compute: Compute, waiting: progress.Waiting, device: torch.device, bar: progress.tqdm
) -> Iterator[dict[str, Tensor]]:
    for ids, pixels in waiting:
        tensors = {name: tensor.cpu() for name, tensor in compute(ids, pixels.to(device)).items()}
        bar.aside = waiting.text()
        # Before the yield: the consumer may stop after the last batch.
        bar.update(_length(tensors))
        yield tensors


def _recut(batches: Iterator[dict[str, Tensor]], sizes: list[int]) -> Iterator[dict[str, Tensor]]:
    """Yields batches regrouped into pieces of `sizes`; at most one piece and one batch are in memory."""
    pending: list[dict[str, Tensor]] = []
    for size in sizes:
        while sum(_length(tensors) for tensors in pending) < size:
            pending.append(next(batches))
        joined = {name: torch.cat([tensors[name] for tensors in pending]) for name in pending[0]}
        yield {name: tensor[:size] for name, tensor in joined.items()}
        pending = [{name: tensor[size:] for name, tensor in joined.items()}]


def _length(tensors: dict[str, Tensor]) -> int:
    return len(next(iter(tensors.values())))


def _check_sum(tensors: dict[str, Tensor], model: clip.Clip) -> None:
    """Raises ModelError unless the contributions of every image sum to its embedding."""
    if "sum_error" in tensors and not float(tensors["sum_error"].max()) <= _LARGEST_ERROR:
        raise ModelError(
            f"{model.spec.name}: contributions miss the embedding by "
            f"{float(tensors['sum_error'].max()):.1e} in {model.precision}, more than {_LARGEST_ERROR:.0e}. "
            + _NEXT_STEPS[model.precision == "float32"]
        )


def _check_against_encode_image(
    model: clip.Clip, plan: decomposition.Plan, image_files: dict[str, images.ImageFile]
) -> None:
    """Compares embeddings of four images with open_clip's, in float32. Raises ModelError.

    The check of the sum cannot detect a wrong forward pass.
    """
    few = dict(list(image_files.items())[:4])
    _, pixels = next(images.pixel_batches(few, model.preprocess, batch_size=4, workers=0))
    pixels = pixels.to(model.device)
    ours = decomposition.decompose(plan, clip.capture(model.exact, pixels, plan.spaces.layers)).embedding
    theirs = torch.nn.functional.normalize(clip.encode_image(model, pixels), dim=-1)
    difference = float((ours - theirs).abs().max())
    if not difference <= _LARGEST_ERROR:
        raise ModelError(
            f"{model.spec.name}: the decomposed forward pass differs from open_clip's by {difference:.1e}. "
            "This model is not decomposed exactly; please report it."
        )


def reduce_moments(shard_plan: ShardPlan, loaded: LoadedModel) -> DecompositionResult:
    """Returns the moments over all images, computed once per model and images."""
    key = work_files.key_of(METHOD_VERSIONS["moments"], [shard.path.name for shard in shard_plan.shards])
    tensors = work_files.load_or_compute(
        loaded.directory / f"moments-{key}.safetensors", lambda: _reduced(shard_plan.shards, loaded.spaces)
    )
    heads = work_files.record_of(Moments, tensors, "Moments")
    components = work_files.record_of(ComponentMoments, tensors, "ComponentMoments")
    largest = float(tensors[_SUM_ERROR])
    return DecompositionResult(shard_plan.shards, shard_plan.gallery, heads, components, largest)


def _reduced(shards: tuple[Shard, ...], spaces: HeadSpaces) -> dict[str, Tensor]:
    """Returns the moments by name, computed in one pass over the shards."""
    total = components = None
    largest = 0.0
    for shard in progress.track(shards, "moments", total=len(shards), unit="shard"):
        tensors, group = read(shard), _groups(shard.image_id)
        parts = Decomposition(*(tensors[name] for name in Decomposition._fields))
        earlier = work_files.record_of(moments.EarlierMoments, tensors, _EARLIER)
        shard_moments = moments.from_coordinates(parts.head, group)
        shard_components = moments.component_from(parts, earlier, spaces, group)
        total = shard_moments if total is None else moments.merge(total, shard_moments)
        components = (
            shard_components if components is None else moments.merge_components(components, shard_components)
        )
        largest = max(largest, float(parts.sum_error.max()))
    assert total is not None and components is not None
    names = work_files.named(total, "Moments") | work_files.named(components, "ComponentMoments")
    return names | {_SUM_ERROR: torch.tensor(largest, dtype=torch.float64)}
