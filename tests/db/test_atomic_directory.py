"""A bundle takes its place whole: a second writer, a kill and an interrupt leave the old one."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from db.atomic_directory import AtomicDirectory
from db.connection import open_bundle
from db.diff import diff
from db.errors import BundleBusy, BundleExists, StoreError
from db.store import BundleWriter
from tests.support import bundles
from tests.support.paths import ROOT
from tests.support.places import input_id, left_beside


def test_an_interrupted_replacement_leaves_the_old_bundle(taken):
    with pytest.raises(KeyboardInterrupt), BundleWriter(taken, input_id="new", replace=True):
        raise KeyboardInterrupt

    assert input_id(taken) == "tiny"
    assert left_beside(taken) == ["demo"]


def test_a_second_writer_is_refused_while_the_first_writes(out):
    with BundleWriter(out, input_id="x"):
        with pytest.raises(BundleBusy, match="another run is writing"):
            BundleWriter(out, input_id="x")
        assert ".demo.building" in left_beside(out)

    BundleWriter(out, input_id="x").__exit__(None, None, None)
    assert left_beside(out) == []


def test_a_killed_writer_harms_nothing_and_the_next_one_ends_in_the_same_bundle(tiny, taken):
    """
    kill -9 in the middle of writing: the old bundle stays whole, the next run clears up.
    """
    code = (
        "import time; from db.store import BundleWriter; from tests.support import bundles\n"
        f"writer = BundleWriter({str(taken)!r}, input_id='new', replace=True)\n"
        "bundles.write_tables(writer)\n"
        "print('writing', flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert ".demo.building" in left_beside(taken)
    assert input_id(taken) == "tiny"

    bundles.write_bundle(taken, replace=True)

    assert left_beside(taken) == ["demo"]
    assert diff(tiny, open_bundle(taken)) == []


def test_a_kill_between_the_two_renames_is_repaired(taken):
    """
    Old bundle moved aside, new one not yet in place: the next writer gives the old one its name back.
    """
    taken.rename(taken.with_name(".demo.old"))
    with pytest.raises(StoreError, match="replacing it was interrupted"):
        open_bundle(taken)

    with BundleWriter(taken, input_id="new", replace=True):
        pass

    assert input_id(taken) == "tiny"
    assert left_beside(taken) == ["demo"]


def test_an_interrupt_between_the_two_renames_is_repaired_at_once(taken):
    aside = AtomicDirectory(taken, replace=True)
    taken.rename(taken.with_name(".demo.old"))

    aside.abandon()

    assert input_id(taken) == "tiny"
    assert left_beside(taken) == ["demo"]


def test_a_kill_before_the_old_bundle_is_removed_is_repaired(taken):
    shutil.copytree(taken, taken.with_name(".demo.old"))

    with BundleWriter(taken, input_id="new", replace=True):
        pass

    assert input_id(taken) == "tiny"
    assert left_beside(taken) == ["demo"]


@pytest.mark.parametrize("name", ["thesis.txt", "vectors.lance/thesis.txt", "drafts/thesis.txt"])
def test_a_file_that_the_manifest_does_not_name_is_not_removed(taken, name):
    (taken / name).parent.mkdir(exist_ok=True)
    (taken / name).write_text("mine")

    with pytest.raises(BundleExists, match=f"holds files that are not of the bundle: {name}. Nothing was"):
        BundleWriter(taken, input_id="new", replace=True)

    assert (taken / name).read_text() == "mine"
    assert input_id(taken) == "tiny" if "lance" not in name else True
    assert left_beside(taken) == ["demo"]


def test_a_file_that_comes_while_the_bundle_is_written_is_not_removed(taken):
    with (
        pytest.raises(BundleExists, match="thesis.txt"),
        BundleWriter(taken, input_id="new", replace=True) as w,
    ):
        bundles.write_tables(w)
        for key in bundles.MODELS:
            bundles.write_vectors(w, key)
        (taken / "thesis.txt").write_text("mine")
        w.finish()

    assert (taken / "thesis.txt").read_text() == "mine"
    assert input_id(taken) == "tiny"


@pytest.mark.parametrize("suffix", ["old", "building"])
def test_a_persons_folder_of_the_name_of_ours_is_not_removed(out, suffix):
    folder = out.with_name(f".demo.{suffix}")
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    if suffix == "old":
        out.mkdir()

    with pytest.raises(BundleExists, match="thesis.txt"):
        BundleWriter(out, input_id="new", replace=True)

    assert (folder / "thesis.txt").read_text() == "mine"


def test_a_linked_output_stays_a_link_and_its_target_is_replaced(taken, tmp_path):
    (tmp_path / "disk").mkdir()
    taken.rename(tmp_path / "disk" / "demo")
    taken.symlink_to("disk/demo")

    bundles.write_bundle(taken, input_id="new", replace=True)

    assert taken.is_symlink()
    assert input_id(tmp_path / "disk" / "demo") == "new"
    assert left_beside(taken) == ["demo", "disk"]


def test_a_link_to_nothing_yet_is_filled(out, tmp_path):
    out.symlink_to("disk/demo")

    bundles.write_bundle(out)

    assert out.is_symlink()
    assert input_id(tmp_path / "disk" / "demo") == "tiny"
