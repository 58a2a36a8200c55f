"""Opening a bundle: what a crafted database may not do."""

import shutil

import duckdb
import pytest

from db.connection import open_bundle
from db.errors import BundleDamaged
from db.layout import DATABASE, FORMAT
from tests.support import bundles


def test_a_view_in_place_of_a_table_reads_no_file_of_the_machine(tmp_path):
    """The database of a bundle comes from others: external access is off before anything in it is read."""
    bundle = shutil.copytree(bundles.write_bundle(tmp_path / "demo"), tmp_path / "crafted")
    secret = tmp_path / "secret.txt"
    secret.write_text("a secret")
    with duckdb.connect() as connection:
        connection.execute(f"attach '{bundle / DATABASE}' as crafted")
        connection.execute("drop table crafted.bundle")
        connection.execute(
            f"create view crafted.bundle as select {FORMAT} as format from read_text('{secret}')"
        )

    with pytest.raises(BundleDamaged, match="disabled by configuration"):
        open_bundle(bundle)
