"""The files of `--images`, and their attributes joined with those of `--metadata`."""

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from precompute.inputs.images.attributes import Attribute, check_agree, drop_missing, read_attributes
from precompute.inputs.images.files import Failed, ImageFile, portable

_MAX_NAMES = 8
"""Maximum number of attribute names in one phrase."""


class SourceListing(NamedTuple):
    """The files of `--images`, before any image is opened."""

    name: str
    """Name of the image set."""

    files: list[ImageFile]
    """Image files, sorted by `relative`."""

    attributes: list[Attribute]
    """Attributes from class folders, sidecars or a CSV list."""

    origins: dict[str, str]
    """Origin of each attribute, in words."""

    failed: list[Failed]
    """Files that are unusable already without opening an image."""

    others: dict[str, int]
    """Number of ignored files, by extension."""

    notes: tuple[str, ...] = ()
    """Further notes for the user, one phrase each."""

    class_note: str = ""
    """Why folders or files have no class, one phrase."""

    csv_path: Path | None = None
    """CSV file with the paths; None for folders and tars."""


class AttributeSet(NamedTuple):
    """All known attributes of the images."""

    attributes: list[Attribute]

    origins: tuple[str, ...]
    """Origins of the attributes, one phrase each, then the notes."""

    unlisted: int
    """Number of files without a row in --metadata."""


def join_metadata(listing: SourceListing, metadata: Path | None) -> AttributeSet:
    """Returns the attributes of the listed images with those of `metadata`. Raises ImagesError.

    A column of `metadata` replaces attributes of folders and sidecars; a CSV list must agree with it. Values
    that stand for a missing one are dropped and counted.
    """
    joined = _joined(listing, metadata)
    rows, notes = drop_missing(joined.attributes)
    return AttributeSet(rows, (*joined.origins, *notes), joined.unlisted)


def _joined(listing: SourceListing, metadata: Path | None) -> AttributeSet:
    """Returns the attributes of all sources, missing values included. Raises ImagesError."""
    rows, origins = listing.attributes, listing.origins
    notes = [note for note in (listing.class_note, *listing.notes) if note]
    if metadata is None:
        return AttributeSet(rows, (*_phrases(origins), *notes), unlisted=0)
    names = [file.relative for file in listing.files] + [failed.relative for failed in listing.failed]
    more = read_attributes(metadata, names)
    if listing.csv_path:
        check_agree(drop_missing(rows)[0], listing.csv_path, drop_missing(more.rows)[0], metadata)
    else:
        rows = [row for row in rows if row.attribute not in more.names]
    origins = origins | dict.fromkeys(more.names, portable(metadata.name))
    notes = notes[1:] if listing.class_note and "class" in more.names else notes
    return AttributeSet(rows + more.rows, (*_phrases(origins), *notes), more.unlisted)


def _phrases(origins: dict[str, str]) -> list[str]:
    """Returns phrases such as: class from 1,000 folders."""
    by_origin: dict[str, list[str]] = defaultdict(list)
    for name, origin in origins.items():
        by_origin[origin].append(name)
    return [
        f"{', '.join(names[:_MAX_NAMES])}{', ...' if len(names) > _MAX_NAMES else ''} from {origin}"
        for origin, names in by_origin.items()
    ]
