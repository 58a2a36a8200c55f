"""Zips of strangers: nothing is unpacked that the manifest does not name, and nothing is left behind."""

import fcntl
import hashlib
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from db import bundle_files, table_sizes, unpacked_zip
from db.connection import open_bundle, query
from db.errors import BundleDamaged, BundleMissing, DiskFull
from db.layout import DATABASE, DIGEST, MANIFEST, VECTORS
from db.unpacked_zip import PREFIX
from tests.support.paths import ROOT
from tests.support.places import left_beside


def repack(zip_file: Path, change) -> None:
    """Writes the zip anew; `change` returns the bytes of a file, or None to leave it out."""
    with zipfile.ZipFile(zip_file) as old:
        files = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(zip_file, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in files.items():
            if (changed := change(name.split("/", 1)[1], data)) is not None:
                new.writestr(name, changed)


def patch_central_directory(zip_file: Path, offset: int, value: int) -> None:
    """Sets a field of two bytes in every entry of the central directory and in every local header."""
    data = bytearray(zip_file.read_bytes())
    for signature, place in ((b"PK\x01\x02", offset), (b"PK\x03\x04", offset - 2)):
        start = data.find(signature)
        while start >= 0:
            struct.pack_into("<H", data, start + place, value)
            start = data.find(signature, start + 4)
    zip_file.write_bytes(data)


def refused(zip_file: Path, message: str, error: type[Exception] = BundleDamaged) -> None:
    with pytest.raises(error, match=message):
        open_bundle(zip_file)
    assert left_beside(zip_file) == ["demo.zip"]


@pytest.mark.parametrize(
    "name", ["zeros.bin", "tiny/zeros.bin", "tiny/vectors.lance/zeros.bin", "../zeros.bin"]
)
def test_a_file_that_the_manifest_does_not_name_is_not_unpacked(zip_file, name):
    """6.5 MB became 3.2 GB."""
    with zipfile.ZipFile(zip_file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"\0" * 1_000_000)

    refused(zip_file, "zeros.bin'")


def test_what_macos_and_windows_add_is_left_out(zip_file):
    added = [
        "__MACOSX/demo/._manifest.json",
        "__MACOSX/._demo",
        "demo/.DS_Store",
        f"demo/{VECTORS}/.DS_Store",
    ]
    added += [f"demo/._{DATABASE}", "demo/__MACOSX/x", "demo/Thumbs.db", "demo/desktop.ini"]
    with zipfile.ZipFile(zip_file, "a") as archive:
        for name in added:
            archive.writestr(name, b"x")

    bundle = open_bundle(zip_file)

    assert bundle_files.unlisted(bundle_files.list_files(bundle.path), bundle.manifest["files"]) == []
    bundle.close()


@pytest.mark.parametrize("folder", ["", "mine/demo/", "a/b/demo/"])
def test_the_bundle_may_lie_in_folders_that_hold_nothing_else(zip_file, folder):
    with zipfile.ZipFile(zip_file) as old:
        files = {name.split("/", 1)[1]: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(zip_file, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in files.items():
            new.writestr(folder + name, data)
        new.writestr("__MACOSX/mine/._demo", b"x")

    bundle = open_bundle(zip_file)

    assert query(bundle, "select count(*) as n from head")["n"][0] == 8
    assert {file.name for file in bundle.path.iterdir()} == {DATABASE, DIGEST, MANIFEST, VECTORS}
    bundle.close()


def test_a_list_of_files_that_fills_the_memory_is_not_read(zip_file, monkeypatch):
    monkeypatch.setattr(unpacked_zip, "MAX_DIRECTORY", 1000)

    refused(zip_file, r"its list of files has \d+ bytes, more than 1000")
    assert not unpacked_zip.is_bundle_zip(zip_file)


def test_a_zip_that_unpacks_too_far_is_refused(zip_file, monkeypatch):
    monkeypatch.setattr(table_sizes, "ROOM", 0)
    monkeypatch.setattr(table_sizes, "RATIO", 1)

    refused(zip_file, r"it unpacks to \d MB, from \d MB; no bundle does")


def test_a_file_larger_than_the_manifest_says_is_refused(zip_file):
    repack(zip_file, lambda name, data: data + b"\0" * 10**6 if name == DATABASE else data)

    refused(zip_file, f"{DATABASE} has .* bytes, but had")


def test_a_file_twice_is_refused(zip_file):
    with zipfile.ZipFile(zip_file, "a") as archive, pytest.warns(UserWarning):
        archive.writestr(f"tiny/{DATABASE}", b"x")

    refused(zip_file, "it holds a name twice")


@pytest.mark.parametrize("lost", [DATABASE, DIGEST])
def test_a_file_that_the_zip_lacks_is_named(zip_file, lost):
    repack(zip_file, lambda name, data: None if name == lost else data)

    refused(zip_file, lost)


def test_a_zip_of_something_else_is_no_bundle(zip_file):
    repack(zip_file, lambda name, data: None if name == MANIFEST else data)

    refused(zip_file, "no bundle at", BundleMissing)


def test_an_encrypted_zip_says_so(zip_file):
    patch_central_directory(zip_file, 8, 1)

    refused(zip_file, "is encrypted")


@pytest.mark.parametrize("method", [12, 97])
def test_another_compression_is_named(zip_file, method):
    patch_central_directory(zip_file, 10, method)

    refused(zip_file, f"is compressed by method {method}; use deflate")


@pytest.mark.parametrize("place", [0.2, 0.5, 0.8, 0.999])
def test_a_damaged_zip_is_damage(zip_file, place):
    data = bytearray(zip_file.read_bytes())
    start = int(place * len(data))
    data[start : start + 40] = b"\xff" * len(data[start : start + 40])
    zip_file.write_bytes(data)

    refused(zip_file, "", (BundleDamaged, BundleMissing))  # type: ignore[arg-type]


def test_a_zip_that_the_disk_does_not_hold_is_not_unpacked(zip_file, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 1000, 1000))

    refused(zip_file, "GB unpacked, and 0.0 GB are free", DiskFull)


def test_a_folder_that_a_killed_process_left_is_removed_by_the_next(zip_file):
    code = f"import time; from db.connection import open_bundle; b = open_bundle({str(zip_file)!r})\n"
    code += "print(b.path, flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    left = Path(process.stdout.readline().strip())

    with open_bundle(zip_file).connection:
        assert left.is_dir()  # in use
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert left.is_dir()
    bundle = open_bundle(zip_file)

    assert not left.exists()
    bundle.close()
    assert left_beside(zip_file) == ["demo.zip"]


def test_a_folder_of_that_name_that_is_a_link_is_left_alone(zip_file, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    (tmp_path / f"{PREFIX}abcdefgh").symlink_to(tmp_path / "mine")

    open_bundle(zip_file).close()

    assert (tmp_path / "mine" / "thesis.txt").read_text() == "mine"


def test_a_folder_in_use_is_locked(zip_file):
    bundle = open_bundle(zip_file)
    handle = os.open(bundle.path.parent, os.O_RDONLY)

    with pytest.raises(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    os.close(handle)
    bundle.close()


def test_folders_in_folders_without_end_are_not_unpacked(zip_file):
    """To remove them again is a recursion that Python ends, there and at the next opening of any zip."""
    deep = [f"{VECTORS}{'/a' * depth}/file" for depth in range(300, 1801, 300)]
    with zipfile.ZipFile(zip_file) as archive:
        manifest = json.loads(archive.read(f"tiny/{MANIFEST}"))
    for name in deep:
        manifest["files"][name] = {"sha256": hashlib.sha256(b"").hexdigest(), "bytes": 0}
    text = json.dumps(manifest)
    seal = {MANIFEST: text, DIGEST: hashlib.sha256(text.encode()).hexdigest()}
    repack(zip_file, lambda name, data: seal.get(name, data))
    with zipfile.ZipFile(zip_file, "a") as archive:
        for name in deep:
            archive.writestr(f"tiny/{name}", b"")

    refused(zip_file, '"files" is not')
