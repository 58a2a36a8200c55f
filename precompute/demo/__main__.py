"""Command line of the demo: draws scenes, trains and scores the demo models, writes their text pool."""

import argparse
import os
from pathlib import Path

from precompute.demo import MODELS

WORK = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "headlight" / "demo"
"""Scenes and checkpoints, outside the working tree: nothing that cleans it loses hours of training."""


def main(arguments: list[str] | None = None) -> None:
    """Runs one of the commands."""
    options = _parser().parse_args(arguments)
    options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m precompute.demo", description=__doc__)
    subparsers = parser.add_subparsers(required=True, metavar="command")
    commands: dict[str, argparse.ArgumentParser] = {}
    for name, (run, text) in COMMANDS.items():
        commands[name] = subparsers.add_parser(name, help=text)
        commands[name].set_defaults(run=run)
    for name in ("scenes", "planted"):
        commands[name].add_argument("--out", type=Path, required=True, metavar="FOLDER")
    commands["score"].add_argument("--work", type=Path, default=WORK, metavar="FOLDER")
    for name in ("scenes", "score"):
        commands[name].add_argument("--count", type=int, default=2000)
    _add_scenes_options(commands["scenes"])
    _add_train_options(commands["train"])
    return parser


def _add_scenes_options(parser: argparse.ArgumentParser) -> None:
    seed = "1: training scenes, 2: held-out scenes for scores (default: 3)"
    kinds = "kinds of thing in every scene (default: half have two)"
    masks = "also write a mask of every kind of thing, and masks.csv for `precompute run --masks`"
    parser.add_argument("--seed", type=int, default=3, help=seed)
    parser.add_argument("--kinds", type=int, choices=[1, 2], help=kinds)
    parser.add_argument("--masks", action="store_true", help=masks)


def _add_train_options(parser: argparse.ArgumentParser) -> None:
    models = "train only this model; may be repeated"
    at_once = "number of models trained at the same time (default: one per core)"
    no_compile = "do not compile: no C compiler needed, three times slower"
    work = "folder of scenes and checkpoints"
    parser.add_argument("--work", type=Path, default=WORK, metavar="FOLDER", help=work)
    parser.add_argument("--model", action="append", choices=list(MODELS), metavar="NAME", help=models)
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help=at_once)
    parser.add_argument("--no-compile", action="store_true", help=no_compile)


def _scenes(options: argparse.Namespace) -> None:
    from precompute.demo.world.folder import write_scenes

    count, seed = options.count, options.seed
    write_scenes(options.out, count=count, seed=seed, masks=options.masks, kinds=options.kinds)


def _train(options: argparse.Namespace) -> None:
    from precompute.demo.models.training import train

    names = options.model or list(MODELS)
    train(names, options.work, at_once=options.at_once, compiled=not options.no_compile)


def _score(options: argparse.Namespace) -> None:
    from precompute.demo.models.build import shipped_model
    from precompute.demo.models.cache import held_out_scenes
    from precompute.demo.models.card import write_card
    from precompute.demo.models.scoring import score, table

    pixels = held_out_scenes(options.work, count=options.count)
    for name, model in MODELS.items():
        scores = score(shipped_model(model), pixels)
        print(f"{name}\n{table(scores)}\n")
        write_card(model, scores, scenes=options.count)


def _texts(options: argparse.Namespace) -> None:
    from precompute.demo import BPE_PATH
    from precompute.demo.bpe import write_bpe
    from precompute.demo.world.pool import write_pool, write_prompts
    from precompute.demo.world.words import VOCABULARY

    write_bpe(BPE_PATH, VOCABULARY)
    write_pool()
    write_prompts()


def _planted(options: argparse.Namespace) -> None:
    from precompute.demo.planted.folder import write_planted

    write_planted(options.out)


COMMANDS = {
    "scenes": (_scenes, "write a folder of scenes with their attributes (ten seconds for 2,000)"),
    "train": (_train, "train the demo models (over two hours on two cores; resumes after a stop)"),
    "score": (_score, "score the shipped weights on held-out scenes and write the model cards"),
    "texts": (_texts, "write the text pool, the prompts and the tokenizer file"),
    "planted": (
        _planted,
        "write the planted model: hand-set weights, pictures, texts and the expected result of every stage",
    ),
}
"""Function and help text of each command."""


if __name__ == "__main__":
    main()
