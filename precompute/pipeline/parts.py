"""The parts of a run: each reads and decomposes its share of the images; `merge` makes the bundle of all.

Processes share only work files, whose names are hashes of everything that they depend on. Parts first read
all files, which defines the image set, and then decompose the images.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from db.atomic_directory import check_free
from precompute.inputs import model_specs
from precompute.pipeline import run, setup
from precompute.runtime import progress, work_files
from precompute.runtime.config import Config
from precompute.runtime.part import WHOLE, NotYet, Part, PartError, lacking
from precompute.stages import check_precision, decompose_images, scan_images

_PIECES = (
    "scan/*.parquet",
    "model-*/rounding/*.safetensors",
    "model-*/images/*.safetensors",
    "model-*/gallery/*.safetensors",
)
"""Work files of parts, relative to a work directory."""

_SAME_BASIS = 1e-4
"""Maximum difference of two bases by rounding; a rotated direction differs by more."""

_SECONDS_BETWEEN = 2.0
"""Seconds between two checks of a part that waits for others."""

_SECONDS_QUIET = 30.0
"""Minimum seconds between two messages."""

_SAME = (
    "All must be given the same options, see the same images, last changed at the same times, and below "
    "float32 run on one kind of device."
)


def run_part(config: Config, part: Part, *, wait: bool = True, alone: bool = False) -> None:
    """Reads the files of a part and, once all parts have read theirs, decomposes its images for every model.

    `alone` reads all files here, for a work directory that no other part writes.

    Raises:
        NotYet: other parts have not read their files, and `wait` is False.
        StoreError, ConfigError, ModelError, ImagesError, WorkError: with what to do about it.
    """
    check_free(config.bundle, replace=config.replace)
    config = setup.ready(config)
    name = f"part-{part.number}-of-{part.of}"
    with work_files.shared(setup.work_directory(config.bundle), name) as directory:
        listing = setup.scan(config, directory, WHOLE if alone else part)
        _await_others(listing, part, wait)
        decompose_part(config, listing, directory, part)
    progress.say(f"done: part {part}. When all are: headlight merge --parts {part.of} ...")


def check_read(listing: scan_images.Listing, of: int) -> None:
    """Raises NotYet unless all parts have read their files."""
    if places := scan_images.unread(listing):
        raise NotYet(
            f"{len(places):,} of {len(listing.chunks):,} pieces of 1,000 files are not read yet: "
            f"{lacking(places, of)}. {_SAME}"
        )


def decompose_part(config: Config, listing: scan_images.Listing, directory: Path, part: Part) -> None:
    """Decomposes the images of a part for every model, once all files are read. Raises ModelError."""
    image_files = scan_images.image_files(listing, config.images)
    for spec in setup.specs(config):
        progress.say(f"loading {spec.name}")
        loaded = setup.load(spec, config, directory)
        check_precision.decompose_sample(loaded, image_files, config.read_options, part)
        todo = decompose_images.plan_shards(
            loaded, list(image_files), config.shard_size, config.gallery_limits
        )
        decompose_images.write_missing_shards(loaded.model, todo, image_files, config.read_options, part)


def merge(config: Config, *, parts: int | None = None, others: Sequence[Path] = ()) -> Path:
    """Makes the bundle from the work files of all parts; returns its path. Raises UserError."""
    with setup.exclusive_run(config) as (config, directory):
        image_set = collect_parts(config, directory, parts=parts, others=others)
        return run.build_bundle(config, image_set, directory)


def collect_parts(
    config: Config, directory: Path, *, parts: int | None = None, others: Sequence[Path] = ()
) -> scan_images.ImageSet:
    """Collects every piece in the work directory, some from others; returns the image set. Computes nothing.

    Raises:
        PartError: pieces are missing; names the parts if `parts` is set.
    """
    for other in others:
        _import_directory(other, directory)
    listing = setup.list_files(config, directory)
    _check_complete(
        scan_images.unread(listing), len(listing.chunks), f"of the files in {config.images}", parts
    )
    image_ids = list(scan_images.image_files(listing, config.images))
    specs = setup.specs(config)
    lists = [shards for spec in specs for shards in _pieces(spec, image_ids, directory, config)]
    missing = [place for shards in lists for place, shard in enumerate(shards) if not shard.path.exists()]
    total = sum(len(shards) for shards in lists)
    _check_complete(missing, total, f"of {', '.join(spec.name for spec in specs)}", parts)
    return scan_images.load_image_set(listing, config.images, config.metadata)


def _await_others(listing: scan_images.Listing, part: Part, wait: bool) -> None:
    """Returns when all parts have read their files. Raises NotYet without `wait`."""
    message, last_time = "", float("-inf")
    while True:
        try:
            return check_read(listing, part.of)
        except NotYet as error:
            if not wait:
                raise NotYet(f"{error} Run the same command again when they have.") from None
            if str(error) != message and time.monotonic() - last_time > _SECONDS_QUIET:
                message, last_time = str(error), time.monotonic()
                progress.say(f"waiting: {message}")
        time.sleep(_SECONDS_BETWEEN)


def _pieces(
    spec: model_specs.ModelSpec, image_ids: list[str], directory: Path, config: Config
) -> tuple[tuple[decompose_images.Shard, ...], ...]:
    """Shards of one model, by kind; parts take shards of each kind in turn."""
    loaded = setup.load(spec, config, directory)
    todo = decompose_images.plan_shards(loaded, image_ids, config.shard_size, config.gallery_limits)
    return todo.shards, todo.gallery, check_precision.sample_shards(loaded, image_ids)


def _check_complete(missing: list[int], total: int, of_what: str, parts: int | None) -> None:
    """Raises PartError if pieces are missing."""
    if not missing:
        return
    names = f": {lacking(missing, parts)}" if parts else ""
    advice = "" if parts else " With --parts N it says which of N parts lack them."
    raise PartError(
        f"{len(missing):,} of {total:,} pieces {of_what} are missing{names}. Do these parts again, or `run`, "
        f"which makes what is missing.{advice} {_SAME}"
    )


def _import_directory(other: Path, directory: Path) -> None:
    """Imports the pieces of another work directory. Raises PartError if there are none."""
    pieces = [path for pattern in _PIECES for path in other.glob(pattern)]
    if not pieces:
        raise PartError(f"--from {other} holds no work files. Give a work directory: .NAME.work, for NAME.")
    cut = [path for path in pieces if not _import_piece(path, directory / path.relative_to(other))]
    for path in other.glob(f"model-*/{setup.SPACES}"):
        _import_spaces(path, directory / path.relative_to(other), other)
    left_out = f", {len(cut):,} left out that are damaged: {cut[0]} ..." if cut else ""
    progress.say(f"{len(pieces) - len(cut):,} pieces from {other}{left_out}")


def _import_piece(source: Path, target: Path) -> bool:
    """Imports one piece unless it exists; a settled scan replaces an unsettled one."""
    better = target.exists() and not scan_images.is_settled(target) and scan_images.is_settled(source)
    return work_files.import_file(source, target, replace=better)


def _import_spaces(source: Path, target: Path, other: Path) -> None:
    """Imports the bases of a model. Raises PartError if this directory has others."""
    work_files.import_file(source, target)
    basis, other_basis = (work_files.load_tensors(path)["basis"] for path in (target, source))
    if basis.shape != other_basis.shape or float((basis - other_basis).abs().max()) > _SAME_BASIS:
        raise PartError(
            f"--from {other}: its heads have other bases ({source.parent.name}/{source.name}), for another "
            "machine computed them in another way. Copy that file into the work directories of all parts, "
            "remove the other files beside it, and do the parts again."
        )
