"""Text pools: descriptions, one a line, each with the properties it carries.

    # language: en
    # license: CC0-1.0
    a photo of something red<tab>color
    a red brick wall<tab>color|material

Lines that begin with `#` are comments; of these, `# key: value` with the keys name, language and license
describes the pool. A text is the hash of its NFC-normalized, stripped UTF-8, never a line number.

Texts without a property get theirs by the lexical rule of `tagging`, which reads English: a pool that says it
is in another language keeps its texts as they are.

Knows nothing of models. Reads one file, and the lexicon where it is needed; everything else is pure.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from db.errors import UserError
from precompute.inputs import lexical_tags
from precompute.method.types import Pool

UNTAGGED = """no text of the pool {name} carries a property, so heads could not be labeled{rule}.
Add a tab and its properties, separated by |, to the texts: a red wall<tab>color|material."""

SHOWN = 5
"""Missing texts named in an error; the first few tell which pool is meant."""


class PoolError(UserError):
    """A text pool cannot be used; the message says what to change."""


def load(path: Path) -> Pool:
    """Read a pool from a tab-separated file; untagged texts are tagged by rule. Raises PoolError."""
    return parse(_read(path), name=path.stem, by_rule=True)


def parse(content: str, *, name: str, by_rule: bool = False) -> Pool:
    """A pool from the content of its file.

    Empty lines and repeated texts are left out and counted; the first of the repeated keeps its place and
    takes the properties of all of them. With `by_rule`, texts that have none still are tagged by rule.
    """
    about: dict[str, str] = {}
    texts: dict[str, set[str]] = {}
    duplicates = empty = 0
    # Not splitlines: it also splits at characters that may stand inside a text.
    for number, line in enumerate(content.removesuffix("\n").split("\n"), start=1):
        if line.startswith("#"):
            about |= _metadata(line)
            continue
        text, properties = _split(line, number, name)
        if not text:
            empty += 1
            continue
        duplicates += text in texts
        texts.setdefault(text, set()).update(properties)
    tagged = _tag(texts, about) if by_rule else None
    return _pool(texts, about, name=name, duplicates=duplicates, empty=empty, tagged=tagged)


def text_id(text: str) -> str:
    """First 16 hex digits of the SHA-256 of the NFC-normalized, stripped UTF-8."""
    return hashlib.sha256(normalize(text).encode()).hexdigest()[:16]


def normalize(text: str) -> str:
    """One spelling for one text: NFC, without space around it."""
    return unicodedata.normalize("NFC", text).strip()


def pick_indices(
    lists: Sequence[Sequence[str]],
    pool: Pool,
    *,
    source: str = "the lists",
    advice: str = "Give the pool that they were chosen from.",
) -> Int[Tensor, "list k"]:
    """Rows of the pool that each list names, in order; -1 past the end of a shorter list.

    Raises:
        PoolError: the pool lacks texts; names the first few.
    """
    row = {text: index for index, text in enumerate(pool.texts)}
    missing = list(dict.fromkeys(text for texts in lists for text in texts if text not in row))
    if missing:
        shown = ", ".join(repr(text) for text in missing[:SHOWN])
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise PoolError(
            f"the pool {pool.name} lacks {len(missing)} texts of {source}: {shown}{more}. {advice}"
        )
    picks = torch.full((len(lists), max(map(len, lists), default=0)), -1)
    for number, texts in enumerate(lists):
        picks[number, : len(texts)] = torch.tensor([row[text] for text in texts])
    return picks


def _read(path: Path) -> str:
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise PoolError(f"cannot read the text pool {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise PoolError(
            f"the text pool {path} is not UTF-8 (byte {error.start}); save it as UTF-8."
        ) from error
    return content.replace("\r\n", "\n").replace("\r", "\n")


def _metadata(line: str) -> dict[str, str]:
    key, colon, value = line.lstrip("#").partition(":")
    key, value = key.strip().lower(), value.strip()
    return {key: value} if colon and value and key in ("name", "language", "license") else {}


def _split(line: str, number: int, name: str) -> tuple[str, list[str]]:
    """Text and properties of one line."""
    text, *rest = line.split("\t")
    if len(rest) > 1:
        raise PoolError(
            f"line {number} of the pool {name} has {len(rest)} tabs; "
            "a line is a text, one tab, and its properties separated by |."
        )
    properties = [normalize(part) for field in rest for part in field.split("|")]
    return normalize(text), [part for part in properties if part]


def _tag(texts: dict[str, set[str]], about: dict[str, str]) -> int | None:
    """Give properties to the texts that have none; how many got some, None where the rule does not apply."""
    if about.get("language", "en").lower().partition("-")[0] not in ("en", "und"):
        return None
    untagged = [text for text, carried in texts.items() if not carried]
    for text in untagged:
        texts[text].update(
            lexical_tags.tags(text, lexical_tags.load_lexicon())
        )  # read once, and only if needed
    return sum(bool(texts[text]) for text in untagged)


def _pool(
    texts: dict[str, set[str]],
    about: dict[str, str],
    *,
    name: str,
    duplicates: int,
    empty: int,
    tagged: int | None,
) -> Pool:
    name = about.get("name", name)
    if not texts:
        raise PoolError(f"the text pool {name} has no texts; write one a line.")
    properties = sorted(set().union(*texts.values()))
    if not properties:
        rule = "" if tagged is None else ", and the lexical rule found none in their words"
        raise PoolError(UNTAGGED.format(name=name, rule=rule))

    column = {one: index for index, one in enumerate(properties)}
    tags = torch.zeros(len(texts), len(properties), dtype=torch.bool)
    for row, carried in enumerate(texts.values()):
        tags[row, [column[one] for one in carried]] = True
    return Pool(
        name=name,
        language=about.get("language", "und"),
        license=about.get("license"),
        texts=tuple(texts),
        properties=tuple(properties),
        tags=tags,
        dropped_duplicates=duplicates,
        dropped_empty=empty,
        tagged_by_rule=tagged or 0,
    )
