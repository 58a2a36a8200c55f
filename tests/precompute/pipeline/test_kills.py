"""A run may be killed at any moment: the next one goes on, computes nothing twice, ends in the same bundle.

A reference run says which work files there are and in which order they appear. A kill comes while a chosen
one of them is in the making, after a random share of the time that it took there.
"""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from db.connection import open_bundle
from db.diff import diff
from precompute import demo
from precompute.__main__ import main
from precompute.demo.world.folder import write_scenes
from precompute.demo.world.pool import PROMPTS_PATH
from precompute.pipeline.setup import work_directory
from tests.conftest import CONTROL
from tests.support.paths import ROOT

WRITING = "writing"
"""What is in the making when all work files are there."""

EVERY_STAGE = {"scan", "texts", "classes", "images", "gallery", "heads", "draws", "selectivity", "maps"}
EVERY_STAGE |= {"spaces", "moments", "all-layers", "ablations", WRITING}


class Piece(NamedTuple):
    """A work file, or the bundle at the end, as the reference run made it."""

    path: Path | None
    """Below the work directory; None for the bundle."""

    seconds: float

    @property
    def kind(self) -> str:
        """The stage it is of: the name of its folder or its own, less the hash."""
        if self.path is None:
            return WRITING
        folder = self.path.parent.name
        named = folder if not folder.startswith("model-") else self.path.stem
        return re.split(r"-[0-9a-f]{16}", named)[0]


class Study(NamedTuple):
    """A run as it is without a kill."""

    options: list[str]
    bundle: Path
    pieces: list[Piece]


def studied(options: list[str], bundle: Path) -> Study:
    began = time.time()
    assert main(["run", *options, "--bundle", str(bundle)]) == 0
    ended = [(work.stat().st_mtime, path) for path, work in files_below(work_directory(bundle)).items()]
    ended.sort()
    ends = [began, *(end for end, _ in ended), (bundle / "manifest.json").stat().st_mtime]
    paths = [*(path for _, path in ended), None]
    seconds = [end - start for start, end in zip(ends, ends[1:], strict=False)]
    return Study(options, bundle, [*map(Piece, paths, seconds)])


def files_below(work: Path) -> dict[Path, Path]:
    """Whole work files, by their path below `work`."""
    found = (path for path in work.rglob("*") if path.suffix in (".safetensors", ".parquet"))
    return {path.relative_to(work): path for path in found}


def identities(work: Path) -> dict[Path, tuple[int, int]]:
    """What changes when a file is written again: its inode, its time of change."""
    stats = {path: file.stat() for path, file in files_below(work).items()}
    return {path: (status.st_ino, status.st_mtime_ns) for path, status in stats.items()}


def start(study: Study, out: Path) -> subprocess.Popen:
    """The same run, into `out`, with a process group of its own."""
    command = [sys.executable, "-m", "precompute", "run", *study.options, "--bundle", str(out)]
    with open(out.with_suffix(".log"), "ab") as log:
        return subprocess.Popen(command, stderr=log, cwd=ROOT, start_new_session=True)


def wait_until(happens: Callable[[], bool], process: subprocess.Popen, seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert process.poll() is None, f"the run ended by itself, with {process.returncode}"
        assert time.monotonic() < deadline, "the run made no progress"
        time.sleep(0.002)


def kill_while_making(study: Study, place: int, out: Path, *, all_of_it: bool, share: float) -> str:
    """Start the run and kill it while it makes the piece at `place`; return the kind of what it lost."""
    work, made = work_directory(out), files_below(work_directory(out))
    # Every run makes a piece at least, or it might be killed before it has begun.
    lacking = next((at for at, piece in enumerate(study.pieces) if piece.path not in made), place)
    place = max(place, lacking + 1) if made and lacking < len(study.pieces) - 1 else place
    piece = study.pieces[place]
    begun = work / "lock" if place == 0 else work / (study.pieces[place - 1].path or "")
    if piece.path is None:
        begun = out.with_name(f".{out.name}.building")

    process = start(study, out)
    wait_until(begun.exists, process)
    time.sleep(share * piece.seconds)
    if all_of_it:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the run was quicker than the kill"

    ends_by_itself(process.pid)
    made = files_below(work)
    return next(piece.kind for piece in study.pieces if piece.path not in made)


def ends_by_itself(group: int) -> None:
    """Wait until no process of a group is left."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    os.killpg(group, signal.SIGKILL)
    raise AssertionError("workers outlived the run that started them")


def survive(study: Study, shares: Mapping[int, float], out: Path) -> set[str]:
    """Kill a run at these pieces, one after the other, and let it end; return the kinds that were lost.

    `shares` says for the place of each piece after which share of its time.
    """
    work = work_directory(out)
    lost, whole = set(), {}
    for number, (place, share) in enumerate(sorted(shares.items())):
        lost.add(kill_while_making(study, place, out, all_of_it=number % 2 == 0, share=share))
        now = identities(work)
        assert whole.items() <= now.items(), "what was there before this run was made again"
        whole |= now
        assert not out.exists()

    assert start(study, out).wait() == 0
    assert whole.items() <= identities(work).items(), "what was there before the last run was made again"
    assert identities(work).keys() == files_below(work_directory(study.bundle)).keys()
    assert diff(open_bundle(study.bundle), open_bundle(out)) == []
    beside = {path.name for path in out.parent.iterdir() if path.name.startswith(f".{out.name}.")}
    assert beside == {work.name}, "something half-made was left beside the bundle"
    assert not list(work.rglob("*.writing"))
    return lost


def options(folder: Path, pool_file: Path, **given: object) -> list[str]:
    """The command line of a run over a folder of scenes that uses every stage."""
    fixed = {
        "images": folder,
        "metadata": folder / "attributes.csv",
        "masks": folder / "masks.csv",
        "texts": pool_file,
        "prompts": PROMPTS_PATH,
        "picks": 6,
        "rotations": 19,
        "batch-size": 4,
    }
    pairs = [(f"--{name}", str(value)) for name, value in (fixed | given).items()]
    return ["--validation", *(word for pair in pairs for word in pair)]


def few_masks(folder: Path, pictures: int) -> None:
    """Keep the masks of some pictures only: they take the longest."""
    table = folder / "masks.csv"
    table.write_text("\n".join(table.read_text().splitlines()[: 1 + 2 * pictures]) + "\n")


pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs signals")


def test_three_kills_leave_no_trace(pool_file, tmp_path):
    folder = tmp_path / "scenes"
    write_scenes(folder, count=12, seed=5, masks=True)
    few_masks(folder, 2)
    # No workers: a process less to start each time. That they end with the run is tested with many kills.
    small = {"layers": 1, "shard-size": 4, "workers": 0, "replicates": 2}
    small |= {"validation-images": 6, "gallery-images": 4, "model": CONTROL}
    study = studied(["--no-controls", *options(folder, pool_file, **small)], tmp_path / "whole")
    kinds = [piece.kind for piece in study.pieces]

    draw = random.Random(0)
    places = [kinds.index("images") + 1, kinds.index("maps"), kinds.index(WRITING)]
    lost = survive(study, {place: 0.9 * draw.random() for place in places}, tmp_path / "killed")

    assert WRITING in lost and len(lost) >= 2


@pytest.mark.slow
def test_models_at_once_survive_a_kill_and_give_the_bundle_of_models_in_turn(pool_file, tmp_path):
    """Only the process that started the others is killed, while both score heads against known attributes."""
    folder = tmp_path / "scenes"
    write_scenes(folder, count=12, seed=5, masks=True)
    few_masks(folder, 2)
    small = {"layers": 1, "shard-size": 4, "workers": 2, "replicates": 2}
    small |= {"validation-images": 12, "gallery-images": 4, "model": demo.MODEL_NAME}
    in_turn = studied(options(folder, pool_file, **small), tmp_path / "whole")
    at_once = in_turn._replace(options=[*in_turn.options, "--at-once", "2"])
    out = tmp_path / "killed"
    work = work_directory(out)

    process = start(at_once, out)
    wait_until(lambda: any(work.glob("model-*/validation/ablations-*/*.safetensors")), process)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    ends_by_itself(process.pid)
    whole = identities(work)

    assert not out.exists() and start(at_once, out).wait() == 0
    assert whole.items() <= identities(work).items(), "what was there was made again"
    assert identities(work).keys() == files_below(work_directory(in_turn.bundle)).keys()
    assert diff(open_bundle(in_turn.bundle), open_bundle(out)) == []


@pytest.mark.very_slow
@pytest.mark.slow
def test_twenty_kills_over_all_stages_leave_no_trace(pool_file, tmp_path):
    """Of a trained model and its random-weights control.

    One kill as every stage begins, for some take but milliseconds; the others anywhere in the pieces of all.
    """
    folder = tmp_path / "scenes"
    write_scenes(folder, count=64, seed=5, masks=True)
    large = {"layers": 2, "shard-size": 8, "workers": 2, "replicates": 4}
    large |= {"validation-images": 64, "gallery-images": 32, "model": demo.MODEL_NAME}
    study = studied(options(folder, pool_file, **large), tmp_path / "whole")
    draw = random.Random(1)
    by_kind: dict[str, list[int]] = {}
    for place, piece in enumerate(study.pieces):
        by_kind.setdefault(piece.kind, []).append(place)
    assert by_kind.keys() == EVERY_STAGE

    shares = {draw.choice(places): 0.0 for places in by_kind.values()}
    others = sorted(set(range(len(study.pieces))) - set(shares))
    shares |= {place: 0.9 * draw.random() for place in draw.sample(others, 20 - len(shares))}
    lost = survive(study, shares, tmp_path / "killed")

    # On a busy machine a kill may come too late for a piece of milliseconds.
    assert WRITING in lost and len(lost) >= 9, f"only {sorted(lost)} were hit"
