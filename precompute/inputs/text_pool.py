"""Text pools: one text a line, each with its properties.

    # language: en
    # license: CC0-1.0
    a photo of something red<tab>color
    a red brick wall<tab>color|material

Lines that begin with `#` are comments. Comments of the form `# key: value` with the keys name, language and
license describe the pool. The id of a text is the hash of its NFC-normalized, stripped UTF-8, never a line
number.

Texts without a property are tagged by the rule of `lexical_tags`, which reads English. Texts of a pool in
another language stay untagged.

Knows nothing of models. Reads one file, and the lexicon if needed; everything else is pure.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from db.errors import UserError
from db.layout import normalize_text
from precompute.inputs import lexical_tags
from precompute.method.types import Pool

UNTAGGED = """no text of the pool {name} carries a property, so heads could not be labeled{rule}.
Add a tab and its properties, separated by |, to the texts: a red wall<tab>color|material."""

SHOWN = 5
"""Missing texts named in an error; the first few tell which pool is meant."""


class PoolError(UserError):
    """A text pool cannot be used; the message says what to change."""


def load(path: Path) -> Pool:
    """Returns the pool of a tab-separated file, untagged texts tagged by rule. Raises PoolError."""
    return parse(_read(path), name=path.stem, by_rule=True)


def parse(content: str, *, name: str, by_rule: bool = False) -> Pool:
    """Returns the pool of a file's content. Raises PoolError.

    Empty lines and repeated texts are dropped and counted. The first of several equal texts keeps its place
    and gets the properties of all. With `by_rule`, texts without a property are tagged by the lexical rule.
    """
    metadata: dict[str, str] = {}
    texts: dict[str, set[str]] = {}
    duplicates = empty = 0
    # Not splitlines: it also splits at characters that can be part of a text.
    for number, line in enumerate(content.removesuffix("\n").split("\n"), start=1):
        if line.startswith("#"):
            metadata |= _metadata(line)
            continue
        text, properties = _split(line, number, name)
        if not text:
            empty += 1
            continue
        duplicates += text in texts
        texts.setdefault(text, set()).update(properties)
    tagged_count = _tag(texts, metadata) if by_rule else None
    return build(texts, metadata, name=name, duplicates=duplicates, empty=empty, tagged_count=tagged_count)


def text_id(text: str) -> str:
    """Returns the first 16 hex digits of the SHA-256 of the NFC-normalized, stripped UTF-8."""
    return hashlib.sha256(normalize_text(text).encode()).hexdigest()[:16]


def pick_indices(
    lists: Sequence[Sequence[str]],
    pool: Pool,
    *,
    source: str = "the lists",
    advice: str = "Give the pool that they were chosen from.",
) -> Int[Tensor, "list k"]:
    """Returns the rows of the pool for the texts of each list, in order; -1 past the end of a shorter list.

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
    """Returns text and properties of one line."""
    text, *rest = line.split("\t")
    if len(rest) > 1:
        raise PoolError(
            f"line {number} of the pool {name} has {len(rest)} tabs; "
            "a line is a text, one tab, and its properties separated by |."
        )
    properties = [normalize_text(part) for field in rest for part in field.split("|")]
    return normalize_text(text), [part for part in properties if part]


def _tag(texts: dict[str, set[str]], metadata: dict[str, str]) -> int | None:
    """Adds properties to untagged texts; returns the count of texts changed, None if not English."""
    if metadata.get("language", "en").lower().partition("-")[0] not in ("en", "und"):
        return None
    untagged = [text for text, properties in texts.items() if not properties]
    for text in untagged:
        # load_lexicon caches; a pool without untagged texts reads no lexicon.
        texts[text].update(lexical_tags.tags(text, lexical_tags.load_lexicon()))
    return sum(bool(texts[text]) for text in untagged)


def build(
    texts: Mapping[str, Collection[str]],
    metadata: Mapping[str, str],
    *,
    name: str,
    duplicates: int,
    empty: int,
    tagged_count: int | None,
) -> Pool:
    """Returns the pool of texts with their properties; `tagged_count` of them are tagged by rule.

    Raises PoolError without a text or a property.
    """
    name = metadata.get("name", name)
    if not texts:
        raise PoolError(f"the text pool {name} has no texts; write one a line.")
    properties = sorted(set().union(*texts.values()))
    if not properties:
        rule = "" if tagged_count is None else ", and the lexical rule found none in their words"
        raise PoolError(UNTAGGED.format(name=name, rule=rule))

    column = {property_: index for index, property_ in enumerate(properties)}
    tags = torch.zeros(len(texts), len(properties), dtype=torch.bool)
    for row, text_properties in enumerate(texts.values()):
        tags[row, [column[property_] for property_ in text_properties]] = True
    return Pool(
        name=name,
        language=metadata.get("language", "und"),
        license=metadata.get("license"),
        texts=tuple(texts),
        properties=tuple(properties),
        tags=tags,
        dropped_duplicates=duplicates,
        dropped_empty=empty,
        tagged_by_rule=tagged_count or 0,
    )
