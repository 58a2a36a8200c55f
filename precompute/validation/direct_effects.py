"""Direct effects of mean-ablation: the loss of every zero-shot score of an attribute.

Let y be the coordinates of a head's contribution, m their mean, and Q the head's basis. A score s(t) loses
(y - m)·(Q t). Everything after the head, including the last LayerNorm and the length of the embedding, stays
the same. Scores are therefore not divided by a new length after a removal, while the scores of a forward pass
are cosines with the unit embedding of the changed model.

Keeping only the part of a head along its first texts removes (y - m)(I - P), with P the projection on their
span in the head's coordinates. On the attention output z the same change is z' = m_z + (z - m_z) M P M⁺, with
M the map from z to coordinates: exact except for the part of P outside the rows of M.

Knows nothing of models or files: tensors in, tensors out.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def head_losses(
    centered: Float[Tensor, "image head rank"], text: Float[Tensor, "head value rank"]
) -> Float[Tensor, "head image value"]:
    """Returns the loss of every score under mean-ablation of each head: (y - m)·(Q t)."""
    return torch.einsum("ihr,hvr->hiv", centered, text)


def texts_losses(
    centered: Float[Tensor, "image head rank"],
    text: Float[Tensor, "head value rank"],
    directions: Sequence[Float[Tensor, "_ rank"]],
    k: int,
) -> Float[Tensor, "image value"]:
    """Returns the loss of every score if each head keeps only its part along its first `k` texts."""
    projections = torch.stack([projection(rows, k) for rows in directions]).to(centered)
    rest = centered - torch.einsum("ihr,hrs->ihs", centered, projections)
    return torch.einsum("ihr,hvr->iv", rest, text)


def directions(text: Float[Tensor, "k rank"]) -> Float[Tensor, "direction rank"]:
    """Returns orthonormal rows, float64; the first k of them span the first k texts."""
    # TEXTSPAN never chooses a text in the span of earlier ones, so R of the QR has no zero on its diagonal.
    return torch.linalg.qr(text.double().T)[0].T


def projection(directions: Float[Tensor, "direction rank"], k: int) -> Float[Tensor, "rank rank"]:
    """Returns P on the first `k` directions, or on all if the head has fewer texts."""
    return directions[:k].T @ directions[:k]


def through_z(
    head_map: Float[Tensor, "d_head rank"], projection: Float[Tensor, "rank rank"]
) -> Float[Tensor, "d_head d_head"]:
    """Returns M P M⁺, the equivalent for the attention output of a projection of coordinates; float64."""
    head_map = head_map.double()
    return head_map @ projection.double() @ torch.linalg.pinv(head_map)
