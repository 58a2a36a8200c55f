"""The words of the demo models: their vocabulary, the captions they are trained on, their tokenizer's file.

Every word is one token. A word outside `VOCABULARY` was never seen in training, and
`unknown_words` names it, so that a caller can refuse it.
"""

import gzip
import re
from collections import Counter
from pathlib import Path

from precompute.demo.hashing import Stream
from precompute.demo.scenes import BACKGROUNDS, COLORS, COUNTS, PATTERNS, SHAPES, Content, Kind

PLURAL = {shape: "crosses" if shape == "cross" else shape + "s" for shape in SHAPES}
OPENINGS = (
    "",
    "a picture of ",
    "a picture with ",
    "a drawing of ",
    "an image with ",
    "a scene with ",
    "there are ",
    "we see ",
    "this shows ",
)
NOUNS = ("objects", "things", "figures")
ON = ("on {}", "over {}", "in front of {}", "against {}", "with {} behind", "with a background of {}")
AT = ("at the {}", "in the {}", "placed at the {}")
PROPERTIES = ("color", "shape", "pattern", "background", "count", "position")

# Fixed before any model was scored: one form for each property.
PROMPTS = {
    "color": "a picture with {} objects",
    "shape": "a picture with {}",
    "pattern": "a picture with {} objects",
    "background": "a picture with a background of {}",
    "count": "a picture with {} objects",
    "position": "a picture with objects at the {}",
}

_FUNCTION_WORDS = (
    "a", "an", "and", "the", "of", "with", "on", "over", "in", "front", "against", "behind", "background",
    "at", "placed", "there", "are", "we", "see", "this", "shows", "picture", "drawing", "image", "scene",
    "object", "objects", "thing", "things", "figure", "figures", "top", "bottom", "left", "right", "center",
)  # fmt: skip

VOCABULARY: tuple[str, ...] = tuple(
    sorted({*_FUNCTION_WORDS, *COLORS, *SHAPES, *PLURAL.values(), *PATTERNS, *BACKGROUNDS, *COUNTS})
)


def unknown_words(text: str) -> list[str]:
    """Words of a text that the demo models never saw, in order, each once."""
    words = re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower())
    return [word for word in dict.fromkeys(words) if word not in VOCABULARY]


def prompt(of: str, value: str) -> str:
    """The fixed prompt for one value of a property."""
    if of == "shape":
        value = PLURAL[value]
    text = PROMPTS[of].format(value)
    return text.replace("one objects", "one object")


def object_caption(kind: Kind) -> str:
    """A caption that names one kind of object by color and shape, and says nothing else of the scene."""
    return f"a picture with {kind.color} {PLURAL[kind.shape]}"


def noun_phrase(kind: Kind, named: "set[str] | frozenset[str]", stream: Stream) -> str:
    """The objects of one kind, told by the named properties only."""
    counted = "count" in named
    single = counted and kind.count == 1
    noun = PLURAL[kind.shape] if "shape" in named else stream.choice(NOUNS)
    if single:
        noun = kind.shape if "shape" in named else noun[:-1]
    words = [getattr(kind, of) for of in ("color", "pattern") if of in named] + [noun]
    if counted:
        article = "an" if words[0][0] in "aeiou" else "a"
        words.insert(0, article if single and stream.below(3) == 0 else COUNTS[kind.count - 1])
    phrase = " ".join(words)
    return phrase + " " + stream.choice(AT).format(kind.position) if "position" in named else phrase


def caption(
    content: Content, stream: Stream, named: "set[str] | frozenset[str]" = frozenset(PROPERTIES)
) -> str:
    """One sentence about a scene that names these properties, and no others."""
    of_kinds = set(named) - {"background"}
    opening = stream.choice(OPENINGS)
    ground = ""
    if "background" in named:
        ground = stream.choice(ON).format(content.background)
        if not of_kinds and stream.below(2):
            return opening + "a background of " + content.background
    kinds = list(content.kinds)
    if len(kinds) == 2 and stream.below(2):
        kinds.reverse()
    if len(kinds) == 2 and len(of_kinds) < 5 and stream.below(2):
        kinds.pop()
    if not of_kinds:
        kinds = kinds[:1]
    phrases = " and ".join(noun_phrase(kind, of_kinds, stream) for kind in kinds)
    return f"{opening}{phrases} {ground}".strip()


def one_property(of: str, value: str, stream: Stream) -> str:
    """A caption that names one value of one property, and nothing else."""
    opening, noun = stream.choice(OPENINGS), stream.choice(NOUNS)
    if of == "background":
        if stream.below(2):
            return f"{opening}a background of {value}"
        return f"{opening}{noun} {stream.choice(ON).format(value)}"
    if of == "shape":
        return opening + PLURAL[value]
    if of == "position":
        return f"{opening}{noun} {stream.choice(AT).format(value)}"
    return f"{opening}{value} {noun[:-1] if value == 'one' else noun}"


def some_properties(among: list[str], stream: Stream) -> set[str]:
    """Two or three properties to name, or all of them, each half of the time."""
    if stream.below(2):
        return set(among)
    wanted = 2 + stream.below(2)
    named: set[str] = set()
    while len(named) < wanted:
        named.add(stream.choice(among))
    return named


def merges(words: tuple[str, ...] = VOCABULARY) -> list[tuple[str, str]]:
    """Byte-pair merges, learned on the vocabulary until every word is one token."""
    split = [[*word[:-1], word[-1] + "</w>"] for word in words]
    learned = []
    while pairs := Counter(pair for word in split for pair in zip(word, word[1:], strict=False)):
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        learned.append(best)
        split = [_merged(word, best) for word in split]
    return learned


def _merged(word: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    for part in word:
        if out and (out[-1], part) == pair:
            out[-1] += part
        else:
            out.append(part)
    return out


def write_bpe(path: Path) -> None:
    """Write the merges as open_clip's `SimpleTokenizer` reads them; no newline may end the file."""
    lines = ["#version: headlight demo"] + [" ".join(pair) for pair in merges()]
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
