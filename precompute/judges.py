"""Judges: is each of a head's first texts consistent with its label?

Concept consistency as Madasu et al. ask it (https://arxiv.org/abs/2503.11103) of a language model; here by a
rule that needs none. Tag match is not a judge: it repeats the tags that chose the label, and a page that
shows it says so.

Knows nothing of models or files: picks, labels and tags in, answers out.
"""

from jaxtyping import Bool, Int
from torch import Tensor

TAG_MATCH = "tag_match"
"""Name of the offline rule in the table `judgement`."""

JUDGED = 5
"""Texts of a head that are judged, from the first."""


def tag_match(
    picks: Int[Tensor, "*list k"], label: Int[Tensor, "*list"], tags: Bool[Tensor, "text property"]
) -> Bool[Tensor, "*list position"]:
    """Whether each of the first five texts carries the label.

    `label` is an index into the properties of `tags`. A text that was never picked (-1) is not consistent
    with anything; no judgement is to be written for it.
    """
    first = picks[..., :JUDGED]
    carried = tags[first.clamp(min=0), label[..., None]]
    return carried & (first >= 0)
