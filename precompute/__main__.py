"""Command line of the offline stage: `python -m precompute run`, `part`, `label` and more."""

import argparse
import os
import sys

from db.errors import UserError
from precompute.pipeline import options, part_options
from precompute.runtime.part import NotYet
from precompute.tools.import_textspan.options import IMPORT_DESCRIPTION, add_import_options, import_task
from precompute.tools.label import options as label_options
from precompute.tools.score_maps.options import add_map_options, map_task
from precompute.tools.verify_paper.options import VERIFY_DESCRIPTION, add_verify_options, verify_task

_RUN = """\
Take CLIP models apart over a folder of images and write a bundle.

An interrupted run loses nothing: give the same command again and it goes on.
"""

_SCORE_MAPS = """\
Score the maps of models against masks of known objects, and print the tables.

--masks scores how well a caption's map finds the object it names: all heads, the stored layers, the best
head, beside raw attention, attention rollout and a uniform map. --segmentation follows the
ImageNet-Segmentation protocol of Gandelsman et al. 2024. ARCHITECTURE/WEIGHTS-random-0 is the
random-weights twin of a model.
"""

_MODELS = """\
List the models that can be asked for by name: those of the study and of the demo; with PATTERN every one that
open_clip knows whose name holds it, and why some cannot be taken apart. Nothing is fetched.
"""

_EXAMPLES = """\
examples:
  a known model, weights from open_clip's cache or the hub:
    python -m precompute run --model ViT-B-32/openai --images photos --texts pool.tsv --bundle bundles/photos

  a local file; the tag says which preprocessing and activation it was trained with:
    python -m precompute run --model ViT-B-16/laion2b_s34b_b88k --checkpoint open_clip_model.safetensors \\
        --images photos --texts pool.tsv --bundle bundles/photos

  your own model; nobody but you can know these:
    python -m precompute run --model ViT-B-32/mine --checkpoint mine.pt --activation gelu \\
        --mean 0.481,0.458,0.408 --std 0.269,0.261,0.276 --interpolation bicubic \\
        --images photos --texts pool.tsv --bundle bundles/photos

  images in WebDataset's tars, read in place:
    python -m precompute run --model ViT-B-32/openai --images 'shards/{000..127}.tar' --texts pool.tsv ...

  two models in one bundle, each with its own file:
    python -m precompute run --model A/x --checkpoint A/x=a.safetensors \\
        --model B/y --checkpoint B/y=b.safetensors ...
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit code: 0 done, 1 refused, 75 to be done later, 130 interrupted."""
    given = _parser().parse_args(arguments)
    try:
        return given.carry_out(given) or 0
    except KeyboardInterrupt:
        kept = (
            "" if given.command == "score-maps" else " Nothing is lost: give the same command again to go on."
        )
        print(f"\nStopped.{kept}", file=sys.stderr)
        return 130
    except NotYet as error:
        print(f"not yet: {error}", file=sys.stderr)
        return os.EX_TEMPFAIL
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _run(given: argparse.Namespace) -> None:
    config, cluster = options.run_config(given), part_options.cluster(given)
    # Importing torch takes seconds: after the command line is known to be sound.
    if cluster:
        from precompute.pipeline.ray_cluster import run_on

        run_on(cluster, config)
    else:
        from precompute.pipeline.run import run

        run(config)


def _part(given: argparse.Namespace) -> None:
    config = options.run_config(given)
    from precompute.pipeline.parts import run_part

    run_part(config, given.part, wait=not given.no_wait, alone=given.alone)


def _merge(given: argparse.Namespace) -> None:
    config = options.run_config(given)
    from precompute.pipeline.parts import merge

    merge(config, parts=given.parts, others=given.others)


def _score_maps(given: argparse.Namespace) -> None:
    task = map_task(given)
    from precompute.tools.score_maps.run import run

    run(task)


def _import(given: argparse.Namespace) -> None:
    task = import_task(given)
    from precompute.tools.import_textspan.run import run

    run(task)


def _label(given: argparse.Namespace) -> None:
    task = label_options.task_of(given)
    from precompute.tools.label.run import run

    run(task)


def _verify(given: argparse.Namespace) -> int:
    task = verify_task(given)
    from precompute.tools.verify_paper.run import run

    return 0 if run(task) else 1


def _models(given: argparse.Namespace) -> None:
    from precompute.tools.list_models import entries, table

    print(table(list(entries(given.pattern))))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m precompute", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = _command(commands, "run", "make a bundle from a folder of images", _RUN, _EXAMPLES)
    run.set_defaults(carry_out=_run)
    options.add_run_options(run)
    part_options.add_engine_options(run)
    part = _command(
        commands,
        "part",
        "do one part of a run, on one of several machines",
        part_options.PART_DESCRIPTION,
        part_options.PART_EXAMPLES,
    )
    part.set_defaults(carry_out=_part)
    part_options.add_part_options(part)
    merge = _command(
        commands, "merge", "make the bundle from what parts have made", part_options.MERGE_DESCRIPTION
    )
    merge.set_defaults(carry_out=_merge)
    part_options.add_merge_options(merge)
    label = _command(
        commands,
        "label",
        "label the heads of a bundle by language models or by hand",
        label_options.DESCRIPTION,
    )
    label.set_defaults(carry_out=_label)
    label_options.add_options(label)
    imported = _command(
        commands, "import-textspan", "make a bundle from TEXTSPAN results", IMPORT_DESCRIPTION
    )
    imported.set_defaults(carry_out=_import)
    add_import_options(imported)
    maps = _command(commands, "score-maps", "print how well maps find known objects", _SCORE_MAPS)
    maps.set_defaults(carry_out=_score_maps)
    add_map_options(maps)
    verify = _command(commands, "verify-paper", "check real weights against the papers", VERIFY_DESCRIPTION)
    verify.set_defaults(carry_out=_verify)
    add_verify_options(verify)
    known = _command(commands, "models", "list the models that can be asked for by name", _MODELS)
    known.set_defaults(carry_out=_models)
    known.add_argument("pattern", nargs="?", help="part of a name, any case (a regular expression)")
    return parser


def _command(commands, name: str, brief: str, whole: str, examples: str = "") -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=brief,
        description=whole,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


if __name__ == "__main__":
    sys.exit(main())
