"""Peak memory of a whole run against the number of images: it is not to grow with it.

`python -m bench.memory --images 2000 20000` makes that many different pictures, runs
`python -m precompute run` over each set and prints the peak of the process, of it and its workers together,
and by stage: the first two are to be within 10 % of each other. What follows `--` is handed to the run, e.g.
`-- --model ViT-B-32/openai-random-0`.

The peak of the process is the system's own (ru_maxrss). Memory of all together is the sum of what each
process is charged (PSS: pages that several share count once), read from /proc twice a second; elsewhere it
is left out.
"""

import argparse
import io
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

TARGET_PERCENT = 10.0
POOL = Path("precompute/texts/demo.tsv")
RUN = ("--model", "ViT-demo-S-16/scenes_1", "--no-controls")
DRAWN = 100
"""Scenes that are drawn; every further picture is one of them, shifted."""

SECONDS_BETWEEN = 0.5
STAGE = re.compile(r"^(?:  (\S.*?) *:|(loading|writing) )", re.MULTILINE)
"""What a run says of the stage it is in: the name of a bar, or the first word of a line."""


class Peak(NamedTuple):
    """Memory of one run."""

    process: float
    """MB."""

    together: float
    """MB; 0 where the system does not tell."""

    by_stage: dict[str, float]
    """MB of all processes together."""

    seconds: float


def main() -> int:
    """Print the peaks; the exit code is 0 if the target is met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, nargs="+", default=[2000, 20000], metavar="COUNT")
    parser.add_argument(
        "--work", type=Path, help="folder for pictures and bundles (default: a temporary one)"
    )
    parser.add_argument(
        "options", nargs="*", metavar="-- OPTION", help=f"of the run (default: {' '.join(RUN)})"
    )
    given = parser.parse_args()

    with tempfile.TemporaryDirectory(dir=given.work) as work:
        peaks = {count: measure(Path(work), count, given.options or list(RUN)) for count in given.images}
    by_process = growth([peak.process for peak in peaks.values()])
    together = growth([peak.together for peak in peaks.values()])
    print(
        f"from {min(peaks):,} to {max(peaks):,} images: process {by_process:+.1f} %, all together "
        f"{together:+.1f} % (target: {TARGET_PERCENT:.0f} %)"
    )
    return 0 if max(abs(by_process), abs(together)) <= TARGET_PERCENT else 1


def growth(peaks: list[float]) -> float:
    """How much larger the last is than the first, in percent."""
    return 100 * (peaks[-1] / peaks[0] - 1) if peaks[0] else 0.0


def measure(work: Path, count: int, options: list[str]) -> Peak:
    """Run over `count` pictures, and say what it took."""
    folder = work / f"pictures_{count}"
    write_pictures(folder, count)
    command = [sys.executable, "-m", "precompute", "run", "--images", str(folder), "--texts", str(POOL)]
    peak = watch([*command, "--bundle", str(work / f"bundle_{count}"), *options])
    print(
        f"{count:,} images: process {peak.process:,.0f} MB, all together {peak.together:,.0f} MB, "
        f"{peak.seconds:,.0f} s"
    )
    for stage, megabytes in peak.by_stage.items():
        print(f"    {stage:<28}{megabytes:8,.0f} MB")
    sys.stdout.flush()
    return peak


def write_pictures(folder: Path, count: int) -> None:
    """`count` different pictures of scenes: drawing one takes 20 ms, shifting one 2 ms."""
    # Not at the top: --help is quick.
    from precompute.demo.scenes import draw

    folder.mkdir(parents=True)
    scenes = [draw(number, 3).image for number in range(min(DRAWN, count))]
    for number in range(count):
        turn, scene = divmod(number, DRAWN)
        shifted = np.roll(scenes[scene], (turn % 256, turn // 256 + turn), axis=(0, 1))
        out = io.BytesIO()
        Image.fromarray(shifted).save(out, "JPEG", quality=90)
        (folder / f"{number:07d}.jpg").write_bytes(out.getvalue())


def watch(command: list[str]) -> Peak:
    """Run a command to its end. Raises RuntimeError if it fails."""
    began = time.perf_counter()
    by_stage: dict[str, float] = defaultdict(float)
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stderr=said)
        try:
            pid = 0
            while not pid:
                time.sleep(SECONDS_BETWEEN)
                stage = stage_of(said)
                by_stage[stage] = max(by_stage[stage], memory_of_all(process.pid))
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        except BaseException:
            process.kill()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{_written(said)[-2000:]}")
    megabytes = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)
    return Peak(megabytes, max(by_stage.values()), dict(by_stage), time.perf_counter() - began)


def stage_of(said: IO[str]) -> str:
    """The last stage that a run has named."""
    names = STAGE.findall(_written(said)[-20_000:].replace("\r", "\n"))
    return "".join(names[-1]) if names else "start"


def _written(said: IO[str]) -> str:
    # Not by the file's own place: the run writes at that.
    return os.pread(said.fileno(), 2**30, 0).decode(errors="replace")


def memory_of_all(pid: int) -> float:
    """MB that a process and all below it are charged with; 0 where the system does not tell."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # After the name, which may hold anything: the state, then the parent.
            children[int(entry.read_text().rpartition(")")[2].split()[1])].append(int(entry.parent.name))
    total, waiting = 0.0, [pid]
    while waiting:
        one = waiting.pop()
        waiting += children[one]
        with suppress(OSError):
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
            total += sum(map(int, re.findall(r"^Pss: +(\d+) kB", rollup, re.MULTILINE))) * 1024 / 1e6
    return total


if __name__ == "__main__":
    sys.exit(main())
