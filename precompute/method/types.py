"""Result types that the stages share. Stages import these types and never each other."""

from typing import NamedTuple

from jaxtyping import Bool, Float, Int
from torch import Tensor

Head = tuple[int, int]
"""Layer and head, both from 0."""


class VisionWeights(NamedTuple):
    """Weights of an image tower after attention, for all layers; LayerScale is part of the output weights."""

    out_weight: Float[Tensor, "layer head d_head d_model"]
    """Rows of the output projection that belong to each head: W_O."""

    out_bias: Float[Tensor, "layer d_model"]
    """Bias of the output projection, shared by the heads of a layer: b_O."""

    ln_weight: Float[Tensor, " d_model"]
    """Weight of `ln_post`: gamma."""

    ln_bias: Float[Tensor, " d_model"]
    """Bias of `ln_post`: beta."""

    ln_eps: float
    """Epsilon that `ln_post` adds to the variance."""

    projection: Float[Tensor, "d_model d_out"]
    """Projection from the residual stream to the joint space: P."""


class Captured(NamedTuple):
    """Values at the class token in one forward pass."""

    head: Float[Tensor, "image layer head d_head"]
    """Attention output of each head before the output projection: z."""

    mlp: Float[Tensor, "image layer d_model"]
    """Output of each decomposed layer's MLP, as added to the residual stream."""

    early: Float[Tensor, "image d_model"]
    """Residual stream at the input of the first decomposed layer."""

    earlier: Float[Tensor, "image component d_model"]
    """Terms of `early`: the input, then outputs of attention and MLP of each earlier layer."""

    final: Float[Tensor, "image d_model"]
    """Residual stream at the input of `ln_post`."""


class CapturedTokens(NamedTuple):
    """Values at the class token in one forward pass, and the contribution of each token to them."""

    whole: Captured
    token: Float[Tensor, "image layer head token d_head"]
    """Attention of the class token to each token times that token's value; they sum to `whole.head`."""


class HeadSpaces(NamedTuple):
    """The subspace of d_out that each decomposed head can write to."""

    layers: tuple[int, ...]
    """Layer number of each entry of the axis `layer`."""

    basis: Float[Tensor, "layer head rank d_out"]
    """Orthonormal rows; rows beyond a head's rank are zero."""

    rank: Int[Tensor, "layer head"]
    """Number of nonzero rows of `basis`."""

    @property
    def places(self) -> list[tuple[int, int]]:
        """Layer and head of every head, layer by layer."""
        return [(layer, head) for layer in self.layers for head in range(self.basis.shape[1])]


class Decomposition(NamedTuple):
    """The parts of unit-length image embeddings: early + heads + MLPs."""

    embedding: Float[Tensor, "image d_out"]
    """Image embedding, unit length."""

    head: Float[Tensor, "image layer head rank"]
    """Coordinates y = Q c of each head's contribution c in the head's space."""

    mlp: Float[Tensor, "image layer d_out"]
    """Contribution of each decomposed layer's MLP."""

    early: Float[Tensor, "image d_out"]
    """Contribution of the residual stream at the input of the first decomposed layer."""

    sum_error: Float[Tensor, " image"]
    """Largest absolute entry of (sum of all contributions - embedding)."""


class Moments(NamedTuple):
    """Count, mean and centered second moment of head coordinates, by group of images. float64."""

    image_count: Int[Tensor, " group"]
    """Number of images of each group."""

    mean: Float[Tensor, "group *head rank"]
    """`head` is layer and head; one of them, or none, in the moments of a layer or head."""

    second: Float[Tensor, "group *head rank rank"]
    """Sum over images of (y - mean)(y - mean)'; not divided by the count."""

    def at(self, place: int) -> "Moments":
        """Returns the moments of one layer; of one head, from those of a layer."""
        return Moments(self.image_count, self.mean[:, place], self.second[:, place])


class ComponentMoments(NamedTuple):
    """Moments of every component c and the embedding e that coverage needs, by group of images. float64.

    Order of components: input, attention and MLP of each earlier layer, heads (layer by layer), MLPs of the
    decomposed layers.
    """

    image_count: Int[Tensor, " group"]
    """Number of images of each group."""

    mean: Float[Tensor, "group component d_out"]
    embedding_mean: Float[Tensor, "group d_out"]
    cross: Float[Tensor, "group component"]
    """Sum over images of (c - mean)·(e - embedding_mean)."""

    total: Float[Tensor, " group"]
    """Sum over images of |e - embedding_mean|^2."""


class TextSpan(NamedTuple):
    """An ordered list of texts that spans the output of one head."""

    text_index: Int[Tensor, " k"]
    """Chosen rows of the pool, in order of choice; k may be smaller than requested."""

    variance_share: Float[Tensor, " k"]
    """Share of the head's variance that each choice removes; sums to at most 1."""

    cumulative_share: Float[Tensor, " k"]
    margin: Float[Tensor, " k"]
    """(score of the choice - score of the next text) / score of the choice; 0 is a tie."""


class Picks(NamedTuple):
    """First choices of many heads, or of many rotations of heads."""

    text_index: Int[Tensor, "*list k"]
    """Chosen rows of the pool; -1 for a missing choice."""

    variance_share: Float[Tensor, "*list k"]
    """Share of the head's variance that each choice removes; 0 for a missing choice."""

    def first(self, k: int) -> "Picks":
        """Returns the first `k` choices of each list."""
        return Picks(self.text_index[..., :k], self.variance_share[..., :k])


MAX_Q = 0.05
"""Largest q-value of a supported label."""

MIN_CARRYING = 2
"""Minimum number of picks that carry a supported label: one text cannot show what several have in common."""


class Label(NamedTuple):
    """Label of one head by one method."""

    label: str
    method: str
    """variance_share or enrichment."""

    picks: int
    """Number of first texts that the method uses."""

    carrying_picks: int
    """Number of these texts that carry the label."""

    share: float | None
    """Share of the head's variance that the picks of the label remove; variance_share only."""

    lead: float | None
    """Lead of the label's score over the next property, relative to rotated heads; variance_share only."""

    tail: float | None
    """Hypergeometric tail of the label among the first picks, an index and not a p-value; enrichment only.

    For imported lists, the tail of the sum of 1/i, i the place of the text (`labels_from_lists`).
    """

    p_value: float
    """Share of rotated heads (for imported lists: mixed lists) with at least this lead, or at most this tail.

    Uses the add-one rule.
    """

    q_value: float
    """Benjamini-Hochberg q-value over the heads of a model."""

    @property
    def supported(self) -> bool:
        """True if the label is significant and several texts carry it; pages mark unsupported labels."""
        return self.q_value <= MAX_Q and self.carrying_picks >= MIN_CARRYING


class Classes(NamedTuple):
    """One attribute with known values for some images, and prompts for zero-shot classification."""

    attribute: str
    values: tuple[str, ...]
    text: Float[Tensor, "value d_out"]
    """Embedding of the prompt of each value, unit length."""

    carried: Bool[Tensor, "image value"]
    """Values of each image; an image may have none, or several."""


class Pool(NamedTuple):
    """A text pool: texts with their properties."""

    name: str
    language: str
    """BCP 47 tag; `und` if the file has none."""

    license: str | None
    texts: tuple[str, ...]
    properties: tuple[str, ...]
    """All properties of the pool, sorted."""

    tags: Bool[Tensor, "text property"]
    """Properties of each text."""

    dropped_duplicates: int
    dropped_empty: int
    tagged_by_rule: int = 0
    """Number of texts without a property in the file, tagged by the lexical rule."""

    comments: tuple[str, ...] = ()
    """Lines that begin with `#` and describe nothing; they are no texts."""

    is_csv: bool = False
    """True if the texts are a column of a CSV."""
