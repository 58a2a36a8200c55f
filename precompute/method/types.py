"""Result types that the stages share. Stages import these and never each other."""

from typing import NamedTuple

from jaxtyping import Bool, Float, Int
from torch import Tensor


class VisionWeights(NamedTuple):
    """The weights of an image tower that act on what its layers write, LayerScale folded in. All layers."""

    out_weight: Float[Tensor, "layer head d_head d_model"]
    """Rows of the output projection that belong to each head: W_O."""

    out_bias: Float[Tensor, "layer d_model"]
    """Bias of the output projection, shared by the heads of a layer: b_O."""

    ln_weight: Float[Tensor, " d_model"]
    """Weight of `ln_post`: gamma."""

    ln_bias: Float[Tensor, " d_model"]
    """Bias of `ln_post`: beta."""

    ln_eps: float
    """What `ln_post` adds to the variance."""

    projection: Float[Tensor, "d_model d_out"]
    """From the residual stream to the joint space: P."""


class Captured(NamedTuple):
    """What one forward pass leaves at the class token."""

    head: Float[Tensor, "image layer head d_head"]
    """Attention output of each head before the output projection: z."""

    mlp: Float[Tensor, "image layer d_model"]
    """What each decomposed layer's MLP adds to the residual stream."""

    early: Float[Tensor, "image d_model"]
    """The residual stream as it enters the first decomposed layer."""

    earlier: Float[Tensor, "image component d_model"]
    """What `early` is the sum of: the input, then what attention and MLP of each earlier layer add."""

    final: Float[Tensor, "image d_model"]
    """The residual stream as it enters `ln_post`."""


class CapturedTokens(NamedTuple):
    """What one forward pass leaves at the class token, and what each token gave to it."""

    whole: Captured
    token: Float[Tensor, "image layer head token d_head"]
    """Attention of the class token to each token, times that token's value; sums to `whole.head`."""


class HeadSpaces(NamedTuple):
    """The subspace of d_out that each decomposed head can write to."""

    layers: tuple[int, ...]
    """Layer numbers of the model, one for each entry of the axis `layer`."""

    basis: Float[Tensor, "layer head rank d_out"]
    """Orthonormal rows; rows past a head's own rank are zero."""

    rank: Int[Tensor, "layer head"]
    """Number of rows of `basis` in use."""


class Decomposition(NamedTuple):
    """The parts of unit-length image embeddings: early + heads + MLPs."""

    embedding: Float[Tensor, "image d_out"]
    """Unit length."""

    head: Float[Tensor, "image layer head rank"]
    """Coordinates y = Q c of each head's contribution c in its own space."""

    mlp: Float[Tensor, "image layer d_out"]
    """Contribution of each decomposed layer's MLP."""

    early: Float[Tensor, "image d_out"]
    """Contribution of everything that enters the first decomposed layer."""

    sum_error: Float[Tensor, " image"]
    """Largest absolute entry of (sum of all contributions - embedding)."""


class Moments(NamedTuple):
    """Count, mean and centred second moment of head coordinates, kept in groups of images. float64."""

    image_count: Int[Tensor, " group"]
    """Number of images of each group."""

    mean: Float[Tensor, "group layer head rank"]
    second: Float[Tensor, "group layer head rank rank"]
    """Sum over images of (y - mean)(y - mean)'; not divided by the count."""


class ComponentMoments(NamedTuple):
    """What coverage needs of every component c and the embedding e, kept in groups of images. float64.

    Components stand in the order input, attention and MLP of each earlier layer, heads (layer by layer), MLPs
    of the decomposed layers.
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
    """An ordered list of texts that spans what one head does."""

    text_index: Int[Tensor, " k"]
    """Chosen rows of the pool, in the order they were chosen; k may be smaller than asked for."""

    variance_share: Float[Tensor, " k"]
    """Share of the head's variance that each choice removes; sums to at most 1."""

    cumulative_share: Float[Tensor, " k"]
    margin: Float[Tensor, " k"]
    """Score of the choice less that of the next text, over the score of the choice; 0 is a tie."""


class Picks(NamedTuple):
    """First choices of many heads, or of many rotations of them, in one table."""

    text_index: Int[Tensor, "*list k"]
    """Chosen rows of the pool; -1 where a head has fewer."""

    variance_share: Float[Tensor, "*list k"]
    """Share of the head's variance that each choice removes; 0 where there is none."""

    def first(self, k: int) -> "Picks":
        """The first `k` of them."""
        return Picks(self.text_index[..., :k], self.variance_share[..., :k])


class Label(NamedTuple):
    """What one head is about, by one method."""

    label: str
    method: str
    """variance_share or enrichment."""

    picks: int
    """Number of first texts the method read."""

    share: float | None
    """Share of the head's variance that the picks of this property remove; variance_share only."""

    lead: float | None
    """Lead of its score over the next property beyond rotated heads; variance_share only."""

    tail: float | None
    """Hypergeometric tail of the label among the first picks, an index and no p-value; enrichment only.

    For imported lists the tail of the count weighted by 1/i, i the place of the text (`list_labels`).
    """

    p_value: float
    """Share of rotated heads (imported lists: of mixed lists) with as large a lead, or as small a tail.

    By the add-one rule.
    """

    q_value: float
    """Benjamini-Hochberg over the heads of a model."""

    @property
    def supported(self) -> bool:
        """Whether the label stands up to rotated heads; an unsupported one is shown, and marked."""
        return self.q_value <= 0.05


class Classes(NamedTuple):
    """One attribute whose values are known for some images, and can be asked zero-shot."""

    attribute: str
    values: tuple[str, ...]
    text: Float[Tensor, "value d_out"]
    """Embedding of the prompt that stands for each value; unit length."""

    carried: Bool[Tensor, "image value"]
    """Which values each image has; it may have none, or several."""


class Pool(NamedTuple):
    """A text pool: texts, each with its properties."""

    name: str
    language: str
    """BCP 47 tag; `und` where the file does not say."""

    license: str | None
    texts: tuple[str, ...]
    properties: tuple[str, ...]
    """All properties of the pool, sorted."""

    tags: Bool[Tensor, "text property"]
    """Which properties each text carries."""

    dropped_duplicates: int
    dropped_empty: int
    tagged_by_rule: int = 0
    """Texts whose file names no property, and that got theirs by the lexical rule."""
