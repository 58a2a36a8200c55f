"""Valid values of the options of a link. Knows nothing of Streamlit or bundles."""

from collections.abc import Callable
from typing import NamedTuple

from dashboard.state.views import Head


class Choices(NamedTuple):
    """Valid values of the options for one bundle and one of its models."""

    heads: tuple[Head, ...]
    properties: tuple[str, ...]
    metrics: tuple[str, ...]
    attributes: tuple[str, ...]
    """Attributes with class texts."""

    head_metrics: tuple[str, ...]
    colors: tuple[str, ...]
    """Colors of the grid of heads: label, a metric of heads, or selectivity:<attribute>."""

    labels: tuple[str, ...]
    """Labels of the model's heads."""

    positions: int
    """Number of texts of the head that the page shows."""

    max_k: int
    """Largest number of images that the page can show."""

    others: tuple[str, ...]
    """Keys of the other models."""

    tables: tuple[str, ...]
    """Tables of the bundle."""

    grid: tuple[int, int]
    """Number of rows and columns of patches; zeros for imported results."""

    has_image: Callable[[str], bool]
    has_picture: Callable[[str], bool]
    """True for an image that the model has decomposed."""

    splits: tuple[str, ...]
    """Names of what can split a histogram of the images."""

    kinds: tuple[str, ...] = ()
    """Kinds of other sides that the page compares its view with."""
