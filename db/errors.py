"""Errors with a message for the user: the cause, and the next step."""

import re
from collections.abc import Sequence

MAX_MESSAGE = 2000
"""Maximum number of characters of a printed message."""

MAX_NAMED = 3
"""Maximum number of things that a message names."""


def first_few(things: Sequence[str], separator: str = "; ") -> str:
    """Returns the first things and the number of others."""
    rest = len(things) - MAX_NAMED
    return separator.join([*things[:MAX_NAMED], *([f"and {rest} more"] if rest > 0 else [])])


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Returns a text for a terminal: its characters that would move the cursor or turn words are escapes."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


class UserError(Exception):
    """Base of all errors that a command prints as one line instead of a traceback."""


def message_of(error: Exception) -> str:
    """Returns the message of an error, without its middle if a file was echoed into it at length."""
    text = printable(str(error))
    return text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE // 2]} ... {text[-MAX_MESSAGE // 2 :]}"


class StoreError(UserError):
    """Base of all errors that this package raises deliberately."""


class BundleMissing(StoreError):
    """There is no bundle at a path."""


class BundleFormat(StoreError):
    """The bundle has another format version."""


class BundleDamaged(StoreError):
    """A file of the bundle is missing, changed, or cannot be read."""


class BundleReplaced(StoreError):
    """Another bundle replaced this one while it was open."""


class BundleExists(StoreError):
    """The output exists and may not be replaced."""


class BundleBusy(StoreError):
    """Another process is writing the same output."""


class DiskFull(StoreError):
    """There is no room for the output."""


class UnknownName(StoreError):
    """A model, head, image, text or table that the bundle does not have."""


class NoVectors(StoreError):
    """The model's results were imported without vectors."""


class QueryError(StoreError):
    """A user's query cannot be run."""
