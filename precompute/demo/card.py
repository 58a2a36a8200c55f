"""The one part of the model's card that is measured, kept between two marks of the file."""

import hashlib
from pathlib import Path

from precompute.demo import WEIGHTS_PATH

START, STOP = "<!-- scores: written by `python -m precompute.demo score` -->", "<!-- end of scores -->"


def write_table(card: Path, table: str, *, scenes: int) -> None:
    """Replace the scores in the card."""
    text = card.read_text(encoding="utf-8")
    if START not in text or STOP not in text:
        raise ValueError(f"{card} has lost the marks around its scores. Put back {START} and {STOP}.")
    before, after = text.split(START)[0], text.split(STOP)[1]
    weights = hashlib.sha256(WEIGHTS_PATH.read_bytes()).hexdigest()
    made_on = f"Measured on {scenes:,} held-out scenes, weights SHA-256 `{weights[:16]}...`."
    card.write_text(f"{before}{START}\n\n{made_on}\n\n{table}\n\n{STOP}{after}", encoding="utf-8")
