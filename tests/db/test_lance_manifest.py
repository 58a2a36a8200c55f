"""Manifests of Lance tables from strangers."""

import struct
import time

from db.lance_manifest import foreign_features


def test_a_number_without_an_end_is_refused_at_once(tmp_path):
    """The time grew with the square of its length: 16 MB would have taken hours."""
    (tmp_path / "_versions").mkdir()
    number = b"\xff" * 3_000_000
    data = struct.pack("<I", len(number)) + number + struct.pack("<q", 0) + b"\0\0\0\0LANC"
    (tmp_path / "_versions" / "1.manifest").write_bytes(data)
    start = time.perf_counter()

    assert foreign_features(tmp_path) == ["1.manifest"]
    assert time.perf_counter() - start < 1
