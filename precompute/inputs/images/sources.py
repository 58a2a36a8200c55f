"""Sources of `--images`: a folder of images, a CSV file of paths, or tars by folder, pattern or name."""

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
from precompute.inputs.images.webdataset import IndexTars, TarSet, from_tars, is_pattern, match_pattern


def gather(
    source: Path,
    *,
    class_folders: bool = True,
    captions: bool = False,
    indexes: IndexTars | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> SourceListing:
    """Returns all image files of `source`, in the same order on every file system. Raises ImagesError.

    `indexes` replaces the indexing of tars, e.g. by indexes from work files; `advance` is called with 1 for
    every file.
    """
    if not os.path.isdir(source) and source.suffix.lower() == ".csv":
        return _from_csv(source, advance)
    tar_set = _explicit_tars(source)
    if tar_set is None:
        listing = list_folder(source, advance)
        if listing.files or not listing.tars:
            check_any(source, listing)
            return _from_folder(source, listing, class_folders)
        tar_set = TarSet(source, _name(source), listing.tars, listing.others)
    indexes = indexes or (lambda tars: _index_tars(tars, captions))
    return from_tars(tar_set, indexes, captions=captions, class_folders=class_folders)


def _explicit_tars(source: Path) -> TarSet | None:
    """Returns the tars of a pattern or of the name of one tar; None for other sources."""
    if is_pattern(source):
        return match_pattern(source)
    if os.path.isfile(source) and is_tar(source.name):
        return TarSet(source.parent, portable(source.name), [ImageFile(source, portable(source.name))], {})
    return None


def _index_tars(tars: list[ImageFile], captions: bool) -> Iterable[TarIndex]:
    return (index(tar.path, captions=captions) for tar in tars)


def _from_csv(csv_path: Path, advance: Callable[[int], None]) -> SourceListing:
    images = read_list(csv_path, advance)
    name = portable(csv_path.name)
    origins = dict.fromkeys(images.names, name)
    return SourceListing(name, images.files, images.attributes, origins, [], {}, csv_path=csv_path)


def _from_folder(folder: Path, listing: FolderListing, class_folders: bool) -> SourceListing:
    """Returns the files of a folder, with classes if its folders are class folders."""
    found = classes.from_folders(folder, listing.files) if class_folders else classes.NO_CLASSES
    tars = Counter(os.path.splitext(tar.relative)[1].lower() for tar in listing.tars)
    others = most_first(Counter(listing.others) + tars)
    return SourceListing(_name(folder), listing.files, found.rows, found.origins, [], others, (), found.note)


def _name(folder: Path) -> str:
    return portable(folder.resolve().name)
