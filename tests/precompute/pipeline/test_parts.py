"""Parts of a run, by any number of processes, and what joins them: the bundle of one run."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from db.connection import open_bundle
from db.diff import diff
from precompute.__main__ import main
from precompute.inputs import images
from precompute.pipeline import parts, setup
from precompute.pipeline import run as pipeline_run
from precompute.runtime import work_files
from precompute.runtime.config import Config
from precompute.runtime.part import NotYet, Part, PartError
from precompute.stages import scan_images
from tests.conftest import small_config
from tests.support.calls import count_calls
from tests.support.commands import command


def differences(first, second) -> list[str]:
    return diff(open_bundle(first), open_bundle(second))


def merge(config, **how):
    return parts.merge(config, **how)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    """Ten files are read at a time: four pieces."""
    monkeypatch.setattr(scan_images, "_CHUNK", 10)


@pytest.fixture
def chunks_as_shipped(small_chunks, monkeypatch):
    """A thousand, as in processes of their own."""
    monkeypatch.setattr(scan_images, "_CHUNK", 1000)


@pytest.fixture(scope="module")
def all_parts(scene_folder, pool_file, tmp_path_factory):
    """The work directory of three parts that are done, in other batches and shards than the small bundle."""
    config = small_config(
        scene_folder, pool_file, tmp_path_factory.mktemp("parts") / "b", batch_size=7, shard_size=11
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan_images, "_CHUNK", 10)
        for number in (1, 2):
            with pytest.raises(NotYet):
                parts.run_part(config, Part(number, 3), wait=False)
        for number in (3, 2, 1):
            parts.run_part(config, Part(number, 3))
    return setup.work_directory(config.bundle)


@pytest.fixture
def config(all_parts, scene_folder, pool_file, tmp_path):
    """A run whose work directory is a copy of that."""
    shutil.copytree(all_parts, tmp_path / ".b.work")
    return small_config(scene_folder, pool_file, tmp_path / "b", batch_size=16, shard_size=11)


def shards(config) -> list:
    return sorted(setup.work_directory(config.bundle).glob("model-*/images/*.safetensors"))


def test_three_parts_and_a_merge_give_the_bundle_of_one_run(small_bundle, config, monkeypatch):
    scans, passes = (count_calls(monkeypatch, images, name) for name in ("scan", "pixel_batches"))

    merge(config, parts=3)

    assert scans == [] and passes == []
    assert differences(small_bundle, config.bundle) == []


def test_a_run_makes_what_parts_have_left(small_bundle, config):
    made = shards(config)
    made[0].unlink()
    before = {path: path.stat().st_mtime_ns for path in made[1:]}

    pipeline_run.run(config)

    assert differences(small_bundle, config.bundle) == []
    assert {path: path.stat().st_mtime_ns for path in made[1:]} == before


def test_a_merge_names_the_part_that_is_missing(config):
    shutil.rmtree(shards(config)[0].parent)

    with pytest.raises(PartError, match=r"4 of 5 .* part 1/3 \(2 .*part 2/3 \(1 "):
        merge(config, parts=3)
    with pytest.raises(PartError, match="4 of 5 .* --parts N"):
        merge(config)
    assert not config.bundle.exists()


def test_a_merge_names_the_part_that_has_not_read_its_files(config):
    listing = setup.scan(config, setup.work_directory(config.bundle), Part(1, 3))
    listing.chunks[2].unlink()

    with pytest.raises(PartError, match=r"1 of 4 .* part 3/3 \(1 "):
        merge(config, parts=3)


def test_other_options_than_those_of_the_parts_are_noticed(config, scene_folder, pool_file):
    with pytest.raises(PartError, match="All must be given the same options"):
        merge(small_config(scene_folder, pool_file, config.bundle, shard_size=9), parts=3)


def test_a_part_that_is_not_to_wait_says_for_whom_it_would(scene_folder, pool_file, tmp_path):
    config = small_config(scene_folder, pool_file, tmp_path / "b")

    says = r"3 of 4 pieces of 1,000 files are not read yet: part 1/3 \(2 pieces\), part 3/3 \(1 piece\)"
    with pytest.raises(NotYet, match=says):
        parts.run_part(config, Part(2, 3), wait=False)


def test_a_part_waits_for_the_others_and_says_so(scene_folder, pool_file, tmp_path, monkeypatch, capsys):
    config = small_config(scene_folder, pool_file, tmp_path / "b")
    monkeypatch.setattr(parts.time, "sleep", lambda _: setup.scan(config, tmp_path / ".b.work", Part(1, 2)))

    parts.run_part(config, Part(2, 2))

    assert "waiting: 2 of 4 pieces" in capsys.readouterr().err
    with pytest.raises(PartError, match=r"part 1/2 \(3 pieces\)\. "):
        merge(config, parts=2)


def start(arguments: list[str]) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "precompute", *arguments], stderr=subprocess.PIPE, text=True
    )


@pytest.mark.slow
@pytest.mark.usefixtures("chunks_as_shipped")
def test_parts_run_at_the_same_time(small_bundle, scene_folder, pool_file, tmp_path):
    """The command line: two processes, of which one waits for the other, then `merge`."""
    out = tmp_path / "b"
    both = [start(command(scene_folder, pool_file, out, "part", f"{number}/2")) for number in (1, 2)]

    said = [process.communicate()[1] for process in both]
    code = main(command(scene_folder, pool_file, out, "merge", "--parts", "2"))

    assert [process.returncode for process in both] == [0, 0], said
    assert "done: part 2/2" in said[1]
    assert code == 0 and differences(small_bundle, out) == []


@pytest.mark.slow
@pytest.mark.usefixtures("chunks_as_shipped")
def test_a_killed_part_goes_on(small_bundle, scene_folder, pool_file, tmp_path):
    arguments = command(scene_folder, pool_file, tmp_path / "b", "part", "1/2", "--alone")
    config = small_config(scene_folder, pool_file, tmp_path / "b", shard_size=8)
    process = start(arguments)
    while not shards(config) and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = len(shards(config))

    assert [main(arguments), main([arguments[0], "2/2", *arguments[2:]])] == [0, 0]
    merge(config, parts=2)

    assert 0 < before < 3 and differences(small_bundle, tmp_path / "b") == []


@pytest.fixture(scope="module")
def finished_machines(scene_folder, pool_file, tmp_path_factory) -> Path:
    """Each half of a run, made alone on a machine of its own: `one` and `other`."""
    machines = tmp_path_factory.mktemp("machines")
    for number, name in enumerate(("one", "other"), start=1):
        parts.run_part(
            small_config(scene_folder, pool_file, machines / name / "b"), Part(number, 2), alone=True
        )
    return machines


@pytest.fixture
def machines(finished_machines, scene_folder, pool_file, tmp_path) -> list[Config]:
    """A copy of both, to be changed."""
    shutil.copytree(finished_machines, tmp_path, dirs_exist_ok=True)
    return [small_config(scene_folder, pool_file, tmp_path / name / "b") for name in ("one", "other")]


@pytest.mark.usefixtures("chunks_as_shipped")
def test_work_directories_of_two_machines_are_joined(small_bundle, machines, capsys):
    first, second = machines
    cut = setup.work_directory(second.bundle) / "model-x" / "images" / "cut.safetensors"
    cut.parent.mkdir(parents=True)
    cut.write_bytes(shards(second)[0].read_bytes()[:1000])

    with pytest.raises(PartError, match=r"part 2/2 \(1 piece\)"):
        merge(first, parts=2)
    merge(first, parts=2, others=[setup.work_directory(second.bundle)])

    assert differences(small_bundle, first.bundle) == []
    assert "1 left out that are damaged" in capsys.readouterr().err


@pytest.mark.usefixtures("chunks_as_shipped")
def test_a_reading_that_could_open_all_files_takes_the_place_of_one_that_could_not(small_bundle, machines):
    first, second = machines
    [read_here] = (setup.work_directory(first.bundle) / "scan").glob("*.parquet")
    rows = work_files.load_table(read_here)
    rows.loc[0, "reason"] = "cannot be opened: input/output error"
    rows.loc[0, "image_id"] = None
    work_files.save_table(read_here, rows)

    merge(first, parts=2, others=[setup.work_directory(second.bundle)])

    assert differences(small_bundle, first.bundle) == []


@pytest.mark.usefixtures("chunks_as_shipped")
def test_parts_in_other_bases_are_refused(machines):
    """Another machine's SVD may turn a head's space: its coordinates would mean something else."""
    first, second = machines
    [file] = setup.work_directory(second.bundle).glob("model-*/spaces.safetensors")
    turned = work_files.load_tensors(file)
    turned["basis"][0, 0, 0] *= -1
    work_files.save_tensors(file, turned)

    with pytest.raises(PartError, match=r"bases \(model-.*spaces.safetensors\)"):
        merge(first, parts=2, others=[setup.work_directory(second.bundle)])


def test_a_directory_without_work_files_is_refused(config, tmp_path):
    (tmp_path / "elsewhere").mkdir()

    with pytest.raises(PartError, match="elsewhere holds no work files"):
        merge(config, others=[tmp_path / "elsewhere"])


def test_the_same_part_twice_is_refused(scene_folder, pool_file, tmp_path):
    config = small_config(scene_folder, pool_file, tmp_path / "b")

    with work_files.shared(tmp_path / ".b.work", "part-2-of-3"):
        with pytest.raises(work_files.WorkError, match="part-2-of-3"):
            parts.run_part(config, Part(2, 3))
        with pytest.raises(NotYet):  # another part is welcome
            parts.run_part(config, Part(1, 3), wait=False)


def test_a_part_that_came_too_early_ends_with_a_code_of_its_own(scene_folder, pool_file, tmp_path, capsys):
    code = main(command(scene_folder, pool_file, tmp_path / "b", "part", "2/2", "--no-wait"))

    assert code == 75
    said = capsys.readouterr().err
    assert "not yet: 2 of 4 pieces" in said and "Run the same command again" in said
