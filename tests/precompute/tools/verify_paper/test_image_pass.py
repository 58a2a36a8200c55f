"""The pass over images: parts of the embedding, and moments that do not depend on batches."""

import torch
from torch import tensor

from precompute.method.types import Decomposition
from precompute.tools.verify_paper.image_pass import pass_over_images, split
from tests.support.contributions import plan_of
from tests.support.towers import small_clip


def test_split_separates_attention_from_input_and_mlps():
    """Components in the order input, attention and MLP of each earlier layer; then MLPs of later ones."""
    earlier = tensor([[[1.0], [10.0], [2.0], [20.0], [4.0]]])
    decomposed = Decomposition(None, None, tensor([[[8.0], [16.0]]]), None, None)

    early, mlps = split(decomposed, earlier)

    assert (early.item(), mlps.item()) == (30, 31)


def test_the_batch_size_does_not_change_the_result(pictures):
    model = small_clip()
    plan = plan_of(model, 2)

    few, many = (pass_over_images(model, plan, pictures, batch_size=size, workers=0) for size in (3, 24))

    assert few.image_id == many.image_id == list(pictures)
    torch.testing.assert_close(few.halves.second, many.halves.second, atol=1e-8, rtol=1e-5)
    assert few.halves.image_count.sum() == 24 and (few.halves.image_count > 0).all()
