"""What `--images` means: a folder of images, a CSV file of paths, or tars, by folder, pattern or name."""

import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from precompute.inputs.images import class_folders as classes
from precompute.inputs.images.csv_list import read_list
from precompute.inputs.images.dataset import SourceListing
from precompute.inputs.images.files import (
    FolderListing,
    ImageFile,
    check_any,
    is_tar,
    list_folder,
    most_first,
    portable,
)
from precompute.inputs.images.tar_index import TarIndex, index
from precompute.inputs.images.webdataset import (
    Indexes,
    Shards,
    from_tars,
    is_pattern,
    matching,
)


def gather(
    source: Path,
    *,
    class_folders: bool = True,
    captions: bool = False,
    indexes: Indexes | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> SourceListing:
    """All images that `source` leads to, in one order whatever the file system.

    `indexes` says what lies in tars, if not they themselves; `advance` is told of every file.
    Raises ImagesError, with what to do.
    """
    if not os.path.isdir(source) and source.suffix.lower() == ".csv":
        return _listed(source, advance)
    shards = _shards(source)
    if shards is None:
        found = list_folder(source, advance)
        if found.files or not found.tars:
            check_any(source, found)
            return _in_folder(source, found, class_folders)
        shards = Shards(source, _name(source), found.tars, found.others)
    return from_tars(shards, indexes or (lambda tars: _opened(tars, captions)), captions=captions)


def _shards(source: Path) -> Shards | None:
    """The tars that are given as such."""
    if is_pattern(source):
        return matching(source)
    if os.path.isfile(source) and is_tar(source.name):
        return Shards(source.parent, source.name, [ImageFile(source, portable(source.name))], {})
    return None


def _opened(tars: list[ImageFile], captions: bool) -> Iterable[TarIndex]:
    return (index(tar.path, captions=captions) for tar in tars)


def _listed(csv_path: Path, advance: Callable[[int], None]) -> SourceListing:
    """The files of a CSV file."""
    found = read_list(csv_path, advance)
    origins = dict.fromkeys(found.names, csv_path.name)
    return SourceListing(csv_path.name, found.files, found.attributes, origins, [], {}, csv_path=csv_path)


def _in_folder(folder: Path, found: FolderListing, class_folders: bool) -> SourceListing:
    """The files of a folder, with their classes where its folders are classes."""
    rows = classes.from_folders(found.files) if class_folders else []
    origins = {}
    if ids := classes.values(rows):
        names = classes.read_names(folder, ids)
        origins = {classes.CLASS: classes.origin(ids, f"{len(ids):,} folders", names)}
        rows = classes.named(rows, names) if names else rows
    tars = Counter(os.path.splitext(tar.relative)[1].lower() for tar in found.tars)
    others = most_first(Counter(found.others) + tars)
    return SourceListing(_name(folder), found.files, rows, origins, [], others)


def _name(folder: Path) -> str:
    return portable(folder.resolve().name)
