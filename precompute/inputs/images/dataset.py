"""What `--images` has led to, joined with what `--metadata` says of it."""

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from precompute.inputs.images.attributes import Attribute, check_agree, read_attributes
from precompute.inputs.images.files import Failed, ImageFile

_SHOWN = 8
"""Names of attributes in one sentence, at most."""


class SourceListing(NamedTuple):
    """What `--images` leads to; no image has been opened."""

    name: str
    """What the image set is called."""

    files: list[ImageFile]
    """Sorted by `relative`."""

    attributes: list[Attribute]
    """AttributeSet from where the files lie, or from what stands beside them."""

    origins: dict[str, str]
    """Where each attribute is from, in words."""

    failed: list[Failed]
    """What is known to be missing without opening an image."""

    others: dict[str, int]
    """Number of files passed over, by extension."""

    notes: tuple[str, ...] = ()
    """What else a person should know."""

    csv_path: Path | None = None
    """The CSV file that lists the files, if one does."""


class AttributeSet(NamedTuple):
    """What is known of the images."""

    attributes: list[Attribute]

    origins: tuple[str, ...]
    """Where it is from, one phrase each, and the notes."""

    unlisted: int
    """Number of files without a row in --metadata."""


def join_metadata(gathered: SourceListing, metadata: Path | None) -> AttributeSet:
    """What is known of the gathered images. Raises ImagesError.

    A column of `metadata` takes the place of what folders and sidecars say; a CSV list must agree with it.
    """
    rows, origins = gathered.attributes, gathered.origins
    if metadata is None:
        return AttributeSet(rows, (*_phrases(origins), *gathered.notes), unlisted=0)
    names = [file.relative for file in gathered.files] + [failed.relative for failed in gathered.failed]
    stated = read_attributes(metadata, names)
    if gathered.csv_path:
        check_agree(rows, gathered.csv_path, stated.rows, metadata)
    else:
        rows = [row for row in rows if row.attribute not in stated.names]
    origins = origins | dict.fromkeys(stated.names, metadata.name)
    return AttributeSet(rows + stated.rows, (*_phrases(origins), *gathered.notes), stated.unlisted)


def _phrases(origins: dict[str, str]) -> list[str]:
    """Such as: class from 1,000 folders."""
    by_origin: dict[str, list[str]] = defaultdict(list)
    for name, origin in origins.items():
        by_origin[origin].append(name)
    return [
        f"{', '.join(names[:_SHOWN])}{', ...' if len(names) > _SHOWN else ''} from {origin}"
        for origin, names in by_origin.items()
    ]
