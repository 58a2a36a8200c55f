"""Queries that people type: questions to start from, and outcomes, each from a process of its own."""

import re
import time
from collections import OrderedDict
from collections.abc import Generator
from threading import BoundedSemaphore, Lock
from typing import NamedTuple

import pandas as pd

from dashboard import images as image_drawing
from dashboard.data import cached, choices, defaults, provenance
from dashboard.data.types import Source
from dashboard.state.views import Head
from db.console import Answer
from db.console_process import MAX_BYTES, ROWS, SECONDS, RunningQuery
from db.errors import QueryError
from db.questions import questions

AT_ONCE = 2
"""Maximum number of queries that run at the same time; others wait."""

MAX_OUTCOMES = 8
MAX_PICTURES = 60
"""Number of rows whose pictures a table shows."""

STEP = 0.1
"""Seconds between two looks at a running query."""

LIMITS = (
    f"A query runs for at most {SECONDS:.0f} seconds and returns at most {ROWS:,} rows or "
    f"{MAX_BYTES / 2**20:.0f} MB. It reads the tables of this bundle and nothing else."
)

PARAMETER = re.compile(r"\$(\w+)")
OF_THE_SIDEBAR = "model_key"
"""Parameter that stays in a query: the key of the model that the sidebar shows."""


class Outcome(NamedTuple):
    """Result of a query: its answer, or the problem."""

    answer: Answer | None
    """None if it cannot be run."""

    problem: str = ""


_outcomes: OrderedDict[tuple, Outcome] = OrderedDict()
_lock = Lock()
_places = BoundedSemaphore(AT_ONCE)


@cached.kept(max_entries=16)
def filled_questions(source: Source) -> dict[str, tuple[str, str]]:
    """Returns the title and the SQL of every question, with values that the model has."""
    layer, head = defaults.best_head(source)
    values: dict[str, str | int] = {"layer": layer, "head": head}
    values["property"] = next(iter(choices.labels(source)), "")

    def filled(found: re.Match) -> str:
        return found[0] if found[1] == OF_THE_SIDEBAR else provenance.literal(values[found[1]])

    return {name: (title, PARAMETER.sub(filled, sql)) for name, title, sql in questions()}


def question_of(source: Source, sql: str) -> str:
    """Returns the name of the question with this SQL; empty for another query."""
    by_sql = {text: name for name, (_, text) in filled_questions(source).items()}
    return by_sql.get(sql.strip(), "")


def outcome(source: Source, sql: str) -> Outcome | None:
    """Returns the outcome of a query that ran lately; None for any other."""
    with _lock:
        return _outcomes.get(_key(source, sql))


def forget(source: Source, sql: str) -> None:
    """Lets a query run again, one that took too long for example."""
    with _lock:
        _outcomes.pop(_key(source, sql), None)


def run(source: Source, sql: str) -> Generator[float]:
    """Runs a query, and yields the seconds since its start as long as it runs; `outcome` has its outcome.

    A caller that stops early closes the iterator, which stops the query.
    """
    began = time.monotonic()
    while not _places.acquire(timeout=STEP):
        yield time.monotonic() - began
    try:
        with RunningQuery(source.bundle, sql, {OF_THE_SIDEBAR: source.key}) as query:
            try:
                while not query.wait(STEP):
                    yield time.monotonic() - began
                result = Outcome(query.answer())
            except QueryError as error:
                result = Outcome(None, str(error))
    finally:
        _places.release()
    with _lock:
        _outcomes[_key(source, sql)] = result
        while len(_outcomes) > MAX_OUTCOMES:
            _outcomes.popitem(last=False)


def _key(source: Source, sql: str) -> tuple:
    model = source.key if f"${OF_THE_SIDEBAR}" in sql else ""
    return str(source.bundle.path), source.bundle.stamp, model, sql


def with_pictures(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Returns a table whose bytes are pictures or their number, and the names of the columns of pictures."""
    shown, pictures = rows.copy(deep=False), []
    for name in rows.columns[rows.map(lambda value: isinstance(value, bytes)).any()]:
        values = list(rows[name])
        first = [value for value in values[:MAX_PICTURES] if value is not None]
        if first and all(image_drawing.is_thumbnail(value) for value in first):
            pictures.append(name)
            cells = [value and image_drawing.as_url(value) for value in values[:MAX_PICTURES]]
            shown[name] = cells + [None] * (len(values) - len(cells))
        else:
            shown[name] = [None if value is None else f"{len(value):,} bytes" for value in values]
    return shown, pictures


def heads_of(source: Source, rows: pd.DataFrame) -> list[Head]:
    """Returns the heads of the model that a table names, in its order."""
    if not {"layer", "head"} <= set(rows.columns):
        return []
    if "model_key" in rows.columns:
        rows = rows[rows["model_key"] == source.key]
    places = dict.fromkeys(rows[["layer", "head"]].itertuples(index=False, name=None))
    return [place for place in places if place in choices.head_names(source)]


def plot_columns(rows: pd.DataFrame) -> list[str]:
    """Returns the columns that a chart can show."""
    return [name for name in rows.columns if not any(isinstance(value, bytes) for value in rows[name])]
