"""Command line of the demo: draw scenes, train the demo model, score it, write its text pool."""

import argparse
from pathlib import Path

from precompute.demo import CARD_PATH

WORK = Path(".work/demo")


def main(arguments: list[str] | None = None) -> None:
    """Run one of the commands."""
    options = _parser().parse_args(arguments)
    options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m precompute.demo", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    scenes = commands.add_parser(
        "scenes", help="write a folder of scenes with their attributes (2,000: half a minute)"
    )
    scenes.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    scenes.add_argument("--count", type=int, default=2000)
    scenes.add_argument(
        "--seed", type=int, default=3, help="1 is what the model trained on, 2 is held out for scoring"
    )
    scenes.add_argument("--masks", action="store_true", help="also write a mask for every kind of object")
    scenes.set_defaults(run=_scenes)

    train = commands.add_parser(
        "train", help="train the demo model (about an hour on two cores; carries on if stopped)"
    )
    train.add_argument("--work", type=Path, default=WORK, metavar="FOLDER", help="for scenes and checkpoints")
    train.add_argument("--minutes", type=float, help="shorten the training to fit this time")
    train.add_argument("--pairs", type=int, help="scenes shown in all")
    train.add_argument("--workers", type=int, help="processes on a CPU")
    train.add_argument(
        "--no-compile", action="store_true", help="do without a C compiler, three times slower"
    )
    train.set_defaults(run=_train)

    score = commands.add_parser(
        "score", help="score the shipped weights on 2,000 held-out scenes and write the card's table"
    )
    score.add_argument("--work", type=Path, default=WORK, metavar="FOLDER")
    score.add_argument("--count", type=int, default=2000)
    score.set_defaults(run=_score)

    texts = commands.add_parser("texts", help="write the text pool and the tokenizer's file")
    texts.set_defaults(run=_texts)
    return parser


def _scenes(options: argparse.Namespace) -> None:
    from precompute.demo.folder import write_scenes

    write_scenes(options.out, count=options.count, seed=options.seed, masks=options.masks)


def _train(options: argparse.Namespace) -> None:
    from precompute.demo.training import Recipe, train

    asked = {name: getattr(options, name) for name in ("pairs", "minutes", "workers")}
    recipe = Recipe(**{name: value for name, value in asked.items() if value is not None})
    train(recipe, options.work, compiled=not options.no_compile)


def _score(options: argparse.Namespace) -> None:
    from precompute.demo.cache import held_out_scenes
    from precompute.demo.card import write_table
    from precompute.demo.model import shipped_model
    from precompute.demo.scoring import score, table

    scores = score(shipped_model(), held_out_scenes(options.work, count=options.count))
    print(table(scores))
    write_table(CARD_PATH, table(scores), scenes=options.count)


def _texts(options: argparse.Namespace) -> None:
    from precompute.demo import BPE_PATH
    from precompute.demo.pool import write_pool
    from precompute.demo.words import write_bpe

    write_bpe(BPE_PATH)
    write_pool()


if __name__ == "__main__":
    main()
