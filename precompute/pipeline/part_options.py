"""Options of runs on several machines: of `part`, of `merge`, and of `run --engine`.

Knows nothing of how they are carried out, and imports no torch: --help is quick.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

from precompute.pipeline import options
from precompute.runtime.config import ConfigError
from precompute.runtime.part import Part, PartError, parse

PART_DESCRIPTION = """\
Do one part of a run: read its share of the images and take them apart. Writes no bundle; `merge` does.

Start every part with the options of `run`, the same for all, on machines that share the file system of the
bundle: parts meet in its work directory, .NAME.work. A part reads its files, waits until all parts have read
theirs, then takes its images apart for every model. One that was stopped goes on when it is started again.
"""

PART_EXAMPLES = """\
examples:
  eight parts as a SLURM array, then the bundle:
    export RUN="--model ViT-L-14/openai --images /data/photos --texts pool.tsv --bundle /data/bundles/photos"
    sbatch --array=1-8 --gpus=1 --wrap 'python -m precompute part $SLURM_ARRAY_TASK_ID/8 $RUN --device cuda'
    python -m precompute merge --parts 8 $RUN

  two machines without a common file system; each reads all images, takes half of them apart:
    python -m precompute part 1/2 --alone $RUN
    python -m precompute part 2/2 --alone $RUN
    python -m precompute merge --parts 2 --from copies/.photos.work $RUN

exit code: 0 done, 1 refused, 75 other parts have not read their files yet (--no-wait)
"""

MERGE_DESCRIPTION = """\
Make the bundle from what parts have made: everything that comes after taking images apart.

Give the options of `run` that the parts were given. None of the images is taken apart for the bundle here:
if pieces are missing, it says so and ends. `run` with the same options makes the missing ones as well. What
--truth and --masks ask for is measured here, on --device.
"""

ENGINES = ("local", "ray")


class Cluster(NamedTuple):
    """A Ray cluster, and how a run is cut for it."""

    address: str | None
    """Of its head node; None where this machine belongs to it."""

    parts: int | None
    """None for two a place."""


def add_part_options(part: argparse.ArgumentParser) -> None:
    """The options of `part`."""
    part.add_argument("part", type=_part, metavar="I/N", help="which of how many, from 1/N to N/N")
    group = part.add_argument_group("parts")
    group.add_argument(
        "--no-wait",
        action="store_true",
        help="end with exit code 75 where other parts have not read their files yet; start it again later",
    )
    group.add_argument(
        "--alone",
        action="store_true",
        help="read the files of all parts: for a work directory that no other machine sees",
    )
    options.add_run_options(part)


def add_merge_options(merge: argparse.ArgumentParser) -> None:
    """The options of `merge`."""
    group = merge.add_argument_group("parts")
    group.add_argument(
        "--parts", type=_count, metavar="N", help="how many there are, to say which of them lack something"
    )
    group.add_argument(
        "--from",
        dest="others",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="DIR",
        help="work directories (.NAME.work) of other machines, or copies of them; files are linked or copied",
    )
    options.add_run_options(merge)


def add_engine_options(run: argparse.ArgumentParser) -> None:
    """The options of `run` that say where it runs."""
    group = run.add_argument_group("where (never changes the result)")
    group.add_argument(
        "--engine",
        choices=ENGINES,
        default="local",
        help="local: this machine, the default; ray: parts as tasks of a Ray cluster that is up already (pip "
        "install -r requirements-ray.txt), with one GPU each where --device is cuda. Images and bundle must "
        "lie on storage that all its nodes see under the same path",
    )
    group.add_argument(
        "--ray-address", metavar="HOST:PORT", help="head node (default: the cluster this machine belongs to)"
    )
    group.add_argument("--parts", type=_count, metavar="N", help="tasks (default: two for each place)")


def cluster(given: argparse.Namespace) -> Cluster | None:
    """The cluster that `run` is to use; None for this machine. Raises ConfigError."""
    if given.engine == "ray":
        return Cluster(given.ray_address, given.parts)
    for option, value in (("--ray-address", given.ray_address), ("--parts", given.parts)):
        if value is not None:
            raise ConfigError(f"{option} {value} is for --engine ray. Add that, or leave {option} out.")
    return None


def _part(text: str) -> Part:
    try:
        return parse(text)
    except PartError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of parts. Give 1 or more.")
    return int(text)
