"""A new bundle that begins as a copy of another: its tables inserted, its vectors linked.

    with BundleRewriter(source, out, input_id=...) as writer:
        writer.remove("head_label", rows)   # rows like these, by the columns given
        writer.write("head_label", rows)
        writer.choose_labels(keys)
        writer.chosen_labels()              # asked of the new tables
        writer.finish({...})

The source is only read. Files of vectors are hard links where the file system has them, else copies: bundles
are never modified, so two may share a file. Everything a new bundle is checked for is checked here too.
"""

import os
import shutil
from pathlib import Path
from typing import Any, Self

import duckdb
import pandas as pd

from db.connection import Bundle, check_current, plain, query
from db.errors import BundleDamaged, StoreError
from db.layout import DATABASE, VECTORS, sql_of
from db.manifest import LIBRARIES
from db.store import BundleWriter

OWN_FACTS = ("format", "input_id", "models", "max_sum_error", "licenses", "created_at", "software", "files")
"""What a manifest says that follows from the new tables, files and libraries themselves."""


class BundleRewriter(BundleWriter):
    """Writes a changed copy of a bundle aside and publishes it whole."""

    def __init__(self, source: Bundle, out: Path | str, *, input_id: str, replace: bool = False) -> None:
        """Claim the output and copy everything.

        Raises:
            BundleExists, BundleBusy: as the writer does.
            BundleReplaced, BundleDamaged: the source is gone, or its tables are not those of this format.
        """
        check_current(source)
        super().__init__(out, input_id=input_id, replace=replace)
        try:
            self._copy_tables(source)
            if (source.path / VECTORS).exists():
                shutil.copytree(source.path / VECTORS, self._aside.building / VECTORS, copy_function=_link)
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            if isinstance(error, duckdb.Error):
                raise BundleDamaged(
                    f"the tables of {source.path} do not fit this Headlight ({error}). Build it again."
                ) from error
            raise

    def __enter__(self) -> Self:
        return self

    def remove(self, table: str, like: pd.DataFrame) -> None:
        """Remove all rows that agree with some row of `like` in each of its columns."""
        names = [str(name) for name in like.columns]
        if unknown := [name for name in names if name not in self._columns.get(table, {})]:
            raise StoreError(f'table {table} has no column "{unknown[0]}", so its rows cannot be removed.')
        agree = " and ".join(f'"{table}"."{name}" = outgoing."{name}"' for name in names)
        self._connection.register("outgoing", like)
        try:
            self._connection.execute(f'delete from "{table}" using outgoing where {agree}')
        finally:
            self._connection.unregister("outgoing")

    def choose_labels(self, keys: pd.DataFrame) -> None:
        """Show these labels, rows of the key of `head_label`, and of their heads no others."""
        self._connection.register("incoming", keys)
        try:
            self._connection.execute(_CHOOSE)
        finally:
            self._connection.unregister("incoming")

    def chosen_labels(self) -> pd.DataFrame:
        """The chosen label of every head of all models, as written so far."""
        return self._ask("chosen_labels")

    def chosen_judgements(self) -> pd.DataFrame:
        """Every answer of judges about the chosen label of a head, as written so far."""
        return self._ask("chosen_judgements")

    def _ask(self, name: str) -> pd.DataFrame:
        self._connection.execute(sql_of(name))
        return plain(self._connection.df(), self._connection.description)

    def _copy_tables(self, source: Bundle) -> None:
        file = str(source.path / DATABASE).replace("'", "''")
        self._connection.execute(f"attach '{file}' as source (read_only)")
        for table in self._columns:
            if table != "bundle":  # the copy has an identity of its own
                self._connection.execute(f'insert into "{table}" by name select * from source."{table}"')
        self._connection.execute("detach source")


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
