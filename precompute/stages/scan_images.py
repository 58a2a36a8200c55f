"""The image set: lists the files of a source, scans each once, joins attributes.

Scans are resumable chunks of files. Memory holds one short row per file and no pictures. Every process
cuts the same files into the same chunks, so that several processes can share them.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from precompute.inputs import images
from precompute.method.intervals import MIN_IMAGES
from precompute.runtime import progress, work_files
from precompute.runtime.method_versions import METHOD_VERSIONS
from precompute.runtime.part import WHOLE, Part

MIN_DIFFERENT = 2
"""Minimum number of different images of a run: nothing varies over one."""

_CHUNK = 1000
_MEGABYTE = 10**6


class Listing(NamedTuple):
    """The files of a run, not yet opened."""

    gathered: images.SourceListing
    files: list[images.ImageFile]
    """All files of `gathered`, or `limit` of them."""

    chunks: tuple[Path, ...]
    """Work files for the scan results, in the order of `files`, 1,000 files each."""


class ImageSet(NamedTuple):
    """The image set of a run."""

    files: pd.DataFrame
    """One row per readable path: path, image_id, width, height, is_flat."""

    failed: pd.DataFrame
    """One row per unreadable path: path, reason."""

    attributes: pd.DataFrame
    """One row per image_id, attribute, value."""

    chunks: tuple[Path, ...]
    """Work files that hold the thumbnails."""

    image_files: dict[str, images.ImageFile]
    """One file per image, keyed and sorted by image_id: the first path with these bytes."""

    name: str
    """Name of the image set."""

    flat: int
    """Number of images that use less than a tenth of their range."""

    notes: tuple[str, ...]
    """Origins of attributes, and the limit on files if any; one phrase each."""

    def thumbnails(self) -> Iterator[pd.DataFrame]:
        """Yields the table `image` chunk by chunk, every image once."""
        seen: set[str] = set()
        for chunk in self.chunks:
            rows = work_files.load_table(chunk)
            rows = rows[rows.reason.isna() & ~rows.image_id.isin(seen)].drop_duplicates("image_id")
            seen.update(rows.image_id)
            yield rows[["image_id", "width", "height", "thumbnail"]].astype({"width": int, "height": int})


def list_files(
    source: Path,
    directory: Path,
    *,
    thumbnails: bool,
    class_folders: bool = True,
    captions: bool = False,
    limit: int | None = None,
) -> Listing:
    """Lists the files of `source`; opens only tars. Raises ImagesError."""
    gathered = _gather(source, directory, class_folders=class_folders, captions=captions)
    files = images.evenly(gathered.files, limit or len(gathered.files))
    return Listing(gathered, files, _chunk_paths(files, directory, thumbnails=thumbnails))


def unread(listing: Listing) -> list[int]:
    """Returns the places in `chunks` that are not scanned yet."""
    # One directory listing: a lookup for every chunk is slow over a network.
    names = {path.name for path in listing.chunks[0].parent.glob("*.parquet")}
    return [place for place, path in enumerate(listing.chunks) if path.name not in names]


def image_files(listing: Listing, source: Path) -> dict[str, images.ImageFile]:
    """Returns one file per image, keyed and sorted by image_id. Needs a complete scan. Raises ImagesError."""
    files, _ = _outcome(listing, source)
    return _image_files(listing.files, files)


def load_image_set(listing: Listing, source: Path, metadata: Path | None) -> ImageSet:
    """Returns the image set of scanned files, with their attributes. Raises ImagesError."""
    gathered = listing.gathered
    if gathered.others:
        progress.say(f"ignored in {source}: {images.other_kinds(gathered.others)}.")
    stated = images.join_metadata(gathered, metadata)
    if stated.unlisted and not _limited(listing):
        progress.say(f"{stated.unlisted} image files have no row in {metadata}.")

    files, failed = _outcome(listing, source)
    attributes, by_id = _attributes(stated.attributes, files), _image_files(listing.files, files)
    flat = int(files.drop_duplicates("image_id")["is_flat"].sum())
    notes = (*_limited(listing), *stated.origins)
    return ImageSet(files, failed, attributes, listing.chunks, by_id, gathered.name, flat, notes)


def _outcome(listing: Listing, source: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns `ImageSet.files` and `ImageSet.failed`. Raises ImagesError if no file is readable."""
    columns = ["path", "image_id", "width", "height", "is_flat", "reason"]
    rows = pd.concat([work_files.load_table(path, columns) for path in listing.chunks], ignore_index=True)
    unreadable = rows.reason.notna()
    source_failures = pd.DataFrame(listing.gathered.failed, columns=["path", "reason"], dtype=object)
    files = rows[~unreadable].drop(columns="reason")
    failed = pd.concat([rows.loc[unreadable, ["path", "reason"]], source_failures], ignore_index=True)
    if files.empty:
        raise images.ImagesError(
            f"none of the {len(failed)} image files in {source} could be read; "
            f"the first, {failed.path.iloc[0]}: {failed.reason.iloc[0]}."
        )
    if (count := files.image_id.nunique()) < MIN_DIFFERENT:
        raise images.ImagesError(
            f"{source} holds {count} image in {len(files):,} files, but heads are described by how images "
            f"differ. Give {MIN_DIFFERENT} different ones or more; {MIN_IMAGES} for intervals and ranks."
        )
    return files, failed


def _limited(listing: Listing) -> list[str]:
    total, count = len(listing.gathered.files), len(listing.files)
    return [f"spread evenly over {total:,} files (--limit)"] if count < total else []


def _gather(source: Path, directory: Path, *, class_folders: bool, captions: bool) -> images.SourceListing:
    with progress.counted("looking for images") as advance:
        return images.gather(
            source,
            class_folders=class_folders,
            captions=captions,
            indexes=lambda tars: _indexes(tars, directory, captions),
            advance=advance,
        )


def _indexes(tars: Sequence[images.ImageFile], directory: Path, captions: bool) -> Iterator[images.TarIndex]:
    """Yields the index of each tar: read once, then kept in a work file."""
    stamps = [_stamp(tar.path) for tar in tars]
    total = sum(max(0, size) for size, _ in stamps) // _MEGABYTE
    with progress.counted("indexing tars", total=total, unit="MB", scale=_MEGABYTE) as advance:
        for tar, stamp in zip(tars, stamps, strict=True):
            key = work_files.key_of(METHOD_VERSIONS["images"], captions, str(tar.path.resolve()), stamp)
            path = directory / "tars" / f"{key}.json"
            if path.exists():
                advance(stamp[0])
            text = work_files.load_or_compute_text(path, partial(_index_text, tar.path, captions, advance))
            yield images.index_from(text)


def _index_text(tar: Path, captions: bool, advance: Callable[[int], None]) -> str:
    return images.index_text(images.index(tar, captions=captions, advance=advance))


def _cut(files: list[images.ImageFile]) -> list[list[images.ImageFile]]:
    return [files[start : start + _CHUNK] for start in range(0, len(files), _CHUNK)]


def _chunk_paths(files: list[images.ImageFile], directory: Path, *, thumbnails: bool) -> tuple[Path, ...]:
    """Returns the paths of the work files for the scan results, one per chunk."""
    chunks = _cut(files)
    tars: dict[Path, tuple[int, int]] = {}
    keys = []
    with progress.counted("listing files", total=len(files)) as advance:
        for chunk in chunks:
            listing = [(file.relative, *_state(file, tars), file.offset, file.size) for file in chunk]
            keys.append(work_files.key_of(METHOD_VERSIONS["images"], thumbnails, listing))
            advance(len(chunk))
    return tuple(directory / "scan" / f"{key}.parquet" for key in keys)


def _state(file: images.ImageFile, tars: dict[Path, tuple[int, int]]) -> tuple[int, int]:
    """Returns the stamp of a file, or of the tar that contains it; reads the status of every tar once."""
    if file.offset is None:
        return _stamp(file.path)
    if file.path not in tars:
        tars[file.path] = _stamp(file.path)
    return tars[file.path]


def _image_files(image_files: list[images.ImageFile], files: pd.DataFrame) -> dict[str, images.ImageFile]:
    by_path = {file.relative: file for file in image_files}
    first = files.drop_duplicates("image_id").sort_values("image_id")
    return {image_id: by_path[path] for image_id, path in zip(first.image_id, first.path, strict=True)}


def _stamp(path: Path) -> tuple[int, int]:
    """Returns size and modification time; (-1, -1) if unavailable, e.g. a broken link: the scan says why."""
    try:
        status = path.stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


def scan(listing: Listing, *, workers: int, thumbnails: bool, part: Part = WHOLE) -> None:
    """Scans the files of a part that are not scanned yet, and writes the results to work files."""
    chunks, paths = _cut(listing.files), listing.chunks
    part_chunks = [number for number in range(len(chunks)) if part.takes(number)]
    missing = [number for number in part_chunks if not is_settled(paths[number])]
    total = sum(len(chunks[number]) for number in part_chunks)
    done = total - sum(len(chunks[number]) for number in missing)
    if not missing:
        return
    with progress.bar("reading images", total=total, done=done) as bar:
        unscanned = [file for number in missing for file in chunks[number]]
        results = images.scan(unscanned, workers=workers, thumbnails=thumbnails)
        for number in missing:
            rows = []
            for _ in chunks[number]:
                rows.append(_row(next(results)))
                bar.update()
            columns = ["path", "image_id", "width", "height", "thumbnail", "is_flat", "reason"]
            work_files.save_table(paths[number], pd.DataFrame(rows, columns=columns))


def is_settled(path: Path) -> bool:
    """Returns True if a chunk is scanned and none of its files failed for a reason that may be temporary.

    A damaged chunk is not settled; other work files are always settled.
    """
    if not path.exists():
        return False
    if path.suffix != ".parquet":
        return True
    try:
        reason = work_files.load_table(path, ["reason"]).reason.dropna()
    except work_files.DamagedFile:
        return False
    return not reason.str.startswith("cannot be opened").any()


def _row(result: images.ScannedImage | images.Failed) -> tuple:
    if isinstance(result, images.Failed):
        return (result.relative, None, None, None, None, None, result.reason)
    return (*result, None)


def _attributes(stated: list[images.Attribute], files: pd.DataFrame) -> pd.DataFrame:
    """Returns attributes of files as attributes of images."""
    rows = pd.DataFrame(stated, columns=["path", "attribute", "value"], dtype=object)
    joined = rows.merge(files[["path", "image_id"]], on="path")
    return joined[["image_id", "attribute", "value"]].drop_duplicates()
