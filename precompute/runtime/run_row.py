"""Rows of the table `run`: when and how each stage of a bundle was computed."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

import pandas as pd

from precompute.runtime.method_versions import METHOD_VERSIONS


def run_row(
    model_key: str, stage: str, options: object, software: object, started: datetime, seconds: float
) -> pd.DataFrame:
    """A row of the table `run`; `started` has a time zone."""
    row = {
        "model_key": model_key,
        "stage": stage,
        "method_version": json.dumps(METHOD_VERSIONS, sort_keys=True),
        "options": json.dumps(options, sort_keys=True, ensure_ascii=False),
        "software": json.dumps(software, sort_keys=True),
        "started_at": started.astimezone(UTC).replace(tzinfo=None),
        "seconds": seconds,
    }
    return pd.DataFrame([row])


def package_versions(names: Sequence[str]) -> dict[str, str]:
    """Versions of installed packages, by name."""
    return {name: version(name) for name in names}
