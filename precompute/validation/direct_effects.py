"""What the zero-shot scores of an attribute lose when heads are mean-ablated: the direct effect.

With y the coordinates of a head's contribution, m their mean and Q its basis, a score s(t) loses
(y - m)·(Q t). That is all a head gives to a text itself: everything after it, the last LayerNorm and the
length of the embedding included, stays as it was. Scores are therefore not divided by a new length after a
removal, while those of a forward pass are cosines with the changed model's own unit embedding.

Keeping a head's part along its first texts instead removes (y - m)(I - P), with P the projection on their
span in the head's coordinates. The same through the attention output z is z' = m_z + (z - m_z) M P M⁺, with
M the map from z to coordinates: exact but for what P leaves outside the rows of M.

Knows nothing of models or files: tensors in, tensors out.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def head_losses(
    centered: Float[Tensor, "image head rank"], text: Float[Tensor, "head value rank"]
) -> Float[Tensor, "head image value"]:
    """What each score loses with each head: (y - m)·(Q t)."""
    return torch.einsum("ihr,hvr->hiv", centered, text)


def texts_losses(
    centered: Float[Tensor, "image head rank"],
    text: Float[Tensor, "head value rank"],
    directions: Sequence[Float[Tensor, "_ rank"]],
    k: int,
) -> Float[Tensor, "image value"]:
    """What each score loses when every head keeps only its part along its first `k` texts."""
    kept = torch.stack([projection(own, k) for own in directions]).to(centered)
    return torch.einsum("ihr,hvr->iv", centered - torch.einsum("ihr,hrs->ihs", centered, kept), text)


def directions(text: Float[Tensor, "k rank"]) -> Float[Tensor, "direction rank"]:
    """Orthonormal rows, of which the first k span the first k texts. float64."""
    # Texts that TEXTSPAN chose are never within the span of those before, so QR meets no zero.
    return torch.linalg.qr(text.double().T)[0].T


def projection(directions: Float[Tensor, "direction rank"], k: int) -> Float[Tensor, "rank rank"]:
    """P on the first `k` directions; on all of them where a head has fewer texts."""
    return directions[:k].T @ directions[:k]


def through_z(
    head_map: Float[Tensor, "d_head rank"], projection: Float[Tensor, "rank rank"]
) -> Float[Tensor, "d_head d_head"]:
    """M P M⁺: what a projection of coordinates is for the attention output. float64."""
    head_map = head_map.double()
    return head_map @ projection.double() @ torch.linalg.pinv(head_map)
