"""Texts: check that a text will be read as it is written, then encode it."""

import re
from collections.abc import Sequence
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
from precompute.clip.model import Clip
from precompute.inputs.model_specs import ModelError, ModelSpec


class TextError(UserError):
    """A text cannot be encoded as it stands; the message says why and what to do."""


@torch.no_grad()
def encode_text(clip: Clip, texts: Sequence[str], *, batch: int = 256) -> Float[Tensor, "text d_out"]:
    """Unit-length embeddings, float32, on the processor. All texts are checked before one is encoded."""
    for text in texts:
        check_text(clip, text)
    if not texts:
        return torch.zeros(0, clip.d_out)
    token_ids = _tokenizer(clip)(list(texts))
    # Texts of like length go together: a batch is as long as its longest text.
    order = token_ids.argmax(dim=-1).argsort(stable=True)
    parts = [_encode_tokens(clip, token_ids[rows]) for rows in order.split(batch)]
    return F.normalize(torch.cat(parts).float(), dim=-1).cpu()[order.argsort()]


def imagenet_names() -> list[str]:
    """Names of ImageNet's 1,000 classes, in order; two pairs of classes share one."""
    return list(IMAGENET_CLASSNAMES)


def imagenet_prompts() -> list[list[str]]:
    """For each of ImageNet's 1,000 classes, in order, the 80 prompts that zero-shot evaluation asks with."""
    return [[template(name) for template in OPENAI_IMAGENET_TEMPLATES] for name in IMAGENET_CLASSNAMES]


def check_text(clip: Clip, text: str) -> None:
    """Refuse a text that would be encoded as something else than what it says."""
    if not text.strip():
        raise TextError("the text is empty. Give at least one word.")
    _check_vocabulary(clip, text)
    tokenizer = _tokenizer(clip)
    token_ids = _token_ids(tokenizer, text)
    if not token_ids:
        raise TextError(f"nothing is left of the text {text!r} once it is cleaned. Give at least one word.")
    if isinstance(tokenizer, SimpleTokenizer) and {*token_ids} & {*tokenizer.all_special_ids}:
        raise TextError(
            f"the text {text!r} holds a mark that stands for the start or end of a text. Remove it."
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
    # Marks count as words: a model trained without a comma reads one as noise.
    unknown = [word for word in re.findall(r"[^\W_]+|[^\w\s]|_", text.lower()) if word not in vocabulary]
    if unknown:
        raise TextError(
            f"{clip.spec.name} has never seen {', '.join(map(repr, dict.fromkeys(unknown)))}. "
            f"Its words are: {', '.join(sorted(vocabulary))}."
        )


def _tokenizer(clip: Clip) -> Any:
    return _read_tokenizer(clip.spec, clip.context_length, clip.model.vocab_size)


@lru_cache
def _read_tokenizer(spec: ModelSpec, context_length: int, vocab_size: int) -> Any:
    try:
        if spec.bpe is not None:
            tokenizer = SimpleTokenizer(bpe_path=str(spec.bpe), context_length=context_length)
        elif spec.config is not None:
            tokenizer = SimpleTokenizer(context_length=context_length)
        else:
            tokenizer = open_clip.get_tokenizer(spec.architecture, context_length=context_length)
    except Exception as error:
        raise ModelError(f"the tokenizer of {spec.name} cannot be read: {error}") from error
    # open_clip would go on with the wrong merges; here the model would read words as other words.
    if isinstance(tokenizer, SimpleTokenizer) and tokenizer.vocab_size != vocab_size:
        raise ModelError(
            f"{spec.name} knows {vocab_size} tokens, but its tokenizer makes {tokenizer.vocab_size}. "
            "Give the merges it was trained with: --bpe FILE."
        )
    return tokenizer


def _token_ids(tokenizer: Any, text: str) -> list[int]:
    """Without start and end."""
    if isinstance(tokenizer, SimpleTokenizer):
        return tokenizer.encode(text)
    return tokenizer.tokenizer.encode(tokenizer.clean_fn(text), add_special_tokens=False)


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _encode_tokens(clip: Clip, token_ids: Int[Tensor, "text position"]) -> Float[Tensor, "text d_out"]:
    """open_clip's encode_text, without the padding where that cannot matter.

    Under a causal mask no token sees what follows it, and the embedding is read at the end token.
    """
    model: Any = clip.model
    if type(model) is not CLIP or model.attn_mask is None or model.text_pool_type != "argmax":
        return model.encode_text(token_ids.to(clip.device))
    end = token_ids.argmax(dim=-1)  # on the processor: no device need know argmax of integers
    length = int(end.max()) + 1
    x = model.token_embedding(token_ids[:, :length].to(clip.device)) + model.positional_embedding[:length]
    x = model.transformer(x, attn_mask=model.attn_mask[:length, :length])
    x = model.ln_final(x)[torch.arange(len(x)), end]
    projection = model.text_projection
    return projection(x) if isinstance(projection, nn.Linear) else x @ projection
