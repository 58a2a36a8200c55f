"""Writes the folder of the planted model: pictures, text pool, prompts, model, and the correct results."""

import csv
import json
from pathlib import Path

from safetensors.torch import save_file

from precompute.demo.bpe import write_bpe
from precompute.demo.planted.answers import answers
from precompute.demo.planted.expected import WEIGHTS, words_of
from precompute.demo.planted.model import phrase, texts
from precompute.demo.planted.pictures import draw, name, pictures
from precompute.demo.planted.weights import config, state
from precompute.demo.png import png
from precompute.demo.world.words import VOCABULARY
from precompute.texts import write_rows

IMAGES, ATTRIBUTES = "images", "images/attributes.csv"
TEXTS, PROMPTS = "texts.tsv", "prompts.tsv"
CONFIG, CHECKPOINT, BPE = "model.json", "model.safetensors", "vocabulary.bpe.gz"
ANSWERS = "answers.json"


def write_planted(folder: Path) -> None:
    """Writes all files; a folder with answers.json is complete."""
    (folder / IMAGES).mkdir(parents=True, exist_ok=True)
    # Pictures of an older plan would have no attributes, and its answers would be wrong.
    for old in (folder / ANSWERS, *(folder / IMAGES).glob("planted_*.png")):
        old.unlink(missing_ok=True)
    for index, picture in enumerate(pictures()):
        (folder / IMAGES / name(index)).write_bytes(png(draw(picture)))
    _write_attributes(folder / ATTRIBUTES)
    header = "# name: planted\n# language: en\n# license: CC0-1.0\n"
    write_rows(folder / TEXTS, header, [(text, "|".join(properties)) for text, properties in texts()])
    write_rows(folder / PROMPTS, "", _prompts())
    write_bpe(folder / BPE, VOCABULARY)
    (folder / CONFIG).write_text(json.dumps(config(), indent=2) + "\n", encoding="utf-8")
    save_file(state(folder / BPE), folder / CHECKPOINT)
    (folder / ANSWERS).write_text(json.dumps(answers(), indent=1) + "\n", encoding="utf-8")


def _write_attributes(path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["path", *WEIGHTS])
        for index, picture in enumerate(pictures()):
            values = [list(names)[getattr(picture, attribute)] for attribute, names in WEIGHTS.items()]
            table.writerow([name(index), *values])


def _prompts() -> list[tuple[str, str, str]]:
    """Returns attribute, value, and the prompt of the value."""
    return [
        (attribute, value, phrase(word))
        for attribute, names in WEIGHTS.items()
        for value, word in zip(names, words_of(attribute), strict=True)
    ]
