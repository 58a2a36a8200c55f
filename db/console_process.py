"""Runs a user's query in a process of its own, which can be stopped at any time.

DuckDB looks for an interrupt between batches of rows: one call of `levenshtein` or `repeat` ran for minutes,
and took 3 GB beyond the limit of memory, in the process that serves everyone else. A process that is killed
ends at once, and gives back all it took.
"""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd

from db.connection import Bundle, check_current
from db.console import Answer, too_long
from db.errors import QueryError
from db.layout import DATABASE

SECONDS = 10.0
ROWS = 10_000
MAX_BYTES = 2**24
"""Limits of a query: time, number of rows, size of the rows."""

GRACE = 20.0
"""Seconds that the process may take beyond those of the query: a machine may be busy with other work. Seconds
of the processor are limited more tightly, by the process itself.
"""

PACKAGES = Path(__file__).parents[1]
ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""Variables that the process inherits: Python may need them. Others may hold keys."""


class RunningQuery:
    """One query in its process, which ends with the block.

    with RunningQuery(bundle, sql) as query:
        while not query.wait(0.2):
            ...  # say that it runs
        answer = query.answer()
    """

    def __init__(
        self, bundle: Bundle, sql: str, parameters: Mapping[str, Any] | None = None, seconds: float = SECONDS
    ) -> None:
        """Starts the query; `parameters` may hold more than it names."""
        self.bundle, self.seconds, self.began = bundle, seconds, time.monotonic()
        request = {
            "database": os.fspath(bundle.path / DATABASE),
            "bundle": os.fspath(bundle.path),
            "sql": sql,
            "parameters": dict(parameters or {}),
            "seconds": seconds,
            "rows": ROWS,
            "bytes": MAX_BYTES,
        }
        self.request: bytes | None = json.dumps(request).encode()
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "db.console_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        self.output = self.complaint = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self, seconds: float) -> bool:
        """Waits at most `seconds`; returns True if the query has ended.

        Raises:
            QueryError: it took too long.
        """
        request, self.request = self.request, None  # sent once
        try:
            self.output, self.complaint = self.process.communicate(request, seconds)
        except subprocess.TimeoutExpired:
            if self.elapsed > self.seconds + GRACE:
                self.stop()
                raise too_long(self.seconds) from None
            return False
        return True

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.began

    def stop(self) -> None:
        """Ends the process."""
        self.process.kill()
        self.process.communicate()

    def answer(self) -> Answer:
        """Returns the rows of a query that has ended.

        Raises:
            QueryError: the query cannot be run.
            BundleReplaced: the bundle was replaced meanwhile.
        """
        check_current(self.bundle)
        if not self.output:
            if self.process.returncode == -signal.SIGXCPU:
                raise too_long(self.seconds)
            raise QueryError(
                "the process of the query ended: it needs more memory than it may use, or DuckDB has a fault "
                "there. Ask for less."
            )
        facts, *lines = self.output.splitlines()
        facts = json.loads(facts)
        if "error" in facts:
            raise QueryError(facts["error"])
        rows = [json.loads(line) for line in lines]
        return Answer(frame_of(facts["columns"], rows), facts["cut"])


def environment() -> dict[str, str]:
    """Returns the environment of the process of a query."""
    inherited = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    return inherited | {"PYTHONPATH": os.fspath(PACKAGES)}


def frame_of(columns: list[tuple[str, str]], rows: list[list[Any]]) -> pd.DataFrame:
    """Returns the rows of a query as numbers, booleans, texts and bytes; names become distinct."""
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    names: list[str] = []
    for name, _ in columns:
        names.append(name if name not in names else f"{name} {len(names) + 1}")
    series = [
        column_of(kind, list(column)).rename(name)
        for (_, kind), name, column in zip(columns, names, values, strict=True)
    ]
    return pd.concat(series, axis="columns") if series else pd.DataFrame()


def column_of(kind: str, values: list[Any]) -> pd.Series:
    """Returns the values of a column; a missing number is NaN, any other missing value None or NaN."""
    if kind == "blob":
        blobs = [None if value is None else base64.b64decode(value) for value in values]
        return pd.Series(blobs, dtype=object)
    if kind == "number":
        return pd.Series(values, dtype=None if values and None not in values else "float64")
    return pd.Series(values, dtype="str" if kind == "text" else object)
