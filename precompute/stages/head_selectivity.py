"""Selectivity of every head for every attribute, over the work files of all images, with intervals.

`method.selectivity` has the formula. This module computes it from sums: the count and the sum of y for every
group of images and every value. ε² follows from them, for all images and for any half of the groups.
The sums fill at most `SUM_BYTES`: with too many heads or attributes, the files are read several times.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method import intervals, moments, resampling, rounding
from precompute.method.types import HeadSpaces
from precompute.runtime import progress, work_files
from precompute.runtime.config import HeadOptions
from precompute.runtime.method_versions import METHOD_VERSIONS
from precompute.stages import decompose_images

MAX_VALUES = 1000
"""Maximum values of an attribute. One with more identifies images, not their content: it is omitted."""

SUM_BYTES = 512_000_000
"""Memory limit of the sums of one pass over the files. The sums of one head are always kept: at most
64 groups x 1,000 values x rank 72 x 8 bytes = 37 MB."""

HALVES = 50
"""Halves evaluated at once: 1,000 values x rank 72 x 8 bytes each."""


class _Attribute(NamedTuple):
    name: str
    code: dict[str, int]
    """Index of the value, by image_id; only images with exactly one value."""

    values: int


class _Sums(NamedTuple):
    """Sums over the images of one attribute, for some heads, of coordinates minus `shift`. float64."""

    image_count: Int[Tensor, "group value"]
    total: Float[Tensor, "group value head rank"]
    square: Float[Tensor, "group head"]
    """Sum of squared lengths."""

    shift: Float[Tensor, "head rank"]
    """Close to the mean, so that subtracting means loses little precision."""


def rows(
    shards: Sequence[decompose_images.Shard],
    attributes: pd.DataFrame,
    spaces: HeadSpaces,
    options: HeadOptions,
    directory: Path,
    *,
    sum_bytes: int = SUM_BYTES,
) -> pd.DataFrame:
    """Returns the table head_selectivity without the model: layer, head, attribute, value, low, high, images.

    `attributes` has one row for each image_id, attribute and value. Only images with exactly one value of an
    attribute count. The value is null where all images have the same one, or where there are more values than
    half of the images. The interval is null there, without replicates, and under 640 images. Intervals use
    `options.replicates` random halves of the image groups, which all heads, models and other replicates of
    this seed share. The result of each pass over the files is kept in `directory`, which is of one model.
    """
    selected = _select(attributes, {image_id for shard in shards for image_id in shard.image_id})
    masks = _halves(shards, options.replicates, options.seed)
    layers, heads, rank, _ = spaces.basis.shape
    tables = []
    for pack in _packs(selected):
        values = sum(attribute.values for attribute in pack)
        size = max(1, sum_bytes // (moments.GROUPS * values * rank * 8))
        for start in range(0, layers * heads, size):
            block = range(start, min(start + size, layers * heads))
            compute = partial(_block, shards, pack, block, masks)
            path = directory / f"selectivity-{_key(shards, pack, block, masks)}.parquet"
            tables.append(work_files.load_or_compute_table(path, compute))
    table = pd.concat([_typed([]), *tables], ignore_index=True)
    table.insert(0, "layer", [spaces.layers[number // heads] for number in table["head"]])
    table["head"] %= heads
    return table.sort_values(["layer", "head", "attribute"], ignore_index=True)


def _block(
    shards: Sequence[decompose_images.Shard],
    pack: Sequence[_Attribute],
    heads: range,
    masks: Bool[Tensor, "replicate group"],
) -> pd.DataFrame:
    """Returns the rows of some heads, numbered through all layers, from one pass over the files."""
    rows = [
        (head, attribute.name, *_score(sums, place, masks), len(attribute.code))
        for attribute, sums in zip(pack, _sum(shards, pack, heads), strict=True)
        for place, head in enumerate(heads)
    ]
    return _typed(rows)


def _typed(rows: list[tuple]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["head", "attribute", "value", "low", "high", "images"])
    ints = dict.fromkeys(["head", "images"], "int64")
    return table.astype(ints | dict.fromkeys(["value", "low", "high"], "Float64") | {"attribute": "object"})


def _key(
    shards: Sequence[decompose_images.Shard],
    pack: Sequence[_Attribute],
    heads: range,
    masks: Bool[Tensor, "replicate group"],
) -> str:
    """Returns a hash of everything that a block depends on, except the model: a directory is of one."""
    halves = work_files.hash_of_tensors(masks.to(torch.uint8))
    names = [shard.path.name for shard in shards]
    return work_files.key_of(
        METHOD_VERSIONS["selectivity"], names, pack, [heads.start, heads.stop], list(masks.shape), halves
    )


def _select(attributes: pd.DataFrame, image_ids: set[str]) -> list[_Attribute]:
    """Returns the attributes sorted by name; prints which have too many values."""
    attributes = attributes[attributes["image_id"].isin(image_ids)]
    selected = []
    for name, rows in attributes.groupby("attribute", sort=True):
        single = rows.drop_duplicates(["image_id", "value"]).drop_duplicates("image_id", keep=False)
        code, values = pd.factorize(single["value"], sort=True)
        if len(values) > MAX_VALUES:
            progress.say(
                f"no selectivity for {name}: it has {len(values):,} values, more than {MAX_VALUES:,}. "
                "Give a coarser attribute to learn what goes with it."
            )
        elif len(values):
            codes = dict(zip(single["image_id"], code.tolist(), strict=True))
            selected.append(_Attribute(str(name), codes, len(values)))
    return selected


def _packs(attributes: Sequence[_Attribute]) -> Iterator[list[_Attribute]]:
    """Yields the attributes to sum in one pass: together they have at most `MAX_VALUES` values."""
    pack: list[_Attribute] = []
    for attribute in attributes:
        if sum(other.values for other in pack) + attribute.values > MAX_VALUES:
            yield pack
            pack = []
        pack.append(attribute)
    if pack:
        yield pack


def _halves(
    shards: Sequence[decompose_images.Shard], replicates: int, seed: int
) -> Bool[Tensor, "replicate group"]:
    groups = [moments.group_of(image_id) for shard in shards for image_id in shard.image_id]
    image_count = torch.bincount(torch.tensor(groups, dtype=torch.long), minlength=moments.GROUPS)
    no_texts = torch.zeros(0, 0, dtype=torch.bool)
    return resampling.halves(image_count, no_texts, count=replicates, seed=seed).groups


def _sum(shards: Sequence[decompose_images.Shard], pack: Sequence[_Attribute], heads: range) -> list[_Sums]:
    """Returns the sums of some heads for every attribute, in one pass over the files."""
    names = ", ".join(attribute.name for attribute in pack[:3]) + (", ..." if len(pack) > 3 else "")
    sums: list[_Sums] = []
    for shard in progress.track(shards, f"selectivity: {names}", total=len(shards), unit="shard"):
        y = decompose_images.read(shard)["head"].flatten(1, 2)[:, heads.start : heads.stop].double()
        sums = sums or [_empty(attribute.values, y.mean(dim=0)) for attribute in pack]
        group = torch.tensor([moments.group_of(image_id) for image_id in shard.image_id])
        for attribute, attribute_sums in zip(pack, sums, strict=True):
            code = torch.tensor([attribute.code.get(image_id, -1) for image_id in shard.image_id])
            _add(attribute_sums, y, group, code)
    return sums


def _empty(values: int, shift: Float[Tensor, "head rank"]) -> _Sums:
    count = torch.zeros(moments.GROUPS, values, dtype=torch.long)
    total = shift.new_zeros(moments.GROUPS, values, *shift.shape)
    return _Sums(count, total, shift.new_zeros(moments.GROUPS, len(shift)), shift)


def _add(
    sums: _Sums,
    y: Float[Tensor, "image head rank"],
    group: Int[Tensor, " image"],
    code: Int[Tensor, " image"],
) -> None:
    """Adds the images whose code is not -1, in place."""
    has_value = code >= 0
    y, group, code = y[has_value] - sums.shift, group[has_value], code[has_value]
    cell = group * sums.image_count.shape[1] + code
    sums.image_count.view(-1).index_add_(0, cell, torch.ones_like(cell))
    sums.total.flatten(0, 1).index_add_(0, cell, y)
    sums.square.index_add_(0, group, y.square().sum(dim=-1))


def _score(
    sums: _Sums, head: int, masks: Bool[Tensor, "replicate group"]
) -> tuple[float | None, float | None, float | None]:
    """Returns ε² of one head over all images, and the ends of its interval."""
    images, values = int(sums.image_count.sum()), int((sums.image_count.sum(dim=0) > 0).sum())
    if not 1 < values <= images / 2:
        return None, None, None
    value = float(_epsilon_squared(sums, head, torch.ones(1, moments.GROUPS, dtype=torch.bool)))
    if images < intervals.MIN_IMAGES or not len(masks):
        return value, None, None
    halves = torch.cat([_epsilon_squared(sums, head, part) for part in masks.split(HALVES)])
    return value, *intervals.interval(value, halves, maximum=1.0)


def _epsilon_squared(sums: _Sums, head: int, masks: Bool[Tensor, "mask group"]) -> Float[Tensor, " mask"]:
    """Returns ε² of one head over the groups of each mask; NaN where it is not defined."""
    weight = masks.double()
    count = weight @ sums.image_count.double()  # [mask, value]
    y_sum = sums.total[:, :, head]
    total = (weight @ y_sum.reshape(len(y_sum), -1)).unflatten(1, y_sum.shape[1:])  # [mask, value, rank]
    square = weight @ sums.square[:, head]
    images, values = count.sum(dim=-1), (count > 0).sum(dim=-1)
    mean = total.sum(dim=1) / images.clamp(min=1)[:, None]
    common = mean.square().sum(dim=-1) * images
    spread = square - common
    between = (torch.linalg.vector_norm(total, dim=-1).square() / count.clamp(min=1)).sum(dim=-1) - common
    variance = spread / images
    mean_square = variance + (mean + sums.shift[head]).square().sum(dim=-1)
    varies = rounding.varies(variance, mean_square)
    eta = between / spread
    epsilon = (eta - (1 - eta) * (values - 1) / (images - values)).where(varies, 0)
    return epsilon.where((values > 1) & (values < images), torch.nan)
