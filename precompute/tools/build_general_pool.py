"""Builds the general text pool from a list of values: every property appears equally often in each frame.

If every place were written as "a photo taken in ...", a head that responds to such sentences would look like
a location head.

Knows nothing of models. `python -m precompute.tools.build_general_pool` writes `texts/general.tsv`.
"""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from precompute.texts import TEXTS, write_rows

VALUES_PATH = TEXTS / "general_values.tsv"
POOL_PATH = TEXTS / "general.tsv"
ABOUT = "# name: general\n# language: en\n# license: CC0-1.0\n"
FRAMES = ("{}", "a photo of {}", "an image of {}", "a picture showing {}", "we see {}", "{} can be seen")
"""Sentence frames; any noun phrase, singular or plural, is grammatical in each."""

LOOKS = ("something {}", "{} things", "objects that are {}")
PERIODS = ("{}", "a scene in {}", "a place in {}")
PERSONS = ("someone {}", "somebody {}", "someone who is {}")
CARRIERS = {
    "color": LOOKS,
    "shape": LOOKS,
    "texture": LOOKS,
    "material": ("something made of {}", "things made of {}", "objects made of {}"),
    "counting": ("{} items", "{} things", "{} objects"),
    "location": PERIODS,
    "season": PERIODS,
    "time of day": ("{}", "a scene at {}", "a place at {}"),
    "emotion": PERSONS,
    "age": PERSONS,
    "action": PERSONS,
}
"""Phrases that turn a value into a noun phrase, shared by as many properties as grammar allows."""


class Value(NamedTuple):
    """One value of a property."""

    words: str
    """Words that carry the meaning."""

    properties: str
    """Properties of the value, separated by `|` as in the pool."""

    phrase: str | None
    """Noun phrase for the frames. None: the carriers of the property apply, or the words stand alone."""

    group: str
    """Comment above the value in the file; for places their continent ("location: Africa")."""


def values(path: Path = VALUES_PATH) -> list[Value]:
    """Returns the values in file order. Raises ValueError for a line without two or three fields."""
    rows, group = [], ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("#"):
            group = line.lstrip("#").strip()
        elif line:
            fields = line.split("\t")
            if len(fields) not in (2, 3):
                raise ValueError(
                    f"line {number} of {path.name} has {len(fields)} fields; "
                    "write value, tab, properties, and where it needs one a tab and the phrase."
                )
            words, properties, *phrase = fields
            rows.append(Value(words, properties, phrase[0] if phrase else None, group))
    return rows


def pool(path: Path = VALUES_PATH) -> list[tuple[str, str]]:
    """Returns one text per value, with its properties; the list is deterministic.

    The values of one property, or of one pair of properties, cycle through the frames.
    """
    counts: Counter[str] = Counter()
    texts = []
    for value in values(path):
        turn, frame = divmod(counts[value.properties], len(FRAMES))
        counts[value.properties] += 1
        texts.append((FRAMES[frame].format(_phrase(value, turn)), value.properties))
    return texts


def write_pool(path: Path = POOL_PATH) -> None:
    """Writes one text per line, followed by a tab and its properties."""
    write_rows(path, ABOUT, pool())


def _phrase(value: Value, turn: int) -> str:
    """Returns the value as a noun phrase; each carrier is used with every frame before the next carrier."""
    if value.phrase is not None:
        return value.phrase
    carriers = CARRIERS.get(value.properties, ("{}",))
    return carriers[turn % len(carriers)].format(value.words)


if __name__ == "__main__":
    write_pool()
