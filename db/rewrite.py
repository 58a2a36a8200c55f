"""Writes a modified copy of a bundle: its tables are inserted, its vectors linked.

    with open_copy(source, out, input_id=...) as writer:
        remove(writer, "head_label", rows)  # rows equal to these in their columns
        writer.write("head_label", rows)
        choose_labels(writer, keys)
        chosen_labels(writer)               # from the new tables
        writer.finish({...})

The source does not change. Files of vectors are hard links if the file system has them, else copies: bundles
are never modified, so two can share a file. The copy passes all checks of a new bundle.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from db.connection import Bundle, check_current, plain, query
from db.errors import BundleDamaged, StoreError
from db.layout import DATABASE, VECTORS, sql_of
from db.locked_database import content_problem
from db.manifest import LIBRARIES
from db.plain_path import plain_path
from db.store import BundleWriter

OWN_FACTS = ("format", "input_id", "models", "max_sum_error", "licenses", "created_at", "software", "files")
"""Fields of a manifest that are computed from the new tables, files and libraries."""


@contextmanager
def open_copy(
    source: Bundle, out: Path | str, *, input_id: str, replace: bool = False
) -> Iterator[BundleWriter]:
    """Yields a writer of a new bundle that already has the tables and vectors of `source`.

    Raises:
        BundleExists, BundleBusy: as for `BundleWriter`.
        BundleReplaced, BundleDamaged: the source was replaced, or its tables have another format.
    """
    check_current(source)
    with BundleWriter(out, input_id=input_id, replace=replace) as writer:
        try:
            _copy_tables(writer, source)
        except duckdb.Error as error:
            raise BundleDamaged(
                f"the tables of {source.path} do not fit this Headlight ({error}). Build it again."
            ) from error
        link_vectors(source, writer)
        yield writer


def remove(writer: BundleWriter, table: str, like: pd.DataFrame) -> None:
    """Removes all rows that equal a row of `like` in each of its columns."""
    names = [str(name) for name in like.columns]
    if unknown := [name for name in names if name not in writer.columns.get(table, {})]:
        raise StoreError(f'table {table} has no column "{unknown[0]}", so its rows cannot be removed.')
    agree = " and ".join(f'"{table}"."{name}" = incoming."{name}"' for name in names)
    execute_with(writer, like, f'delete from "{table}" using incoming where {agree}')


def choose_labels(writer: BundleWriter, keys: pd.DataFrame) -> None:
    """Marks these labels (rows of the key of `head_label`) as chosen, and no other label of their heads."""
    execute_with(writer, keys, _CHOOSE)


def chosen_labels(writer: BundleWriter) -> pd.DataFrame:
    """Returns the chosen label of every head of all models, as written so far."""
    return asked(writer, sql_of("chosen_labels"))


def chosen_judgements(writer: BundleWriter) -> pd.DataFrame:
    """Returns all answers of judges about the chosen labels, as written so far."""
    return asked(writer, sql_of("chosen_judgements"))


def first_texts(bundle: Bundle, *, texts: int) -> pd.DataFrame:
    """Returns the first `texts` texts of every head of all models, with their properties."""
    return query(bundle, sql_of("first_texts"), {"texts": texts})


def all_labels(bundle: Bundle) -> pd.DataFrame:
    """Returns all labels of all heads of all models."""
    return query(bundle, sql_of("all_labels"))


def inherited_facts(source: Bundle) -> dict[str, Any]:
    """Returns the manifest fields that a copy inherits: notes, and software of the copied results."""
    facts = {name: value for name, value in source.manifest.items() if name not in OWN_FACTS}
    rewritten = {"python", *LIBRARIES}
    software = source.manifest.get("software", {})
    return facts | {"software": {name: software[name] for name in software if name not in rewritten}}


def execute_with(writer: BundleWriter, rows: pd.DataFrame, sql: str) -> None:
    """Executes SQL with `rows` as the table `incoming`."""
    writer.connection.register("incoming", rows)
    try:
        writer.connection.execute(sql)
    finally:
        writer.connection.unregister("incoming")


def asked(writer: BundleWriter, sql: str) -> pd.DataFrame:
    """Returns the rows of a query on the new tables, as written so far."""
    writer.connection.execute(sql)
    return plain(writer.connection.df(), writer.connection.description)


def _copy_tables(writer: BundleWriter, source: Bundle) -> None:
    with attached(writer, source):
        for table in writer.columns:
            if table != "bundle":  # the copy has another identity
                copy_rows(writer, table)


@contextmanager
def attached(writer: BundleWriter, source: Bundle) -> Iterator[None]:
    """Attaches the tables of `source` to the writer's connection, by the name `source`.

    Raises:
        BundleDamaged: the tables have another format, or the file is another one than was opened.
    """
    file = plain_path(source.path) / DATABASE
    quoted = str(file).replace("'", "''")
    writer.connection.execute(f"attach '{quoted}' as source (read_only)")
    try:
        # Again, since the file may be another one than the locked connection opened.
        if problem := content_problem(writer.connection, "source", file.stat().st_size):
            raise BundleDamaged(f"{file} is not of this bundle: {problem}. Build it again.")
        yield
    finally:
        writer.connection.execute("detach source")


def copy_rows(
    writer: BundleWriter, table: str, where: str = "true", values: Mapping[str, Any] | None = None
) -> None:
    """Copies the rows of a table of the attached source that meet an SQL condition with these values."""
    rows = f'from source."{table}" where {where}'
    ((count,),) = writer.connection.execute(f"select count(*) {rows}", values).fetchall()
    writer.allow_rows(count)
    writer.connection.execute(f'insert into "{table}" by name select * {rows}', values)


def link_vectors(source: Bundle, writer: BundleWriter, name: str = "") -> None:
    """Links the vectors of `source` into the new bundle: those of one Lance table, or all of them."""
    part = Path(VECTORS, f"{name}.lance") if name else Path(VECTORS)
    if (source.path / part).exists():
        shutil.copytree(source.path / part, writer.directory.building / part, copy_function=_link)


def _link(source: str, target: str) -> None:
    """Creates a hard link, or a copy where links are impossible, as between disks."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


_CHOOSE = """
update head_label
set chosen = (incoming.method = head_label.method and incoming.picks = head_label.picks)
from incoming
where head_label.model_key = incoming.model_key
    and head_label.layer = incoming.layer
    and head_label.head = incoming.head
"""
