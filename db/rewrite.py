"""A new bundle that begins as a copy of another: its tables inserted, its vectors linked.

    with open_copy(source, out, input_id=...) as writer:
        remove(writer, "head_label", rows)  # rows like these, by the columns given
        writer.write("head_label", rows)
        choose_labels(writer, keys)
        chosen_labels(writer)               # asked of the new tables
        writer.finish({...})

The source is only read. Files of vectors are hard links where the file system has them, else copies: bundles
are never modified, so two may share a file. Everything a new bundle is checked for is checked here too.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from db.connection import Bundle, check_current, plain, query
from db.errors import BundleDamaged, StoreError
from db.layout import DATABASE, VECTORS, sql_of
from db.manifest import LIBRARIES
from db.store import BundleWriter

OWN_FACTS = ("format", "input_id", "models", "max_sum_error", "licenses", "created_at", "software", "files")
"""What a manifest says that follows from the new tables, files and libraries themselves."""


@contextmanager
def open_copy(
    source: Bundle, out: Path | str, *, input_id: str, replace: bool = False
) -> Iterator[BundleWriter]:
    """Yields a writer of a new bundle that already has the tables and vectors of `source`.

    Raises:
        BundleExists, BundleBusy: as the writer does.
        BundleReplaced, BundleDamaged: the source is gone, or its tables are not those of this format.
    """
    check_current(source)
    with BundleWriter(out, input_id=input_id, replace=replace) as writer:
        try:
            _copy_tables(writer, source)
        except duckdb.Error as error:
            raise BundleDamaged(
                f"the tables of {source.path} do not fit this Headlight ({error}). Build it again."
            ) from error
        if (source.path / VECTORS).exists():
            shutil.copytree(source.path / VECTORS, writer.directory.building / VECTORS, copy_function=_link)
        yield writer


def remove(writer: BundleWriter, table: str, like: pd.DataFrame) -> None:
    """Removes all rows that agree with some row of `like` in each of its columns."""
    names = [str(name) for name in like.columns]
    if unknown := [name for name in names if name not in writer.columns.get(table, {})]:
        raise StoreError(f'table {table} has no column "{unknown[0]}", so its rows cannot be removed.')
    agree = " and ".join(f'"{table}"."{name}" = incoming."{name}"' for name in names)
    _execute_with(writer, like, f'delete from "{table}" using incoming where {agree}')


def choose_labels(writer: BundleWriter, keys: pd.DataFrame) -> None:
    """Shows these labels, rows of the key of `head_label`, and of their heads no others."""
    _execute_with(writer, keys, _CHOOSE)


def chosen_labels(writer: BundleWriter) -> pd.DataFrame:
    """The chosen label of every head of all models, as written so far."""
    return _ask(writer, "chosen_labels")


def chosen_judgements(writer: BundleWriter) -> pd.DataFrame:
    """Every answer of judges about the chosen label of a head, as written so far."""
    return _ask(writer, "chosen_judgements")


def first_texts(bundle: Bundle, *, texts: int) -> pd.DataFrame:
    """The first `texts` texts of every head of all models, each with its properties."""
    return query(bundle, sql_of("first_texts"), {"texts": texts})


def given_labels(bundle: Bundle) -> pd.DataFrame:
    """Every label that any head of any model was given."""
    return query(bundle, sql_of("given_labels"))


def kept_facts(source: Bundle) -> dict[str, Any]:
    """What a copy's manifest goes on saying: notes, and software that had a part in what was copied."""
    facts = {name: value for name, value in source.manifest.items() if name not in OWN_FACTS}
    rewritten = {"python", *LIBRARIES}
    software = source.manifest.get("software", {})
    return {**facts, "software": {one: it for one, it in software.items() if one not in rewritten}}


def _execute_with(writer: BundleWriter, rows: pd.DataFrame, sql: str) -> None:
    """Executes SQL that names `rows` as `incoming`."""
    writer.connection.register("incoming", rows)
    try:
        writer.connection.execute(sql)
    finally:
        writer.connection.unregister("incoming")


def _ask(writer: BundleWriter, name: str) -> pd.DataFrame:
    writer.connection.execute(sql_of(name))
    return plain(writer.connection.df(), writer.connection.description)


def _copy_tables(writer: BundleWriter, source: Bundle) -> None:
    file = str(source.path / DATABASE).replace("'", "''")
    writer.connection.execute(f"attach '{file}' as source (read_only)")
    for table in writer.columns:
        if table != "bundle":  # the copy has an identity of its own
            writer.connection.execute(f'insert into "{table}" by name select * from source."{table}"')
    writer.connection.execute("detach source")


def _link(source: str, target: str) -> None:
    """Give a file a second name; copy it where that cannot be done, as from disk to disk."""
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
