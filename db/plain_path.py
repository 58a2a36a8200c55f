"""Paths that DuckDB and LanceDB can open, where they would take a character of a path for syntax.

DuckDB takes `\\` for `/`, and writes beside a path that it ends at `?`; LanceDB refuses control characters;
neither takes a path that is not UTF-8. Knows nothing of bundles.
"""

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

_SYNTAX = re.compile(r"[?\\\x00-\x1f\x7f\ud800-\udfff]")


def plain_path(directory: Path) -> Path:
    """Returns `directory`, or a link to it if its path has such a character.

    The link ends with the process. The directory must exist before anything is written through the link.
    """
    absolute = os.path.abspath(directory)
    if not _SYNTAX.search(absolute):
        return directory
    link = _temporary(absolute)
    with suppress(FileExistsError):
        link.symlink_to(absolute)
    return link


def path_for_writing(file: Path) -> Path:
    """Returns where DuckDB can write `file`: a temporary file for `?`, since it resolves links."""
    absolute = os.path.abspath(file)
    return _temporary(absolute) if "?" in absolute else plain_path(file.parent) / file.name


def _temporary(absolute: str) -> Path:
    """Returns a path in a temporary folder, the same for the same path in one process."""
    path = Path(_folder(os.getpid()).name) / hashlib.sha256(os.fsencode(absolute)).hexdigest()[:16]
    path.parent.mkdir(exist_ok=True)  # what cleans temporary folders may have removed it
    return path


@cache
def _folder(_: int) -> tempfile.TemporaryDirectory:
    """One folder a process: a fork must not remove that of its parent."""
    return tempfile.TemporaryDirectory(prefix="headlight-")
