"""A full disk, by any of the names that the system, DuckDB and Lance have for it."""

import errno
import os
from pathlib import Path

from db.errors import DiskFull

_REASONS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SAID = (*map(os.strerror, _REASONS), "max_temp_directory_size")
"""The last is what DuckDB says when there is no room for what it puts aside while it works."""


def full(out: Path, error: BaseException | None) -> DiskFull | None:
    """What to tell of an error met while writing `out`, if there was no room; None if it was another."""
    # DuckDB and Lance hand on the system's words, not its number.
    said = next((words for words in _SAID if words in str(error)), None)
    if not isinstance(error, Exception) or said is None:
        return None
    why = "no room for temporary files" if said == _SAID[-1] else said[0].lower() + said[1:]
    return DiskFull(
        f"could not write {out}: {why} on its disk. Free some space and run the same command again; "
        "nothing that was computed is lost."
    )
