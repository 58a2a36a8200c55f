"""Images in: which there are, what their bytes are, which cannot be read.

Reads every file once, in resumable chunks; what is kept in memory is one short row a file, never a picture.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from precompute import images, progress, work
from precompute.config import METHOD_VERSION

_CHUNK = 1000


class Intake(NamedTuple):
    """The image set of a run."""

    files: pd.DataFrame
    """One row per readable path: path, image_id, width, height."""

    failed: pd.DataFrame
    """One row per unreadable path: path, reason."""

    attributes: pd.DataFrame
    """One row per image_id, attribute, value."""

    chunks: tuple[Path, ...]
    """Work files that hold the thumbnails."""

    distinct: dict[str, images.ImageFile]
    """One file per image, by image_id, sorted by it: the first path that holds these bytes."""

    def thumbnails(self) -> Iterator[pd.DataFrame]:
        """Rows of the table `image`, chunk by chunk, every image once."""
        seen: set[str] = set()
        for chunk in self.chunks:
            rows = work.load_table(chunk)
            rows = rows[rows.reason.isna() & ~rows.image_id.isin(seen)].drop_duplicates("image_id")
            seen.update(rows.image_id)
            yield rows[["image_id", "width", "height", "thumbnail"]].astype({"width": int, "height": int})


def read(folder: Path, metadata: Path | None, directory: Path, *, workers: int, thumbnails: bool) -> Intake:
    """Scan `folder`, going on from an earlier scan of the same files.

    Raises:
        ImagesError: no folder, no images in it, none readable, or a metadata file that does not fit.
    """
    found, others = images.survey(folder)
    if others:
        progress.say(f"ignored in {folder}: {images.other_kinds(others)}.")
    listing = [(file.relative, *_stamp(file.path)) for file in found]
    scan = directory / f"scan-{work.key_of(METHOD_VERSION, listing, thumbnails)}"
    chunks = [found[start : start + _CHUNK] for start in range(0, len(found), _CHUNK)]
    paths = tuple(scan / f"{number:06d}.parquet" for number in range(len(chunks)))
    _scan_missing(chunks, paths, workers=workers, thumbnails=thumbnails)

    columns = ["path", "image_id", "width", "height", "reason"]
    rows = pd.concat([pd.read_parquet(path, columns=columns) for path in paths], ignore_index=True)
    bad = rows.reason.notna()
    files, failed = rows[~bad].drop(columns="reason"), rows.loc[bad, ["path", "reason"]]
    if files.empty:
        raise images.ImagesError(
            f"none of the {len(failed)} image files in {folder} could be read; "
            f"the first, {failed.path.iloc[0]}: {failed.reason.iloc[0]}."
        )
    return Intake(files, failed, _attributes(metadata, found, files), paths, _distinct(found, files))


def _distinct(found: list[images.ImageFile], files: pd.DataFrame) -> dict[str, images.ImageFile]:
    by_path = {file.relative: file for file in found}
    first = files.drop_duplicates("image_id").sort_values("image_id")
    return {image_id: by_path[path] for image_id, path in zip(first.image_id, first.path, strict=True)}


def _stamp(path: Path) -> tuple[int, int]:
    """Size and time of change; (-1, -1) for what cannot be opened, e.g. a broken link: the scan says why."""
    try:
        status = path.stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


def _scan_missing(
    chunks: list[list[images.ImageFile]], paths: tuple[Path, ...], *, workers: int, thumbnails: bool
) -> None:
    missing = [number for number, path in enumerate(paths) if not _is_settled(path)]
    total = sum(len(chunk) for chunk in chunks)
    done = total - sum(len(chunks[number]) for number in missing)
    if not missing:
        return
    with progress.bar("reading images", total=total, done=done) as bar:
        waiting = [file for number in missing for file in chunks[number]]
        results = images.scan(waiting, workers=workers, thumbnails=thumbnails)
        for number in missing:
            rows = []
            for _ in chunks[number]:
                rows.append(_row(next(results)))
                bar.update()
            columns = ["path", "image_id", "width", "height", "thumbnail", "reason"]
            work.save_table(paths[number], pd.DataFrame(rows, columns=columns))


def _is_settled(path: Path) -> bool:
    """Whether a chunk is there, and none of its files failed for a reason that may pass by itself."""
    if not path.exists():
        return False
    reason = pd.read_parquet(path, columns=["reason"]).reason.dropna()
    return not reason.str.startswith("cannot be opened").any()


def _row(result: images.Found | images.Failed) -> tuple:
    if isinstance(result, images.Failed):
        return (result.relative, None, None, None, None, result.reason)
    return (result.relative, result.image_id, result.width, result.height, result.thumbnail, None)


def _attributes(metadata: Path | None, found: list[images.ImageFile], files: pd.DataFrame) -> pd.DataFrame:
    if metadata is None:
        return pd.DataFrame(columns=["image_id", "attribute", "value"])
    stated = images.read_attributes(metadata, found)
    if stated.unlisted:
        progress.say(f"{stated.unlisted} of {len(found)} image files have no row in {metadata}.")
    rows = pd.DataFrame(stated.rows, columns=["path", "attribute", "value"])
    joined = rows.merge(files[["path", "image_id"]], on="path")
    return joined[["image_id", "attribute", "value"]].drop_duplicates()
