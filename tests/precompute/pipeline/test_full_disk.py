"""A full disk: a clear message, nothing lost, nothing half-written under a final name."""

import pytest

from db import ddl
from db.connection import open_bundle, query
from db.diff import diff
from db.disk_full import disk_full_error
from db.errors import DiskFull
from precompute.__main__ import main
from precompute.pipeline.setup import work_directory
from tests.conftest import CONTROL
from tests.support import bundles
from tests.support.disks import empty, leave, small_disk

KB = 1024


@pytest.fixture
def full_disk(tmp_path):
    with small_disk(tmp_path / "disk", 24) as place:
        yield place


def finished(work):
    """Work files with their final names, and what changes when one is written again."""
    return {
        path: (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in work.rglob("*")
        if path.suffix in (".safetensors", ".parquet")
    }


def size(directory):
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def test_a_run_stops_with_a_message_and_goes_on_once_there_is_room(
    small_bundle, scene_folder, pool_file, full_disk, capsys
):
    """First there is too little room for the work files, then for the bundle, then there is enough."""
    out = full_disk / "b"
    options = {"layers": 2, "picks": 6, "rotations": 19, "replicates": 2, "gallery-images": 8}
    options |= {"workers": 0, "shard-size": 16, "model": CONTROL, "metadata": scene_folder / "attributes.csv"}
    options |= {"images": scene_folder, "texts": pool_file, "bundle": out}
    command = ["run", "--no-controls", *(f"--{name}={value}" for name, value in options.items())]

    needed = size(work_directory(small_bundle))
    leave(full_disk, needed // 2)
    code, said, work = main(command), capsys.readouterr().err, work_directory(out)
    before = finished(work)

    assert code == 1
    assert f"could not write {work}" in said and "Free some space and run the same command again" in said
    assert before and not list(work.rglob("*.writing"))

    leave(full_disk, needed - size(work) + size(small_bundle) // 2)
    code, said = main(command), capsys.readouterr().err
    assert code == 1
    assert f"could not write {out}:" in said
    assert "Free some space and run the same command again; " in said
    assert {path.name for path in full_disk.iterdir()} == {"filler", work.name}
    assert before.items() <= finished(work).items()
    before = finished(work)

    empty(full_disk)
    assert main(command) == 0
    assert finished(work) == before
    assert diff(open_bundle(small_bundle), open_bundle(out)) == []


@pytest.mark.slow
def test_a_bundle_that_finds_no_room_leaves_the_old_one_as_it_was(tmp_path, full_disk):
    """Whether DuckDB, Lance or the manifest meets the end of the disk: from none free to enough of it."""
    whole = open_bundle(bundles.write_bundle(tmp_path / "whole"))
    out, free, refused = bundles.write_bundle(full_disk / "demo"), 0, 0
    while True:
        leave(full_disk, free)
        try:
            bundles.write_bundle(out, replace=True)
            break
        except DiskFull as error:
            refused += 1
            assert f"could not write {out}: no space left on device" in str(error)
        assert {path.name for path in full_disk.iterdir()} == {"filler", "demo"}
        kept = open_bundle(out)
        assert query(kept, "select count(*) as n from image").n[0] > 0
        kept.close()
        free = max(64 * KB, free * 3 // 2)

    assert refused >= 5
    assert diff(whole, open_bundle(out)) == []


def test_no_room_for_what_duckdb_puts_aside_is_a_full_disk_too(full_disk):
    connection = ddl.create(full_disk / "t.duckdb")
    connection.execute("set memory_limit = '24MB'")
    connection.execute("set threads = 1")
    leave(full_disk, 1024 * KB)

    with pytest.raises(Exception, match="max_temp_directory_size") as met:
        connection.execute(
            "create table memory.main.sorted as "
            "select i, repeat(md5(i::varchar), 8) from range(300000) as t(i) order by hash(i)"
        )

    told = disk_full_error(full_disk / "b", met.value)
    assert "no room for temporary files on its disk. Free some space" in str(told)
    connection.close()
