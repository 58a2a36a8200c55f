"""Writes a bundle as one zip: its files, a data set card, and its tables as Parquet.

The manifest names neither the card nor the Parquet files, so that a signature of it holds for the zip too. No
reader of bundles unpacks them; `verify` compares the Parquet files with the tables.
"""

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

from db.atomic_file import atomic_file
from db.card import card
from db.connection import Bundle, check_current
from db.errors import BundleDamaged, BundleExists
from db.export import is_table, table_names, write_parquet
from db.layout import CARD, DIGEST, MANIFEST, PARQUET_TABLES, SIGNATURE
from db.unpacked_zip import is_bundle_zip, parquet_files


def pack(bundle: Bundle, out: Path, *, replace: bool = False) -> Path:
    """Writes the zip of a bundle that was opened as a directory; returns its path without links.

    Raises:
        BundleExists: `out` exists and may not be replaced, or lies in the bundle.
    """
    out = Path(os.path.realpath(out))  # a link stays a link, and its target is replaced
    _check_free(out, bundle.path, replace=replace)
    root = bundle.path.resolve().name.encode("utf-8", "replace").decode()  # a zip has names in UTF-8
    signature = [SIGNATURE] if (bundle.path / SIGNATURE).is_file() else []
    with (
        atomic_file(out) as temporary,
        zipfile.ZipFile(
            temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1, strict_timestamps=False
        ) as archive,
    ):
        names = table_names(bundle)
        archive.writestr(f"{root}/{CARD}", card(bundle, names))
        for name in [MANIFEST, DIGEST, *signature, *bundle.manifest["files"]]:
            archive.write(bundle.path / name, f"{root}/{name}")
        for name in names:
            # Parquet is compressed already.
            entry = zipfile.ZipInfo(f"{root}/{PARQUET_TABLES}/{name}.parquet")
            with archive.open(entry, "w", force_zip64=True) as file:
                write_parquet(bundle, name, file)
        check_current(bundle)
    return out


def parquet_problems(bundle: Bundle, path: Path) -> list[str]:
    """Returns the Parquet files in the directory or zip of a bundle that differ from its tables."""
    names = set(table_names(bundle))
    try:
        return [
            f"{name} differs from the table {Path(name).stem}"
            for name, file in _parquet_files(path)
            if Path(name).stem not in names or not is_table(bundle, Path(name).stem, file)
        ]
    except BundleDamaged as error:
        return [str(error).rstrip(".")]


def _parquet_files(path: Path) -> Iterator[tuple[str, Path | io.BytesIO]]:
    if path.is_dir():
        for file in sorted((path / PARQUET_TABLES).glob("*.parquet")):
            yield f"{PARQUET_TABLES}/{file.name}", file
    else:
        yield from parquet_files(path)


def _check_free(out: Path, bundle: Path, *, replace: bool) -> None:
    """Raises BundleExists if a zip may not be written to `out`."""
    if out.is_relative_to(bundle.resolve()):
        raise BundleExists(f"{out} lies in the bundle itself. Give another path.")
    if not out.exists():
        return
    if not replace:
        raise BundleExists(f"{out} is there already. Add --replace, or give another path.")
    if not is_bundle_zip(out):
        raise BundleExists(
            f"{out} is there and is not a zip of a bundle, so it is left alone. Give another path."
        )
