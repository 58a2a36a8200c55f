"""Compares the files of a bundle with their checksums, in the background: 2 GB take about a second.

Results stay as long as no file changes, for all sessions.
"""

import threading
from typing import NamedTuple

from db import verify
from db.bundle_files import stamps
from db.connection import Bundle
from db.errors import StoreError

MAX_RESULTS = 64
"""Maximum number of results that stay; an old one is computed again."""

FIRST_WAIT = 0.3
"""Seconds that the first page waits: small bundles are done by then, and are not drawn before."""


class Verdict(NamedTuple):
    """Result of a comparison."""

    done: bool
    damage: tuple[str, ...] = ()
    """Files that are missing or changed, one sentence each."""

    strangers: tuple[str, ...] = ()
    """What is in the folder and not in the manifest; it is never read."""


_verdicts: dict[object, Verdict] = {}
_lock = threading.Lock()


def verdict(bundle: Bundle) -> Verdict:
    """Returns the result for the files as they are now; starts the comparison if there is none."""
    try:
        key = stamps(bundle.path)
    except OSError as error:
        return Verdict(True, (f"{error.filename} is missing",))
    with _lock:
        if key in _verdicts:
            return _verdicts[key]
        while len(_verdicts) >= MAX_RESULTS:
            del _verdicts[next(iter(_verdicts))]
        _verdicts[key] = Verdict(done=False)
    worker = threading.Thread(target=_compare, args=(bundle, key), daemon=True)
    worker.start()
    worker.join(FIRST_WAIT)
    return _verdicts.get(key, Verdict(done=False))


def _compare(bundle: Bundle, key: object) -> None:
    try:
        found = Verdict(True, *map(tuple, verify.file_problems(bundle.path)))
    except (StoreError, OSError) as error:
        found = Verdict(True, (str(error),))
    with _lock:
        _verdicts[key] = found
