"""Items in several processes: in order, the most expensive first, with their errors; no process stays."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from precompute.runtime import devices, processes, progress
from precompute.runtime.processes import ProcessDied
from tests.support.paths import ROOT

# Slow: every process imports torch.
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="needs signals")]


def turns(*costs: float) -> list[progress.Turn]:
    return [progress.Turn(f"model {number}", "B", cost) for number, cost in enumerate(costs)]


def work(number: int) -> tuple[int, float, int]:
    """A pass of two pieces; returns when it began and how many threads it had."""
    began = time.monotonic()
    if number == 7:
        raise ArithmeticError("seven has no result")
    if number == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    progress.say(f"at work on {number}")
    for _ in progress.track(range(2), "pass", total=2):
        pass
    assert torch.get_num_threads() == devices.threads() == 1
    return number, began, os.getpid()


def test_results_are_in_order_and_the_most_expensive_item_comes_first(capsys):
    results = processes.each(work, [3, 4, 5], turns(1, 9, 2), 1)

    assert [number for number, _, _ in results] == [3, 4, 5]
    began = [time_ for _, time_, _ in results]
    assert sorted(began) == [began[1], began[2], began[0]]
    lines = capsys.readouterr().err.replace("\r", "\n").splitlines()
    assert "model 1: at work on 4" in lines and "model 3 of 3, model 0" in [
        line.split("; ")[0] for line in lines
    ]


def test_an_error_is_raised_as_it_is_and_a_kill_names_the_item(capsys):
    with pytest.raises(ArithmeticError, match="seven has no result"):
        processes.each(work, [7], turns(1), 2)
    with pytest.raises(ProcessDied, match=r"model 0 was killed by SIGKILL .*memory.*--at-once"):
        processes.each(work, [9], turns(1), 1)


ENDLESS = """
import os, sys, time
from precompute.runtime import processes, progress

def endless(number):
    with progress.bar("endless", total=1):
        progress.say(f"pid {os.getpid()}")
        while True:
            sum(range(10_000))

if __name__ == "__main__":
    turn = progress.Turn("m", "B", None)
    try:
        processes.each(endless, [0, 1], [turn, turn], 2)
    except KeyboardInterrupt:
        sys.exit(130)
"""


def has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize(
    ("signal_number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15), (signal.SIGKILL, -9)]
)
def test_no_process_outlives_the_run_that_started_it(tmp_path, signal_number, code):
    (tmp_path / "endless.py").write_text(ENDLESS)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(tmp_path / "endless.py")]
    run = subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    pids: list[int] = []
    while len(pids) < 2:
        line = run.stderr.readline()
        pids += [int(line.split("pid ")[1])] if "pid " in line else []

    run.send_signal(signal_number)

    assert run.wait(timeout=60) == code
    deadline = time.monotonic() + 30
    while not all(map(has_ended, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert all(map(has_ended, pids))
    assert "leaked" not in run.stderr.read()
