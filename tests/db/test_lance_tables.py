"""Lance tables: errors while writing and reading, and a library that is loaded late."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from db import lance_tables, vectors
from db.connection import open_bundle
from db.errors import BundleDamaged
from db.layout import VECTORS
from db.store import BundleWriter
from tests.support import bundles
from tests.support.bundles import MODEL_KEY
from tests.support.paths import ROOT


def test_the_error_of_a_stage_reaches_the_caller_as_it_is(out):
    """
    Batches stream through Arrow, which would hand on the error's text only.
    """

    class DiskFull(Exception):
        pass

    def batches():
        yield from bundles.image_batches(bundles.MODEL_KEY, 5)
        raise DiskFull

    with pytest.raises(DiskFull), BundleWriter(out, input_id="x") as writer:
        writer.write_heads(bundles.MODEL_KEY, bundles.spaces())
        writer.write_images(bundles.MODEL_KEY, batches())


def test_small_batches_are_written_together_in_their_order(monkeypatch):
    batches = [pa.record_batch({"a": np.arange(start, start + 4)}) for start in range(0, 40, 4)]

    monkeypatch.setattr(lance_tables, "_BATCH_BYTES", 3 * batches[0].nbytes)
    joined = list(lance_tables._joined(iter(batches)))

    assert [batch.num_rows for batch in joined] == [12, 12, 12, 4]
    assert pa.Table.from_batches(joined)["a"].to_pylist() == list(range(40))


def test_lost_vectors_are_reported_as_damage(copy):
    bundle = open_bundle(copy)
    for file in (copy / VECTORS / f"images__{MODEL_KEY}.lance" / "data").iterdir():
        file.unlink()

    with pytest.raises(BundleDamaged, match="headlight bundle verify"):
        vectors.image_embeddings(bundle, MODEL_KEY)


def test_importing_vectors_does_not_load_lancedb():
    """
    It takes two seconds, which pages without vectors need not wait.
    """
    code = "import sys, db.queries, db.vectors; print('lancedb' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
