"""Writes the bundle of the present format that later versions are tested with: tests/data/format-N.zip.

    python -m tests.support.format_bundle

It is written once, when FORMAT is raised, and committed; the files of former formats stay as they are.
"""

import sys
import tempfile
import zipfile
from pathlib import Path

from db import bundle as commands
from db.layout import FORMAT
from tests.support.bundles import write_bundle
from tests.support.paths import ROOT

FILES = ROOT / "tests" / "data"
MAX_BYTES = 200_000
"""Maximum size of a file: there will be one for every format."""


def file_of(number: int = FORMAT) -> Path:
    """Where the bundle of a format lies."""
    return FILES / f"format-{number}.zip"


def write(out: Path) -> Path:
    """Writes the tiny bundle as a zip, as small as it can be."""
    with tempfile.TemporaryDirectory() as folder:
        write_bundle(Path(folder) / "tiny", input_id="tiny")
        zipped = Path(folder) / "tiny.zip"
        if commands.main(["zip", str(Path(folder) / "tiny"), str(zipped)]):
            raise SystemExit("the bundle could not be zipped")
        with (
            zipfile.ZipFile(zipped) as source,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target,
        ):
            for entry in source.infolist():
                target.writestr(entry.filename, source.read(entry))
    return out


if __name__ == "__main__":
    if file_of().exists():
        sys.exit(f"{file_of()} is there already, and stays as it is")
    print(f"{write(file_of())}: {file_of().stat().st_size / 1000:.0f} kB")
