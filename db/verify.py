"""Verifies a bundle: files against the manifest, the manifest against the tables, tables against vectors."""

from itertools import chain
from pathlib import Path
from typing import NamedTuple

from db import bundle_files, checks
from db.connection import Bundle, cursor, open_bundle
from db.errors import BundleDamaged, first_few
from db.layout import VECTORS
from db.locked_database import damage_named
from db.manifest import fact_differences, read_manifest
from db.pack import parquet_problems
from db.vector_values import value_problems


class FileProblems(NamedTuple):
    """Differences between the files of a bundle and its manifest, one sentence each."""

    damage: list[str]
    """Files of the manifest that are missing or changed."""

    strangers: list[str]
    """What is neither in the manifest nor put beside a bundle by `headlight bundle zip`; it is never read."""


def problems(path: Path) -> list[str]:
    """Returns the problems of the bundle at `path`, one sentence each; empty for a valid bundle.

    Raises:
        BundleMissing, BundleFormat: there is no bundle that can be verified.
    """
    try:
        # Files first, since a damaged file may not open.
        if path.is_dir() and (differences := [*chain(*file_problems(path))]):
            return differences
        bundle = open_bundle(path)
    except BundleDamaged as error:
        return [str(error)]
    try:
        if not path.is_dir() and (differences := [*chain(*file_problems(bundle.path))]):
            return differences
        return content_problems(bundle) or number_problems(bundle) or parquet_problems(bundle, path)
    finally:
        bundle.close()


def file_problems(directory: Path) -> FileProblems:
    """Returns the differences between the files and the manifest; reads every byte."""
    listed, listing = read_manifest(directory)["files"], bundle_files.list_files(directory)
    damage = bundle_files.size_differences(listing, listed)
    damage += bundle_files.hash_differences(directory, listing, listed)
    beside = {name for name in listing.files if bundle_files.BESIDE.fullmatch(name)}
    return FileProblems(damage, bundle_files.unlisted(listing, {*listed, *beside}))


def check_contents(bundle: Bundle) -> None:
    """Checks facts, counts and ids, as `content_problems`.

    Raises:
        BundleDamaged: names the first contradictions.
    """
    if found := content_problems(bundle):
        raise BundleDamaged(
            f"the bundle at {bundle.path} is damaged: {first_few(found)}. Copy or build it again."
        )


def number_problems(bundle: Bundle) -> list[str]:
    """Returns the numbers of tables and vectors that are not finite; reads all of them."""
    try:
        with damage_named(bundle.path):
            connection = cursor(bundle)
            in_tables = list(checks.number_problems(connection))
            return in_tables + value_problems(connection, bundle.path / VECTORS)
    except BundleDamaged as error:
        return [str(error).rstrip(".")]


def content_problems(bundle: Bundle) -> list[str]:
    """Returns contradictions among facts, counts and ids of manifest, tables and vectors; reads no vector."""
    found: list[str] = []
    try:
        with damage_named(bundle.path):
            connection = cursor(bundle)
            found += fact_differences(connection, bundle.manifest)
            found += checks.problems(connection, bundle.path / VECTORS)
    except BundleDamaged as error:
        found.append(str(error).rstrip("."))
    return found
