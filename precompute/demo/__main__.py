"""Command line of the demo: draws scenes, trains and scores the demo models, writes their text pool."""

import argparse
import os
from pathlib import Path

from precompute.demo import MODELS

WORK = Path(".work/demo")


def main(arguments: list[str] | None = None) -> None:
    """Runs one of the commands."""
    options = _parser().parse_args(arguments)
    options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m precompute.demo", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    scenes = commands.add_parser(
        "scenes", help="write a folder of scenes with their attributes (half a minute for 2,000)"
    )
    scenes.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    scenes.add_argument("--count", type=int, default=2000)
    scenes.add_argument(
        "--seed", type=int, default=3, help="1: training scenes, 2: held-out scenes for scores (default: 3)"
    )
    scenes.add_argument(
        "--kinds", type=int, choices=[1, 2], help="kinds of object in every scene (default: half have two)"
    )
    scenes.add_argument(
        "--masks",
        action="store_true",
        help="also write a mask of every kind of object, and masks.csv for `precompute run --masks`",
    )
    scenes.set_defaults(run=_scenes)

    train = commands.add_parser(
        "train", help="train the demo models (over an hour on two cores; resumes after a stop)"
    )
    train.add_argument(
        "--work", type=Path, default=WORK, metavar="FOLDER", help="folder of scenes and checkpoints"
    )
    train.add_argument(
        "--model",
        action="append",
        choices=list(MODELS),
        metavar="NAME",
        help="train only this model; may be repeated",
    )
    train.add_argument(
        "--at-once",
        type=int,
        default=os.cpu_count() or 1,
        help="number of models trained at the same time (default: one per core)",
    )
    train.add_argument(
        "--no-compile", action="store_true", help="do not compile: no C compiler needed, three times slower"
    )
    train.set_defaults(run=_train)

    score = commands.add_parser(
        "score", help="score the shipped weights on held-out scenes and write the model cards"
    )
    score.add_argument("--work", type=Path, default=WORK, metavar="FOLDER")
    score.add_argument("--count", type=int, default=2000)
    score.set_defaults(run=_score)

    texts = commands.add_parser("texts", help="write the text pool, the prompts and the tokenizer file")
    texts.set_defaults(run=_texts)

    planted = commands.add_parser(
        "planted",
        help="write the planted model: hand-set weights, pictures, texts and the expected result of every "
        "stage",
    )
    planted.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    planted.set_defaults(run=_planted)
    return parser


def _scenes(options: argparse.Namespace) -> None:
    from precompute.demo.folder import write_scenes

    write_scenes(
        options.out, count=options.count, seed=options.seed, masks=options.masks, kinds=options.kinds
    )


def _train(options: argparse.Namespace) -> None:
    from precompute.demo.training import train

    names = options.model or list(MODELS)
    train(names, options.work, at_once=options.at_once, compiled=not options.no_compile)


def _score(options: argparse.Namespace) -> None:
    from precompute.demo.cache import held_out_scenes
    from precompute.demo.card import write_card
    from precompute.demo.model import shipped_model
    from precompute.demo.scoring import score, table

    pixels = held_out_scenes(options.work, count=options.count)
    for name, model in MODELS.items():
        scores = score(shipped_model(model), pixels)
        print(f"{name}\n{table(scores)}\n")
        write_card(model, scores, scenes=options.count)


def _texts(options: argparse.Namespace) -> None:
    from precompute.demo import BPE_PATH
    from precompute.demo.pool import write_pool, write_prompts
    from precompute.demo.words import write_bpe

    write_bpe(BPE_PATH)
    write_pool()
    write_prompts()


def _planted(options: argparse.Namespace) -> None:
    from precompute.demo.planted.folder import write_planted

    write_planted(options.out)


if __name__ == "__main__":
    main()
