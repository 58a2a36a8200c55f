"""Command lines of `run`, `part` and `merge`. Imports no torch: --help is quick."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from precompute.inputs.model_options import model_choices
from precompute.runtime import arguments
from precompute.runtime.arguments import CommandLine, option
from precompute.runtime.config import Config, ConfigError, ModelChoice
from precompute.runtime.part import Part, PartError, parse

DESCRIPTION = """\
Decompose CLIP models over a folder of images and write a bundle.

An interrupted run loses nothing: repeat the same command to resume it.
"""

EXAMPLES = """\
examples:
  a known model, weights from open_clip's cache or the hub:
    python -m precompute run --model ViT-B-32/openai --images photos --texts pool.tsv --bundle bundles/photos

  a local file; the weights tag selects the preprocessing and activation of its training:
    python -m precompute run --model ViT-B-16/laion2b_s34b_b88k --checkpoint open_clip_model.safetensors \\
        --images photos --texts pool.tsv --bundle bundles/photos

  your own model, with facts that a file of weights does not hold:
    python -m precompute run --model ViT-B-32/mine --checkpoint mine.pt --activation gelu \\
        --mean 0.481,0.458,0.408 --std 0.269,0.261,0.276 --interpolation bicubic \\
        --images photos --texts pool.tsv --bundle bundles/photos

  images in WebDataset's tars, read in place:
    python -m precompute run --model ViT-B-32/openai --images 'shards/{000..127}.tar' --texts pool.tsv ...

  two models in one bundle, each with its own file:
    python -m precompute run --model A/x --checkpoint A/x=a.safetensors \\
        --model B/y --checkpoint B/y=b.safetensors ...
"""

PART_DESCRIPTION = """\
Do one part of a run: read its share of the images and decompose them. Writes no bundle; `merge` does.

Start every part with the options of `run`, the same for all, on machines that share the file system of the
bundle: parts meet in its work directory, .NAME.work. A part reads its files, waits until all parts have read
theirs, then decomposes its images for every model. Repeat the command of a stopped part to resume it.
"""

PART_EXAMPLES = """\
examples:
  eight parts as a SLURM array, then the bundle:
    export RUN="--model ViT-L-14/openai --images /data/photos --texts pool.tsv --bundle /data/bundles/photos"
    sbatch --array=1-8 --gpus=1 --wrap 'python -m precompute part $SLURM_ARRAY_TASK_ID/8 $RUN --device cuda'
    python -m precompute merge --parts 8 $RUN

  two machines without a common file system; each reads all images, decomposes half of them:
    python -m precompute part 1/2 --alone $RUN
    python -m precompute part 2/2 --alone $RUN
    python -m precompute merge --parts 2 --from copies/.photos.work $RUN

exit code: 0 done, 1 refused, 75 other parts have not read their files yet (--no-wait)
"""

MERGE_DESCRIPTION = """\
Make the bundle from the work files of parts: everything that comes after decomposing images.

Give the options of `run` that the parts were given. No image is decomposed for the bundle here:
if pieces are missing, `merge` names them and ends. `run` with the same options makes the missing ones as
well. Scores of --validation and --masks are computed here, on --device.
"""

ENGINES = ("local", "ray")

_HOSTS = "where (never changes the result)"
_PARTS = "parts"


def _part(text: str) -> Part:
    try:
        return parse(text)
    except PartError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of parts. Give 1 or more.")
    return int(text)


@dataclass(frozen=True)
class EngineOptions:
    """Options of `run` for the machines that it uses."""

    engine: str = option(
        ENGINES[0],
        "local: this machine; ray: parts as tasks of a running Ray cluster (pip install "
        '"headlight-clip[ray]"), with'
        " one GPU each where --device is cuda. Images and bundle must lie on "
        "storage that all its nodes see under the same path",
        group=_HOSTS,
        choices=ENGINES,
    )
    ray_address: str | None = option(
        None, "head node (default: the cluster this machine belongs to)", group=_HOSTS, metavar="HOST:PORT"
    )
    parts: int | None = option(
        None,
        "number of tasks (default: twice the number that run at the same time)",
        group=_HOSTS,
        type=_count,
        metavar="N",
    )

    def __post_init__(self) -> None:
        if problem := arguments.problem(self):
            raise ConfigError(problem)
        for flag, value in (("--ray-address", self.ray_address), ("--parts", self.parts)):
            if value is not None and self.engine != "ray":
                raise ConfigError(f"{flag} {value} is for --engine ray. Add that, or leave {flag} out.")


@dataclass(frozen=True)
class PartOptions:
    """Options of `part` in addition to those of `run`."""

    part: Part = option(
        help="number of this part, and number of parts: from 1/N to N/N",
        flag="part",
        type=_part,
        metavar="I/N",
    )
    wait: bool = option(
        True,
        "end with exit code 75 if other parts have not read their files yet; repeat the command later",
        group=_PARTS,
    )
    alone: bool = option(
        False, "read the files of all parts: for a work directory that no other machine sees", group=_PARTS
    )


@dataclass(frozen=True)
class MergeOptions:
    """Options of `merge` in addition to those of `run`."""

    parts: int | None = option(
        None, "number of parts, to name those that are incomplete", group=_PARTS, type=_count, metavar="N"
    )
    others: tuple[Path, ...] = option(
        (),
        "work directories (.NAME.work) of other machines, or copies of them; files are linked or copied",
        group=_PARTS,
        flag="--from",
        nargs="+",
        action="extend",
        metavar="DIR",
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `run`."""
    arguments.add_fields(parser, Config, ModelChoice, EngineOptions)


def run_command(namespace: argparse.Namespace) -> None:
    """Makes a bundle, on this machine or on a Ray cluster."""
    config = run_config(namespace)
    engine = arguments.read(namespace, EngineOptions)
    # Importing torch takes seconds: only after the command line was checked.
    if engine.engine == "ray":
        from precompute.pipeline.ray_cluster import run_on

        run_on(engine, config)
    else:
        from precompute.pipeline.run import run

        run(config)


def run_config(namespace: argparse.Namespace) -> Config:
    """Returns the config of a command line. Raises ConfigError."""
    models, images = model_choices(namespace, namespace.models), _one_source(namespace.images)
    return arguments.read(namespace, Config, models=models, images=images)


def _one_source(sources: list[Path]) -> Path:
    """Returns the source of images. Raises ConfigError if the shell has expanded a pattern."""
    if len(sources) > 1:
        raise ConfigError(
            f"--images takes one source, not {len(sources):,} ({sources[0]}, {sources[1]}, ...). "
            "Put a pattern in quotes, so that the shell leaves it as it is: --images 'shards/*.tar'"
        )
    return sources[0]


def _add_part_options(parser: argparse.ArgumentParser) -> None:
    arguments.add_fields(parser, PartOptions, Config, ModelChoice)


def _run_part(namespace: argparse.Namespace) -> None:
    config, options = run_config(namespace), arguments.read(namespace, PartOptions)
    from precompute.pipeline.parts import run_part

    run_part(config, options.part, wait=options.wait, alone=options.alone)


def _add_merge_options(parser: argparse.ArgumentParser) -> None:
    arguments.add_fields(parser, MergeOptions, Config, ModelChoice)


def _run_merge(namespace: argparse.Namespace) -> None:
    config, options = run_config(namespace), arguments.read(namespace, MergeOptions)
    from precompute.pipeline.parts import merge

    merge(config, parts=options.parts, others=options.others)


PART = CommandLine(PART_DESCRIPTION, _add_part_options, _run_part, PART_EXAMPLES)
MERGE = CommandLine(MERGE_DESCRIPTION, _add_merge_options, _run_merge)
