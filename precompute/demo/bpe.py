"""A tokenizer file for a vocabulary: byte-pair merges after which every word is one token."""

import gzip
from collections import Counter
from collections.abc import Iterable
from pathlib import Path


def merges(vocabulary: Iterable[str]) -> list[tuple[str, str]]:
    """Returns the byte-pair merges of a vocabulary after which every word is one token."""
    symbols = [[*word[:-1], word[-1] + "</w>"] for word in vocabulary]
    result = []
    while pairs := Counter(pair for word in symbols for pair in zip(word, word[1:], strict=False)):
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        result.append(best)
        symbols = [_merge(word, best) for word in symbols]
    return result


def _merge(word: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    for part in word:
        if out and (out[-1], part) == pair:
            out[-1] += part
        else:
            out.append(part)
    return out


def write_bpe(path: Path, vocabulary: Iterable[str]) -> None:
    """Writes the merges for open_clip's `SimpleTokenizer`; the file must not end with a newline."""
    lines = ["#version: headlight demo"] + [" ".join(pair) for pair in merges(vocabulary)]
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
