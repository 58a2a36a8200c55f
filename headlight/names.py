"""Models and heads as people name them."""

from collections.abc import Sequence

import pandas as pd

from db.errors import UnknownName
from db.layout import parse_head_name

Head = tuple[int, int]
"""Layer and head, zero-based."""

HeadLike = str | Head
"""A head as "L11.H3" or (11, 3)."""


def parse_head(head: HeadLike) -> Head:
    """Returns layer and head. Raises UnknownName where `head` is not written like one."""
    if isinstance(head, str):
        place = parse_head_name(head.strip().upper())
    else:
        place = (int(head[0]), int(head[1])) if len(head) == 2 else None
    if place is None:
        raise UnknownName(f'{head!r} is not the name of a head. Write it as "L11.H3" or (11, 3).')
    return place


def parse_heads(heads: HeadLike | Sequence[HeadLike]) -> list[Head]:
    """Returns layers and heads of one head or several."""
    is_one = isinstance(heads, str) or (len(heads) == 2 and not isinstance(heads[0], (str, tuple)))
    return [parse_head(head) for head in ([heads] if is_one else heads)]  # type: ignore[arg-type]


def find_model(models: pd.DataFrame, model: str) -> str:
    """Returns the key of a model that is named by its name or its key.

    Raises:
        UnknownName: there is none, or several have that name.
    """
    if model in set(models["model_key"]):
        return model
    keys = models.loc[models["model"] == model, "model_key"].tolist()
    if len(keys) == 1:
        return keys[0]
    if keys:
        raise UnknownName(f'{len(keys)} models are named "{model}". Give a key: {", ".join(keys)}.')
    raise UnknownName(f'model "{model}" is not in this bundle. It has: {", ".join(models["model"])}.')
