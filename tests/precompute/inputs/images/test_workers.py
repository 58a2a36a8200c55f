"""Worker processes: they do not change results, and their errors name the file."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from precompute.inputs import images
from precompute.inputs.images import ImagesError
from precompute.inputs.images.reading import _scan_file
from precompute.inputs.images.workers import WorkerDied, in_order
from tests.support.paths import ROOT
from tests.support.pictures import die, distinct, encoded, fail, mean_color, mixed_folder, noise


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return mixed_folder(tmp_path / "set")


def test_workers_give_the_results_of_one_process(folder):
    files = images.gather(folder).files * 10

    assert list(images.scan(files, workers=3)) == list(images.scan(files, workers=0))


def test_the_order_of_batches_does_not_depend_on_batch_size_and_workers(tmp_path):
    for number in range(7):
        (tmp_path / f"{number}.png").write_bytes(encoded(noise(9, 7, seed=number)))
    expected = distinct(tmp_path)
    alone = np.stack([mean_color(images.read(file.path)) for file in expected.values()])

    for batch_size, workers in [(1, 0), (3, 0), (3, 2), (100, 2)]:
        batches = list(images.pixel_batches(expected, mean_color, batch_size=batch_size, workers=workers))

        assert [image_id for ids, _ in batches for image_id in ids] == list(expected)
        assert [len(ids) for ids, _ in batches] == [len(pixels) for _, pixels in batches]
        assert np.array_equal(np.concatenate([pixels.numpy() for _, pixels in batches]), alone)


def test_workers_run_a_preprocess_of_torchvision(folder):
    import torch
    from torchvision.transforms import CenterCrop, Compose, Resize, ToTensor

    preprocess = Compose([Resize(8), CenterCrop(8), ToTensor()])

    ((_, here),) = images.pixel_batches(distinct(folder), preprocess, batch_size=8, workers=0)
    ((_, there),) = images.pixel_batches(distinct(folder), preprocess, batch_size=8, workers=1)

    assert here.shape == (2, 3, 8, 8) and here.dtype == torch.float32
    assert torch.equal(here, there)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_file_that_changed_after_the_scan_is_named(folder, workers):
    expected = distinct(folder)
    (folder / "b" / "a.jpg").write_bytes(encoded(noise(5, 5)))

    with pytest.raises(ImagesError, match=r"a\.jpg changed after it was scanned"):
        list(images.pixel_batches(expected, mean_color, batch_size=1, workers=workers))


@pytest.mark.parametrize("workers", [0, 1])
def test_an_unexpected_error_names_the_file(folder, workers):
    with pytest.raises(ArithmeticError, match="no such color") as error:
        list(images.pixel_batches(distinct(folder), fail, batch_size=1, workers=workers))

    assert error.value.__notes__ == [f"while reading {folder / 'b' / 'a.jpg'}"]


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_the_error_for_a_dead_worker_names_the_file_and_the_cause(folder):
    with pytest.raises(WorkerDied, match=r"a\.jpg was killed by SIGKILL .*memory"):
        list(images.pixel_batches(distinct(folder), die, batch_size=1, workers=2))


def test_a_preprocess_that_cannot_be_pickled_is_refused_at_once(folder):
    with pytest.raises(TypeError, match=r"preprocess .* workers=0"):
        next(images.pixel_batches(distinct(folder), lambda image: mean_color(image), batch_size=1, workers=1))


def test_reading_runs_only_a_window_ahead(folder):
    task_count = 0

    def endless_tasks():
        nonlocal task_count
        while True:
            task_count += 1
            yield (images.gather(folder).files[0], False)

    results = in_order(_scan_file, endless_tasks(), workers=2, window=6)
    for _ in range(20):
        next(results)
    results.close()

    assert task_count <= 26


INTERRUPTED = """
import multiprocessing, sys
from pathlib import Path
from precompute.inputs import images

if __name__ == "__main__":
    results = images.scan(images.gather(Path(sys.argv[1])).files * 100_000, workers=2)
    next(results)
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    for _ in results:
        pass
"""


def has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def start_scan(script: Path, folder: Path) -> subprocess.Popen:
    """Starts a process that scans images and prints the ids of its workers."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, str(script), str(folder)], text=True, env=environment, **pipes)


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_an_interrupted_scan_leaves_no_process_behind(folder, tmp_path):
    """After Ctrl-C, which allows a clean-up, and after SIGKILL; both at once to save time."""
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)

    with start_scan(script, folder) as interrupted, start_scan(script, folder) as killed:
        workers = [
            [int(pid) for pid in process.stdout.readline().split()] for process in (interrupted, killed)
        ]
        interrupted.send_signal(signal.SIGINT)
        killed.send_signal(signal.SIGKILL)
        _, errors = interrupted.communicate(timeout=30)
        killed.communicate(timeout=30)

    deadline = time.monotonic() + 5
    while not all(has_ended(pid) for pids in workers for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [len(pids) for pids in workers] == [2, 2]
    assert [has_ended(pid) for pids in workers for pid in pids] == [True] * 4
    assert errors.count("Traceback") == 1 and "KeyboardInterrupt" in errors
