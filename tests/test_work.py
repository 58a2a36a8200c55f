"""Work files appear whole or not at all, and belong to one run at a time."""

import os
import signal
import subprocess
import sys

import pandas as pd
import pytest
import torch

from precompute import work
from tests.pictures import without_root


def test_tensors_come_back_as_they_were_saved(tmp_path):
    tensors = {"a": torch.arange(6.0).reshape(2, 3).T, "b": torch.tensor([1, 2])}

    work.save_tensors(tmp_path / "x" / "t.safetensors", tensors)

    loaded = work.load_tensors(tmp_path / "x" / "t.safetensors")
    assert torch.equal(loaded["a"], tensors["a"])
    assert torch.equal(loaded["b"], tensors["b"])


def test_a_table_with_pictures_comes_back(tmp_path):
    table = pd.DataFrame({"image_id": ["a", "b"], "thumbnail": [b"\xff\xd8", None]})

    work.save_table(tmp_path / "t.parquet", table)

    assert work.load_table(tmp_path / "t.parquet").thumbnail.tolist() == [b"\xff\xd8", None]


def test_a_file_that_fails_half_way_never_takes_its_name(tmp_path):
    with pytest.raises(RuntimeError, match="half way"), work.appearing_whole(tmp_path / "t") as aside:
        aside.write_text("half")
        raise RuntimeError("half way")

    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("name", ["t.safetensors", "t.parquet"])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, name):
    path = tmp_path / name
    work.save_tensors(path, {"a": torch.zeros(9)})
    load = work.load_tensors
    if path.suffix == ".parquet":
        work.save_table(path, pd.DataFrame({"a": [1]}))
        load = work.load_table
    path.write_bytes(path.read_bytes()[:40])

    with pytest.raises(work.WorkError, match=rf"{name} is damaged .*Delete it"):
        load(path)


def test_a_folder_that_may_not_be_written_is_refused(tmp_path):
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o555)
    with (
        without_root(),
        pytest.raises(work.WorkError, match=r"shut/\.b\.work: Permission denied. Give another --bundle"),
        work.locked(shut / ".b.work"),
    ):
        pass


_FULL = """
import resource, sys, pathlib, torch
from precompute import work
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    work.save_tensors(pathlib.Path(sys.argv[1]), {"a": torch.zeros(100_000)})
except work.WorkError as error:
    print(error)
"""


def test_a_full_disk_is_told_and_leaves_nothing_half_written(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path / "t.safetensors")], capture_output=True, text=True
    )

    assert "Free some space and run the same command again" in done.stdout, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_keys_differ_with_what_they_depend_on():
    assert work.key_of("a", {"layers": 4}) == work.key_of("a", {"layers": 4})
    assert work.key_of("a", {"layers": 4}) != work.key_of("a", {"layers": 5})
    assert len(work.key_of("a")) == 16


_HOLD = "import sys, time, pathlib; from precompute import work\n"
_HOLD += "with work.locked(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"


def test_a_second_run_is_refused_and_a_kill_releases_the_first(tmp_path):
    first = subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout.readline().strip() == "held"
        with pytest.raises(work.WorkError, match="another run is writing"), work.locked(tmp_path):
            pass
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()

    with work.locked(tmp_path) as directory:
        assert directory == tmp_path
