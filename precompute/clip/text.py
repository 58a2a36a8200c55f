"""Encode texts, after a check that the tokenizer keeps every part of them."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import open_clip
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES, OPENAI_IMAGENET_TEMPLATES
from torch import Tensor, nn

from db.errors import UserError
from precompute.clip import configs
from precompute.clip.model import Clip
from precompute.inputs.model_specs import ModelError, ModelSpec

MAX_NAMED = 5
"""Unknown words that a message names."""

MAX_LISTED = 60
"""Number of known words in the same message."""


class TextError(UserError):
    """A text that cannot be encoded; the message states the cause and the next step."""


class UnknownWords(TextError):
    """Words outside a closed vocabulary."""

    def __init__(self, message: str, unknown: Sequence[str], vocabulary: Sequence[str]) -> None:
        super().__init__(message)
        self.unknown = tuple(unknown)
        self.vocabulary = tuple(vocabulary)


@torch.no_grad()
def encode_text(clip: Clip, texts: Sequence[str], *, batch: int = 256) -> Float[Tensor, "text d_out"]:
    """Returns unit-length embeddings, float32, on the CPU.

    Raises:
        TextError: a text would be changed or cut by the tokenizer; checked for all texts before encoding.
    """
    for text in texts:
        check_text(clip, text)
    if not texts:
        return torch.zeros(0, clip.d_out)
    token_ids = _tokenizer(clip)(list(texts))
    # Sorted by length: a batch is padded to its longest text.
    order = token_ids.argmax(dim=-1).argsort(stable=True)
    parts = [_encode_tokens(clip, token_ids[rows]) for rows in order.split(batch)]
    return F.normalize(torch.cat(parts).float(), dim=-1).cpu()[order.argsort()]


def imagenet_names() -> list[str]:
    """Returns the names of ImageNet's 1,000 classes, in order; two pairs of classes share a name."""
    return list(IMAGENET_CLASSNAMES)


def imagenet_prompts() -> list[list[str]]:
    """Returns the 80 zero-shot prompts of each of ImageNet's 1,000 classes, in order."""
    return [[template(name) for template in OPENAI_IMAGENET_TEMPLATES] for name in IMAGENET_CLASSNAMES]


def check_text(clip: Clip, text: str) -> None:
    """Raises TextError for a text that the tokenizer would change or cut."""
    if not text.strip():
        raise TextError("the text is empty. Give at least one word.")
    _check_vocabulary(clip, text)
    tokenizer = _tokenizer(clip)
    token_ids = _token_ids(tokenizer, text)
    if not token_ids:
        raise TextError(
            f"nothing is left of the text {_shortened(text)!r} once it is cleaned. Give at least one word."
        )
    if isinstance(tokenizer, SimpleTokenizer) and {*token_ids} & {*tokenizer.all_special_ids}:
        raise TextError(
            f"the text {_shortened(text)!r} holds a mark that stands for the start or end of a text. "
            "Remove it."
        )
    count = len(token_ids) + 2
    if count > clip.context_length:
        raise TextError(
            f"the text {_shortened(text)!r} has {count} tokens, start and end included; {clip.spec.name} "
            f"reads {clip.context_length}. Shorten it: the rest would be cut off in silence."
        )


def _check_vocabulary(clip: Clip, text: str) -> None:
    vocabulary = clip.spec.vocabulary
    if vocabulary is None:
        return
    # Punctuation counts as words: a model trained without commas reads a comma as noise.
    words = dict.fromkeys(re.findall(r"[^\W_]+|[^\w\s]|_", text.lower()))
    unknown = [word for word in words if word not in vocabulary]
    if unknown:
        known = sorted(vocabulary)
        named = ", ".join(repr(_shortened(word)) for word in unknown[:MAX_NAMED])
        more = f" and {len(unknown) - MAX_NAMED:,} more" if len(unknown) > MAX_NAMED else ""
        raise UnknownWords(
            f"{clip.spec.name} has never seen {named}{more}. {_advice(unknown, known)}", unknown, known
        )


def _advice(unknown: list[str], vocabulary: list[str]) -> str:
    """Returns the known words that are spelled like unknown ones, then the first words of the vocabulary."""
    near = [
        f"{word!r} is near {' or '.join(map(repr, matches))}. "
        for word in (_shortened(word) for word in unknown[:MAX_NAMED])
        if (matches := get_close_matches(word, vocabulary, n=3, cutoff=0.7))
    ]
    listed = ", ".join(vocabulary[:MAX_LISTED])
    rest = len(vocabulary) - MAX_LISTED
    return f"{''.join(near)}It knows {listed}{f' and {rest:,} more words' if rest > 0 else ''}."


def _tokenizer(clip: Clip) -> Any:
    return _read_tokenizer(clip.spec, clip.context_length, clip.model.vocab_size)


@lru_cache
def _read_tokenizer(spec: ModelSpec, context_length: int, vocab_size: int) -> Any:
    try:
        options = configs.tokenizer_options(spec.config) if spec.config else {}
        if spec.bpe is not None:
            tokenizer = SimpleTokenizer(bpe_path=str(spec.bpe), context_length=context_length, **options)
        elif spec.config is not None:
            tokenizer = SimpleTokenizer(context_length=context_length, **options)
        else:
            tokenizer = open_clip.get_tokenizer(spec.architecture, context_length=context_length)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"the tokenizer of {spec.name} cannot be read: {error}") from error
    # open_clip would accept the wrong merges, and the model would read other words than the text has.
    if isinstance(tokenizer, SimpleTokenizer) and tokenizer.vocab_size != vocab_size:
        raise ModelError(
            f"{spec.name} knows {vocab_size} tokens, but its tokenizer makes {tokenizer.vocab_size}. "
            "Give the merges it was trained with: --bpe FILE."
        )
    return tokenizer


def _token_ids(tokenizer: Any, text: str) -> list[int]:
    """Tokens of a text without start and end."""
    if isinstance(tokenizer, SimpleTokenizer):
        return tokenizer.encode(text)
    return tokenizer.tokenizer.encode(tokenizer.clean_fn(text), add_special_tokens=False)


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _encode_tokens(clip: Clip, token_ids: Int[Tensor, "text position"]) -> Float[Tensor, "text d_out"]:
    """Result of open_clip's encode_text, computed without padding if the padding has no effect.

    Under a causal mask no token attends to later ones, and the embedding is the output at the end token.
    """
    model: Any = clip.model
    if type(model) is not CLIP or model.attn_mask is None or model.text_pool_type != "argmax":
        return model.encode_text(token_ids.to(clip.device))
    end = token_ids.argmax(dim=-1)  # on the CPU: not every device has argmax of integers
    length = int(end.max()) + 1
    x = model.token_embedding(token_ids[:, :length].to(clip.device)) + model.positional_embedding[:length]
    x = model.transformer(x, attn_mask=model.attn_mask[:length, :length])
    x = model.ln_final(x)[torch.arange(len(x)), end]
    projection = model.text_projection
    return projection(x) if isinstance(projection, nn.Linear) else x @ projection
