"""Work files appear whole or not at all, and belong to one run at a time."""

import os
import signal
import subprocess
import sys

import pandas as pd
import pytest
import torch

from precompute.runtime import work_files
from tests.support.pictures import without_root


def test_tensors_come_back_as_they_were_saved(tmp_path):
    tensors = {"a": torch.arange(6.0).reshape(2, 3).T, "b": torch.tensor([1, 2])}

    work_files.save_tensors(tmp_path / "x" / "t.safetensors", tensors)

    loaded = work_files.load_tensors(tmp_path / "x" / "t.safetensors")
    assert torch.equal(loaded["a"], tensors["a"])
    assert torch.equal(loaded["b"], tensors["b"])


def test_a_table_with_pictures_comes_back(tmp_path):
    table = pd.DataFrame({"image_id": ["a", "b"], "thumbnail": [b"\xff\xd8", None]})

    work_files.save_table(tmp_path / "t.parquet", table)

    assert work_files.load_table(tmp_path / "t.parquet").thumbnail.tolist() == [b"\xff\xd8", None]


def test_a_file_that_fails_half_way_never_takes_its_name(tmp_path):
    with pytest.raises(RuntimeError, match="half way"), work_files.atomic_write(tmp_path / "t") as aside:
        aside.write_text("half")
        raise RuntimeError("half way")

    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("name", ["t.safetensors", "t.parquet"])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, name):
    path = tmp_path / name
    work_files.save_tensors(path, {"a": torch.zeros(9)})
    load = work_files.load_tensors
    if path.suffix == ".parquet":
        work_files.save_table(path, pd.DataFrame({"a": [1]}))
        load = work_files.load_table
    path.write_bytes(path.read_bytes()[:40])

    with pytest.raises(work_files.WorkError, match=rf"{name} is damaged .*Delete it"):
        load(path)


TENSORS = {"a": torch.randn(5, 7), "b": torch.arange(3), "empty": torch.zeros(0), "yes": torch.tensor(True)}
TABLE = pd.DataFrame(
    {"path": ["a", "b"], "width": [3, None], "thumbnail": [b"\xff\xd8", None], "reason": [None, "cut off"]}
).assign(
    value=pd.array([0.5, None], dtype="Float64"),
    kind=pd.Categorical(["b", "a"], categories=["z", "b", "a"]),
    texts=[["x", "y"], None],
    made=pd.to_datetime(["2026-11-30", None]).astype("datetime64[s]"),
)
KINDS = {
    "t.safetensors": (work_files.save_tensors, TENSORS, work_files.load_tensors),
    "t.parquet": (work_files.save_table, TABLE, work_files.load_table),
    "t.json": (work_files.save_text, '["a", 3]', work_files.load_text),
}


def same(one, other) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            one[key].dtype == other[key].dtype and torch.equal(one[key], other[key]) for key in one
        )
    return one.equals(other) if isinstance(one, pd.DataFrame) else one == other


@pytest.mark.parametrize("name", KINDS)
def test_no_flipped_bit_changes_what_is_read(name, tmp_path):
    """A bit that nothing depends on, such as padding, may be flipped; no other. Every bit was tried once."""
    path, (save, content, load) = tmp_path / name, KINDS[name]
    save(path, content)
    whole, loaded = path.read_bytes(), load(path)
    damaged = 0

    for bit in range(0, 8 * len(whole), step := 1 + len(whole) // 50):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            assert same(load(path), loaded), f"bit {bit} goes unseen"
        except work_files.DamagedFile:
            damaged += 1

    assert damaged > 4 * len(whole) / step


def test_the_columns_that_are_read_are_checked(tmp_path):
    work_files.save_table(tmp_path / "t.parquet", TABLE)
    whole = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "t.parquet").write_bytes(whole.replace(b"cut off", b"cut Off"))

    assert work_files.load_table(tmp_path / "t.parquet", ["path"]).path.tolist() == ["a", "b"]
    with pytest.raises(work_files.DamagedFile):
        work_files.load_table(tmp_path / "t.parquet", ["reason"])


def test_a_damaged_result_is_computed_again(tmp_path, capsys):
    path = tmp_path / "t.safetensors"
    work_files.save_tensors(path, {"a": torch.zeros(3)})
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")

    assert work_files.load_or_compute(path, lambda: {"a": torch.ones(3)})["a"].tolist() == [1, 1, 1]
    assert "t.safetensors is damaged" in capsys.readouterr().err


def test_a_file_without_a_checksum_is_damaged(tmp_path):
    TABLE.to_parquet(tmp_path / "t.parquet", index=False)

    with pytest.raises(work_files.DamagedFile, match="not stated"):
        work_files.load_table(tmp_path / "t.parquet")


def test_damaged_bases_take_all_that_depends_on_them_along(tmp_path):
    path = tmp_path / "model-1" / "bases.safetensors"
    work_files.save_tensors(path, {"basis": torch.zeros(3)})
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")

    with pytest.raises(work_files.DamagedFile, match="Delete its folder .*model-1;"):
        work_files.load_or_publish_first(path, dict)


def test_a_folder_that_may_not_be_written_is_refused(tmp_path):
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o555)
    with (
        without_root(),
        pytest.raises(work_files.WorkError, match=r"shut/\.b\.work: Permission denied.* --bundle"),
        work_files.locked(shut / ".b.work"),
    ):
        pass


_FULL = """
import resource, sys, pathlib, torch
from precompute.runtime import work_files
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    work_files.save_tensors(pathlib.Path(sys.argv[1]), {"a": torch.zeros(100_000)})
except work_files.WorkError as error:
    print(error)
"""


def test_a_full_disk_is_an_error_and_leaves_no_partial_file(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path / "t.safetensors")], capture_output=True, text=True
    )

    assert "Free some space and run the same command again" in done.stdout, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_keys_differ_with_what_they_depend_on():
    assert work_files.key_of("a", {"layers": 4}) == work_files.key_of("a", {"layers": 4})
    assert work_files.key_of("a", {"layers": 4}) != work_files.key_of("a", {"layers": 5})
    assert len(work_files.key_of("a")) == 16


_HOLD = "import sys, time, pathlib; from precompute.runtime import work_files\n"
_HOLD += "with work_files.locked(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"


def test_a_second_run_is_refused_and_a_kill_releases_the_first(tmp_path):
    first = subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout.readline().strip() == "held"
        with pytest.raises(work_files.WorkError, match="another run is writing"), work_files.locked(tmp_path):
            pass
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()

    with work_files.locked(tmp_path) as directory:
        assert directory == tmp_path


_PART = "import sys, time, pathlib; from precompute.runtime import work_files\n"
_PART += "with work_files.shared(pathlib.Path(sys.argv[1]), 'part-1-of-2'):\n"
_PART += "    print('held', flush=True); time.sleep(60)"


def test_parts_share_a_directory_each_alone_in_its_own(tmp_path):
    first = subprocess.Popen([sys.executable, "-c", _PART, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout.readline().strip() == "held"
        with work_files.shared(tmp_path, "part-2-of-2"):
            pass
        with (
            pytest.raises(work_files.WorkError, match="on part-1-of-2"),
            work_files.shared(tmp_path, "part-1-of-2"),
        ):
            pass
        with (
            pytest.raises(work_files.WorkError, match="parts of a run are writing"),
            work_files.locked(tmp_path),
        ):
            pass
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()

    with work_files.shared(tmp_path, "part-1-of-2"):
        pass
    with (
        work_files.locked(tmp_path),
        pytest.raises(work_files.WorkError, match="a run is writing"),
        work_files.shared(tmp_path, "part-1-of-2"),
    ):
        pass


def test_two_processes_that_write_one_file_do_not_meet(tmp_path):
    with work_files.atomic_write(tmp_path / "t") as mine, work_files.atomic_write(tmp_path / "t") as theirs:
        mine.write_text("mine")
        theirs.write_text("theirs")

    assert (tmp_path / "t").read_text() == "mine"
    assert list(tmp_path.iterdir()) == [tmp_path / "t"]


def test_what_killed_processes_left_is_removed_by_who_is_alone(tmp_path):
    with work_files.atomic_write(tmp_path / "deep" / "t") as aside:
        aside.write_text("half")
        left = aside.rename(aside.with_name(aside.name.replace(".t.", ".u.")))
        aside.write_text("whole")

    with work_files.shared(tmp_path, "part-1-of-1"):
        assert left.exists()
    with work_files.locked(tmp_path):
        assert not left.exists() and (tmp_path / "deep" / "t").exists()


def test_a_work_file_is_brought_whole_or_not_at_all(tmp_path):
    there, cut = tmp_path / "there.safetensors", tmp_path / "cut.safetensors"
    work_files.save_tensors(there, {"a": torch.arange(1000)})
    cut.write_bytes(there.read_bytes()[:4000])

    assert work_files.import_file(there, tmp_path / "x" / "here.safetensors")
    assert not work_files.import_file(cut, tmp_path / "x" / "cut.safetensors")

    assert [path.name for path in (tmp_path / "x").iterdir()] == ["here.safetensors"]
    assert (tmp_path / "x" / "here.safetensors").read_bytes() == there.read_bytes()


def test_of_several_who_compute_the_same_all_go_on_with_the_first(tmp_path):
    path = tmp_path / "bases.safetensors"

    def slower():
        work_files.save_tensors(path, {"basis": torch.ones(2)})  # somebody else is done meanwhile
        return {"basis": torch.zeros(2)}

    assert work_files.load_or_publish_first(path, slower)["basis"].tolist() == [1, 1]
    assert work_files.load_or_publish_first(path, slower)["basis"].tolist() == [1, 1]
    assert [file.name for file in tmp_path.iterdir()] == ["bases.safetensors"]
