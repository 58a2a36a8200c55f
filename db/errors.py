"""Errors with a message for the person at the terminal: what was wrong, and what to do next."""


class UserError(Exception):
    """Base of all errors that a command prints as one line instead of a traceback."""


class StoreError(UserError):
    """Base of every error that this package raises on purpose."""


class BundleMissing(StoreError):
    """There is no bundle where one was looked for."""


class BundleFormat(StoreError):
    """The bundle was written in another version of the format."""


class BundleDamaged(StoreError):
    """A file of the bundle is missing, changed, or cannot be read."""


class BundleReplaced(StoreError):
    """Another bundle took the place of this one while it was open."""


class BundleExists(StoreError):
    """The output is there already and replacing it was not asked for."""


class BundleBusy(StoreError):
    """Another process is writing the same output."""


class DiskFull(StoreError):
    """There is no room for the output."""


class UnknownName(StoreError):
    """A model, head, image, text or table that the bundle does not have."""


class NoVectors(StoreError):
    """The model's results were imported without the vectors that are asked for."""


class QueryError(StoreError):
    """A query typed by a person cannot be run."""
