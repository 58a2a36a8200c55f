"""A full disk, by any of the names that the system, DuckDB and Lance have for it."""

import errno
import os
from pathlib import Path

from db.errors import DiskFull

_REASONS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MESSAGES = (*map(os.strerror, _REASONS), "max_temp_directory_size")
"""The last is what DuckDB says when there is no room for what it puts aside while it works."""


def disk_full_error(out: Path, error: BaseException | None) -> DiskFull | None:
    """A DiskFull error if `error`, met while writing `out`, means no space; else None."""
    # DuckDB and Lance hand on the system's words, not its number.
    message = next((message for message in _MESSAGES if message in str(error)), None)
    if not isinstance(error, Exception) or message is None:
        return None
    why = "no room for temporary files" if message == _MESSAGES[-1] else message[0].lower() + message[1:]
    return DiskFull(
        f"could not write {out}: {why} on its disk. Free some space and run the same command again; "
        "nothing that was computed is lost."
    )
