"""Peak memory of a whole run for several numbers of images; it must not grow with the number.

`python -m bench.memory --images 2000 20000` creates these numbers of different pictures, runs
`python -m precompute run` on each set, and prints the peak memory of the main process, of all processes
together, and of each stage. The target is a change of at most 10 % from the first number to the last. Options
after `--` are passed to the run, such as `-- --model ViT-B-32/openai-random-0`.

The peak of the main process is ru_maxrss. Memory of all processes is the sum of their PSS (shared pages count
once), read from /proc twice a second; systems without /proc report 0.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from PIL import Image

from bench import argument_parser

TARGET_PERCENT = 10.0
POOL = Path("precompute/texts/demo.tsv")
RUN = ("--model", "ViT-emoji-S-16/pictures_1", "--no-controls")
SCENES = 100
"""Number of scenes that are drawn; all further pictures are shifted copies of them."""

SECONDS_BETWEEN = 0.5
STAGE = re.compile(r"^(?:  (\S.*?) *:|(loading|writing) )", re.MULTILINE)
"""Stage in the output of a run: the name of a progress bar, or the first word of a line."""


class Peak(NamedTuple):
    """Peak memory of one run."""

    process: float
    """Peak of the main process, MB."""

    all_processes: float
    """Peak of all processes together, MB; 0 if the system does not report it."""

    by_stage: dict[str, float]
    """Peak of all processes together in each stage, MB."""

    seconds: float


def main() -> int:
    """Prints the peaks; the exit code is 0 if the target is met."""
    parser = argument_parser(__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[2000, 20000], metavar="COUNT")
    parser.add_argument(
        "--work", type=Path, help="folder for pictures and bundles (default: a temporary one)"
    )
    parser.add_argument(
        "options", nargs="*", metavar="-- OPTION", help=f"options of the run (default: {' '.join(RUN)})"
    )
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(dir=options.work) as work:
        peaks = {count: measure(Path(work), count, options.options or list(RUN)) for count in options.images}
    by_process = growth([peak.process for peak in peaks.values()])
    by_all = growth([peak.all_processes for peak in peaks.values()])
    print(
        f"from {min(peaks):,} to {max(peaks):,} images: main process {by_process:+.1f} %, all processes "
        f"{by_all:+.1f} % (target: {TARGET_PERCENT:.0f} %)"
    )
    return 0 if max(abs(by_process), abs(by_all)) <= TARGET_PERCENT else 1


def growth(peaks: list[float]) -> float:
    """Returns the growth from the first peak to the last, in percent."""
    return 100 * (peaks[-1] / peaks[0] - 1) if peaks[0] else 0.0


def measure(work: Path, count: int, options: list[str]) -> Peak:
    """Runs on `count` pictures, and prints and returns the peak memory."""
    folder = work / f"pictures_{count}"
    write_pictures(folder, count)
    command = [sys.executable, "-m", "precompute", "run", "--images", str(folder), "--texts", str(POOL)]
    peak = watch([*command, "--bundle", str(work / f"bundle_{count}"), *options])
    print(
        f"{count:,} images: main process {peak.process:,.0f} MB, all processes {peak.all_processes:,.0f} MB, "
        f"{peak.seconds:,.0f} s"
    )
    for stage, megabytes in peak.by_stage.items():
        print(f"    {stage:<28}{megabytes:8,.0f} MB")
    sys.stdout.flush()
    return peak


def write_pictures(folder: Path, count: int) -> None:
    """Writes `count` different pictures of scenes. Drawing a scene takes 20 ms, shifting it 2 ms."""
    # Imported here so that --help stays fast.
    from precompute.demo.world.scenes import draw

    folder.mkdir(parents=True)
    scenes = [draw(number, 3).image for number in range(min(SCENES, count))]
    for number in range(count):
        shift, scene = divmod(number, SCENES)
        shifted = np.roll(scenes[scene], (shift % 256, shift // 256 + shift), axis=(0, 1))
        Image.fromarray(shifted).save(folder / f"{number:07d}.jpg", quality=90)


def watch(command: list[str]) -> Peak:
    """Runs a command and returns its peak memory. Raises RuntimeError if it fails."""
    began = time.perf_counter()
    by_stage: dict[str, float] = defaultdict(float)
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stderr=output)
        try:
            pid = 0
            while not pid:
                time.sleep(SECONDS_BETWEEN)
                stage = stage_of(output)
                by_stage[stage] = max(by_stage[stage], memory_of_all(process.pid))
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        except BaseException:
            process.kill()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{_written(output)[-2000:]}")
    megabytes = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)
    return Peak(megabytes, max(by_stage.values()), dict(by_stage), time.perf_counter() - began)


def stage_of(output: IO[str]) -> str:
    """Returns the last stage in the output of a run."""
    names = STAGE.findall(_written(output)[-20_000:].replace("\r", "\n"))
    return "".join(names[-1]) if names else "start"


def _written(output: IO[str]) -> str:
    # pread keeps the file position, at which the run writes.
    return os.pread(output.fileno(), 2**30, 0).decode(errors="replace")


def memory_of_all(pid: int) -> float:
    """Returns the memory of a process and its descendants (PSS), MB; 0 if the system does not report it."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # State and parent follow the process name, which may contain any character.
            children[int(entry.read_text().rpartition(")")[2].split()[1])].append(int(entry.parent.name))
    total, queue = 0.0, [pid]
    while queue:
        process = queue.pop()
        queue += children[process]
        with suppress(OSError):
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
            total += sum(map(int, re.findall(r"^Pss: +(\d+) kB", rollup, re.MULTILINE))) * 1024 / 1e6
    return total


if __name__ == "__main__":
    sys.exit(main())
