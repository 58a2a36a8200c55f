"""Selectivity of every head for every known attribute, over the work files of all images, with intervals.

`method.selectivity` has the formula. Here it is computed from sums: of every group of images and every value,
the count and the sum of y are kept; the rest of ε² follows, for all images and for any half of the groups.
These sums fill at most `SUM_BYTES`: where heads or attributes are too many, the files are read several times.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method import intervals, moments, resampling
from precompute.method.selectivity import SAME
from precompute.method.types import HeadSpaces
from precompute.runtime import progress, work_files
from precompute.runtime.config import HeadOptions
from precompute.runtime.method_versions import METHOD_VERSIONS
from precompute.stages import decompose_images

MAX_VALUES = 1000
"""An attribute with more values is left out: it names images rather than what is in them."""

SUM_BYTES = 512_000_000
"""What the sums of one pass over the files may fill; those of one head are held in any case, which are
64 groups x 1,000 values x rank 72 x 8 bytes = 37 MB at most."""

HALVES = 50
"""Halves evaluated at once: 1,000 values x rank 72 x 8 bytes each."""


class _Attribute(NamedTuple):
    name: str
    code: dict[str, int]
    """Of every image with exactly one value, by image_id: the number of its value."""

    values: int


class _Sums(NamedTuple):
    """Sums over the images of one attribute, for some heads. Coordinates count from `shift`. float64."""

    image_count: Int[Tensor, "group value"]
    total: Float[Tensor, "group value head rank"]
    square: Float[Tensor, "group head"]
    """Sum of squared lengths."""

    shift: Float[Tensor, "head rank"]
    """Near the mean, so that little is lost when means are taken out."""


def rows(
    shards: Sequence[decompose_images.Shard],
    attributes: pd.DataFrame,
    spaces: HeadSpaces,
    options: HeadOptions,
    directory: Path | None = None,
    *,
    sum_bytes: int = SUM_BYTES,
) -> pd.DataFrame:
    """Rows of the table head_selectivity, less the model: layer, head, attribute, value, low, high, images.

    `attributes` has one row for each image_id, attribute and value. Of every attribute the images count that
    have exactly one value. The value is null where all have the same one, or there are more values than half
    of the images; the interval is null there, without replicates, and under 640 images. Intervals are of 200
    random halves of the image groups, the same for every head and model, and the same as those of all other
    replicates of this seed. Each reading of the files is kept in `directory`, which is of one model.
    """
    known = _known(attributes, {one for shard in shards for one in shard.image_id})
    held = _halves(shards, options.replicates, options.seed)
    layers, heads, rank, _ = spaces.basis.shape
    found = []
    for pack in _packs(known):
        values = sum(one.values for one in pack)
        block = max(1, sum_bytes // (moments.GROUPS * values * rank * 8))
        for first in range(0, layers * heads, block):
            own = range(first, min(first + block, layers * heads))
            compute = partial(_block, shards, pack, own, held)
            path = directory / f"selectivity-{_key(shards, pack, own, held)}.parquet" if directory else None
            found.append(work_files.load_or_compute_table(path, compute) if path else compute())
    table = pd.concat([_typed([]), *found], ignore_index=True)
    table.insert(0, "layer", [spaces.layers[number // heads] for number in table["head"]])
    table["head"] %= heads
    return table.sort_values(["layer", "head", "attribute"], ignore_index=True)


def _block(
    shards: Sequence[decompose_images.Shard],
    pack: Sequence[_Attribute],
    own: range,
    held: Bool[Tensor, "replicate group"],
) -> pd.DataFrame:
    """Rows of some heads, counted through all layers, from one pass over the files."""
    return _typed([*_scores(_sum(shards, pack, own), pack, own, held)])


def _typed(rows: list[tuple]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["head", "attribute", "value", "low", "high", "images"])
    whole = dict.fromkeys(["head", "images"], "int64")
    return table.astype(whole | dict.fromkeys(["value", "low", "high"], "Float64") | {"attribute": "object"})


def _key(
    shards: Sequence[decompose_images.Shard],
    pack: Sequence[_Attribute],
    own: range,
    held: Bool[Tensor, "replicate group"],
) -> str:
    """Hash of everything that a block depends on but the model, whose directory it lies in."""
    halves = work_files.hash_of_tensors(held.to(torch.uint8))
    of_images = [shard.path.name for shard in shards]
    return work_files.key_of(
        METHOD_VERSIONS["selectivity"], of_images, pack, [own.start, own.stop], list(held.shape), halves
    )


def _known(attributes: pd.DataFrame, image_ids: set[str]) -> list[_Attribute]:
    """Attributes in the order of their names; what is left out is said."""
    attributes = attributes[attributes["image_id"].isin(image_ids)]
    found = []
    for name, mine in attributes.groupby("attribute", sort=True):
        single = mine.drop_duplicates(["image_id", "value"]).drop_duplicates("image_id", keep=False)
        code, values = pd.factorize(single["value"], sort=True)
        if len(values) > MAX_VALUES:
            progress.say(
                f"no selectivity for {name}: it has {len(values):,} values, more than {MAX_VALUES:,}. "
                "Give a coarser attribute to learn what goes with it."
            )
        elif len(values):
            codes = dict(zip(single["image_id"], code.tolist(), strict=True))
            found.append(_Attribute(str(name), codes, len(values)))
    return found


def _packs(known: Sequence[_Attribute]) -> Iterator[list[_Attribute]]:
    """Attributes that are summed in one pass: as many as have `MAX_VALUES` values together."""
    pack: list[_Attribute] = []
    for one in known:
        if sum(other.values for other in pack) + one.values > MAX_VALUES:
            yield pack
            pack = []
        pack.append(one)
    if pack:
        yield pack


def _halves(
    shards: Sequence[decompose_images.Shard], replicates: int, seed: int
) -> Bool[Tensor, "replicate group"]:
    group = [moments.group_of(image_id) for shard in shards for image_id in shard.image_id]
    images = torch.bincount(torch.tensor(group, dtype=torch.long), minlength=moments.GROUPS)
    no_texts = torch.zeros(0, 0, dtype=torch.bool)
    return resampling.halves(images, no_texts, count=replicates, seed=seed).groups


def _sum(shards: Sequence[decompose_images.Shard], pack: Sequence[_Attribute], heads: range) -> list[_Sums]:
    """Sums of some heads for every attribute, in one pass over the files."""
    names = ", ".join(one.name for one in pack[:3]) + (", ..." if len(pack) > 3 else "")
    sums: list[_Sums] = []
    for shard in progress.track(shards, f"selectivity: {names}", total=len(shards), unit="shard"):
        y = decompose_images.read(shard)["head"].flatten(1, 2)[:, heads.start : heads.stop].double()
        sums = sums or [_empty(one.values, y.mean(dim=0)) for one in pack]
        group = torch.tensor([moments.group_of(image_id) for image_id in shard.image_id])
        for attribute, mine in zip(pack, sums, strict=True):
            code = torch.tensor([attribute.code.get(image_id, -1) for image_id in shard.image_id])
            _add(mine, y, group, code)
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
    """Add the images whose code is not -1, in place."""
    mine = code >= 0
    y, group, code = y[mine] - sums.shift, group[mine], code[mine]
    cell = group * sums.image_count.shape[1] + code
    sums.image_count.view(-1).index_add_(0, cell, torch.ones_like(cell))
    sums.total.flatten(0, 1).index_add_(0, cell, y)
    sums.square.index_add_(0, group, y.square().sum(dim=-1))


def _scores(
    sums: Sequence[_Sums], pack: Sequence[_Attribute], heads: range, held: Bool[Tensor, "replicate group"]
) -> Iterator[tuple[int, str, float | None, float | None, float | None, int]]:
    """Head, attribute, value, low, high and images."""
    for attribute, mine in zip(pack, sums, strict=True):
        for place, head in enumerate(heads):
            yield head, attribute.name, *_score(mine, place, held), len(attribute.code)


def _score(
    sums: _Sums, head: int, held: Bool[Tensor, "replicate group"]
) -> tuple[float | None, float | None, float | None]:
    """ε² of one head over all images, and the ends of its interval."""
    images, values = int(sums.image_count.sum()), int((sums.image_count.sum(dim=0) > 0).sum())
    if not 1 < values <= images / 2:
        return None, None, None
    value = float(_over(sums, head, torch.ones(1, moments.GROUPS, dtype=torch.bool)))
    if images < intervals.MIN_IMAGES or not len(held):
        return value, None, None
    halves = torch.cat([_over(sums, head, part) for part in held.split(HALVES)])
    return value, *intervals.interval(value, halves, maximum=1.0)


def _over(sums: _Sums, head: int, held: Bool[Tensor, "list group"]) -> Float[Tensor, " list"]:
    """ε² of one head over each choice of groups; NaN where it is not defined."""
    weight = held.double()
    count = weight @ sums.image_count.double()  # [list, value]
    own = sums.total[:, :, head]
    total = (weight @ own.reshape(len(own), -1)).unflatten(1, own.shape[1:])  # [list, value, rank]
    square = weight @ sums.square[:, head]
    images, values = count.sum(dim=-1), (count > 0).sum(dim=-1)
    mean = total.sum(dim=1) / images.clamp(min=1)[:, None]
    common = mean.square().sum(dim=-1) * images
    spread = square - common
    between = (torch.linalg.vector_norm(total, dim=-1).square() / count.clamp(min=1)).sum(dim=-1) - common
    variance = spread / images
    varies = variance > SAME * (variance + (mean + sums.shift[head]).square().sum(dim=-1))
    eta = between / spread
    found = (eta - (1 - eta) * (values - 1) / (images - values)).where(varies, 0)
    return found.where((values > 1) & (values < images), torch.nan)
