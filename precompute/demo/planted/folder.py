"""A folder with all of the planted model: pictures, text pool, prompts, model, and the known answers."""

import csv
import json
from pathlib import Path

from safetensors.torch import save_file

from precompute.demo import LICENSE, words
from precompute.demo.planted.answers import answers
from precompute.demo.planted.expected import WEIGHTS, words_of
from precompute.demo.planted.model import phrase, texts
from precompute.demo.planted.pictures import draw, name, pictures
from precompute.demo.planted.weights import config, state
from precompute.demo.png import png

IMAGES, ATTRIBUTES = "images", "images/attributes.csv"
TEXTS, PROMPTS = "texts.tsv", "prompts.tsv"
CONFIG, CHECKPOINT, BPE = "model.json", "model.safetensors", "vocabulary.bpe.gz"
ANSWERS = "answers.json"


def write_planted(folder: Path) -> None:
    """Write everything; a folder with answers.json is complete."""
    (folder / IMAGES).mkdir(parents=True, exist_ok=True)
    # An older plan's pictures would be images without attributes, and its answers wrong.
    for old in (folder / ANSWERS, *(folder / IMAGES).glob("planted_*.png")):
        old.unlink(missing_ok=True)
    for index, picture in enumerate(pictures()):
        (folder / IMAGES / name(index)).write_bytes(png(draw(picture)))
    _write_attributes(folder / ATTRIBUTES)
    lines = [f"{text}\t{'|'.join(of)}" for text, of in texts()]
    about = ["# name: planted", "# language: en", f"# license: {LICENSE}"]
    _write_lines(folder / TEXTS, about + lines)
    _write_lines(folder / PROMPTS, _prompts())
    words.write_bpe(folder / BPE)
    (folder / CONFIG).write_text(json.dumps(config(), indent=2) + "\n", encoding="utf-8")
    save_file(state(folder / BPE), folder / CHECKPOINT)
    (folder / ANSWERS).write_text(json.dumps(answers(), indent=1) + "\n", encoding="utf-8")


def _write_attributes(path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["path", *WEIGHTS])
        for index, picture in enumerate(pictures()):
            values = [list(names)[getattr(picture, of)] for of, names in WEIGHTS.items()]
            table.writerow([name(index), *values])


def _prompts() -> list[str]:
    """Attribute, value, and the text that asks for it zero-shot."""
    return [
        f"{of}\t{value}\t{phrase(word)}"
        for of, names in WEIGHTS.items()
        for value, word in zip(names, words_of(of), strict=True)
    ]


def _write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
