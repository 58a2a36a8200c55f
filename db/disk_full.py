"""Recognizes a full disk from errors of the system, DuckDB and Lance."""

import errno
import os
from pathlib import Path

from db.errors import DiskFull

_REASONS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MESSAGES = (*map(os.strerror, _REASONS), "max_temp_directory_size")
"""Parts of messages; the last is DuckDB's for a lack of space for temporary files."""


def disk_full_error(out: Path, error: BaseException | None) -> DiskFull | None:
    """Returns a DiskFull error if `error`, raised while writing `out`, means no space; else None."""
    # DuckDB and Lance pass on the system's message, but not its error number.
    message = next((message for message in _MESSAGES if message in str(error)), None)
    if not isinstance(error, Exception) or message is None:
        return None
    reason = "no room for temporary files" if message == _MESSAGES[-1] else message[0].lower() + message[1:]
    return DiskFull(
        f"could not write {out}: {reason} on its disk. Free some space and run the same command again; "
        "nothing that was computed is lost."
    )
