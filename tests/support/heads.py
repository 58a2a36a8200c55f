"""Synthetic heads with known labels: moments, spaces and texts without a model."""

from typing import NamedTuple

import torch
from torch import Tensor

from precompute.method import moments
from precompute.method.replicates import Texts
from precompute.method.types import ComponentMoments, HeadSpaces, Moments, Pool

RANK, D_OUT = 8, 24


class SyntheticModel(NamedTuple):
    """One model of two layers of heads, and its text pool."""

    moments: Moments
    components: ComponentMoments
    spaces: HeadSpaces
    text: Tensor
    pool: Pool

    def layer(self, place: int) -> tuple[Moments, Texts]:
        texts = Texts(self.text, self.spaces.basis[place], self.spaces.rank[place], self.pool.tags)
        return self.moments.at(place), texts


def pool_of(sizes: dict[str, int], both: tuple[tuple[str, str], ...] = ()) -> Pool:
    """Pool with `sizes` texts of each property, then one text for each pair in `both`."""
    names = tuple(sorted(sizes))
    carried = [(name,) for name in names for _ in range(sizes[name])] + list(both)
    tags = torch.tensor([[name in properties for name in names] for properties in carried])
    texts = tuple(f"text {number} of {' and '.join(properties)}" for number, properties in enumerate(carried))
    return Pool("made up", "en", None, texts, names, tags, 0, 0)


def model(pool: Pool, about: list[list[str | None]], *, images: int = 1280, seed: int = 0) -> SyntheticModel:
    """Model with a head for each entry of `about`, [layer, head]: along the texts of a property, or noise.

    The texts of a property lie near a plane of d_out, one plane a property.
    """
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    planes = torch.linalg.qr(random(D_OUT, D_OUT)).Q.unflatten(1, (-1, 2))  # [d_out, property, 2]
    planes = planes[:, : len(pool.properties)].movedim(1, 0)  # [property, d_out, 2]
    angle = random(len(pool.texts), 2)
    near = torch.einsum("tp,pdc,tc->td", pool.tags.float(), planes, angle) + 0.2 * random(
        len(pool.texts), D_OUT
    )
    text = torch.nn.functional.normalize(near, dim=1)

    layers, heads = len(about), len(about[0])
    basis = torch.linalg.qr(random(layers, heads, D_OUT, RANK)).Q.mT.contiguous()
    y = random(images, layers, heads, RANK)
    for layer, row in enumerate(about):
        for head, name in enumerate(row):
            if name is not None:
                plane = planes[pool.properties.index(name)]
                # The head's space contains the plane of its property.
                basis[layer, head] = torch.linalg.qr(torch.cat([plane, random(D_OUT, RANK - 2)], dim=1)).Q.T
                y[:, layer, head] = 0.1 * y[:, layer, head]
                y[:, layer, head] += 3 * random(images, 2) @ plane.T @ basis[layer, head].T
    group = torch.arange(images) % moments.GROUPS
    head_moments = moments.from_coordinates(y, group)
    spaces = HeadSpaces(tuple(range(2, 2 + layers)), basis, torch.full((layers, heads), RANK))
    return SyntheticModel(head_moments, _components(head_moments, spaces), spaces, text, pool)


def _components(head_moments: Moments, spaces: HeadSpaces) -> ComponentMoments:
    """Component moments with nearly equal shares in every group; embeddings are sums of components."""
    count = len(moments.components(spaces.layers, spaces.basis.shape[1]))
    generator = torch.Generator().manual_seed(3)
    groups = len(head_moments.image_count)
    mean = 0.1 * torch.randn(groups, count, D_OUT, generator=generator).double()
    cross = 1 + 0.1 * torch.randn(groups, count, generator=generator).double()
    return ComponentMoments(head_moments.image_count, mean, mean.sum(1), cross, cross.sum(1))
