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
from db.errors import BundleBusy, StoreError
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
