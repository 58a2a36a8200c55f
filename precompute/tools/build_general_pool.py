"""The general text pool, made from a list of values: every property in the same frames, as often in each.

A pool whose places all came as "a photo taken in ..." would make a head that likes such sentences a
location head.

Knows nothing of models. `python -m precompute.tools.build_general_pool` writes `texts/general.tsv`.
"""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from precompute.texts import TEXTS

VALUES_PATH = TEXTS / "general_values.tsv"
POOL_PATH = TEXTS / "general.tsv"
ABOUT = "# name: general\n# language: en\n# license: CC0-1.0\n"
FRAMES = (
    "{}",
    "a photo of {}",
    "an image of {}",
    "a picture showing {}",
    "we see {}",
    "{} can be seen",
)
"""Any noun phrase, singular or plural, is grammatical in each."""

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
"""Words around a value that names nothing by itself, shared by as many properties as grammar allows."""


class Value(NamedTuple):
    words: str
    """The words that carry the meaning, as they would stand in anyone's text."""

    properties: str
    """Its properties as the pool writes them, separated by `|`."""

    phrase: str | None
    """How it stands in a frame; None: in the carriers of its property, or alone."""

    group: str
    """The comment above it; for places their continent ("location: Africa")."""


def values(path: Path = VALUES_PATH) -> list[Value]:
    """The values in the order of their file. Raises ValueError for a line without two or three fields."""
    found, group = [], ""
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
            found.append(Value(words, properties, phrase[0] if phrase else None, group))
    return found


def pool(path: Path = VALUES_PATH) -> list[tuple[str, str]]:
    """Each text with its properties, one a value; the same list every time.

    The values of one property, and of one pair of properties, take the frames in turn.
    """
    seen: Counter[str] = Counter()
    texts = []
    for value in values(path):
        turn, frame = divmod(seen[value.properties], len(FRAMES))
        seen[value.properties] += 1
        texts.append((FRAMES[frame].format(_phrase(value, turn)), value.properties))
    return texts


def write_pool(path: Path = POOL_PATH) -> None:
    """One text a line, a tab, its properties."""
    lines = [f"{text}\t{properties}\n" for text, properties in pool()]
    path.write_text(ABOUT + "".join(lines), encoding="utf-8", newline="\n")


def _phrase(value: Value, turn: int) -> str:
    """The value as a noun phrase; a carrier changes only after every frame has had it."""
    if value.phrase is not None:
        return value.phrase
    carriers = CARRIERS.get(value.properties, ("{}",))
    return carriers[turn % len(carriers)].format(value.words)


if __name__ == "__main__":
    write_pool()
