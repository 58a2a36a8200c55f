"""Worker processes: they change no result, and what goes wrong in one names the file."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from precompute.inputs import images
from precompute.inputs.images import ImagesError, WorkerDied
from precompute.inputs.images.reading import _examine
from precompute.inputs.images.workers import in_order
from tests.support.paths import ROOT
from tests.support.pictures import (
    die,
    distinct,
    encoded,
    fail,
    mean_color,
    mixed_folder,
    noise,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return mixed_folder(tmp_path / "set")


def test_workers_find_what_one_process_finds(folder):
    files = images.gather(folder).files * 10

    assert list(images.scan(files, workers=3)) == list(images.scan(files, workers=0))


def test_batches_come_in_order_whatever_the_batch_size_and_workers(tmp_path):
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

    with pytest.raises(ImagesError, match=r"a\.jpg changed after it was scanned. Run again"):
        list(images.pixel_batches(expected, mean_color, batch_size=1, workers=workers))


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_that_nobody_foresaw_names_the_file(folder, workers):
    with pytest.raises(ArithmeticError, match="no such color") as error:
        list(images.pixel_batches(distinct(folder), fail, batch_size=1, workers=workers))

    assert error.value.__notes__ == [f"while reading {folder / 'b' / 'a.jpg'}"]


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_a_worker_that_dies_names_the_file_and_what_ended_it(folder):
    with pytest.raises(WorkerDied, match=r"read .*a\.jpg was killed by SIGKILL .*memory.*fewer workers"):
        list(images.pixel_batches(distinct(folder), die, batch_size=1, workers=2))


def test_a_preprocess_that_cannot_be_sent_is_refused_at_once(folder):
    with pytest.raises(TypeError, match=r"preprocess cannot be sent to worker processes .* Use workers=0"):
        next(images.pixel_batches(distinct(folder), lambda image: mean_color(image), batch_size=1, workers=1))


def test_reading_runs_only_a_window_ahead(folder):
    taken = []

    def endless():
        while True:
            taken.append(len(taken))
            yield (images.gather(folder).files[0], False)

    results = in_order(_examine, endless(), workers=2, window=6)
    for _ in range(20):
        next(results)
    results.close()

    assert len(taken) <= 26


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


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def scanning(script: Path, folder: Path) -> subprocess.Popen:
    """A process in the middle of a scan, once it has printed the ids of its workers."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, str(script), str(folder)], text=True, env=environment, **pipes)


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_an_interrupted_scan_leaves_no_process_behind(folder, tmp_path):
    """Whether it could clean up (Ctrl-C) or not (SIGKILL); both at once, for starting one takes a second."""
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)

    with scanning(script, folder) as asked, scanning(script, folder) as killed:
        workers = [[int(pid) for pid in process.stdout.readline().split()] for process in (asked, killed)]
        asked.send_signal(signal.SIGINT)
        killed.send_signal(signal.SIGKILL)
        _, errors = asked.communicate(timeout=30)
        killed.communicate(timeout=30)

    deadline = time.monotonic() + 5
    while not all(gone(pid) for pids in workers for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [len(pids) for pids in workers] == [2, 2]
    assert [gone(pid) for pids in workers for pid in pids] == [True] * 4
    assert errors.count("Traceback") == 1 and "KeyboardInterrupt" in errors
