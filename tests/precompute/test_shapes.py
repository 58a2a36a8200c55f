"""A wrong shape is found wherever a test calls the function that annotates it."""

import pytest
import torch
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import Float
from torch import Tensor

from precompute.method import metrics, moments, textspan
from tests.support import shapes


def test_sizes_that_disagree_are_refused():
    with pytest.raises(BeartypeCallHintViolation, match="basis"):
        textspan.text_coordinates(torch.zeros(3, 8), torch.zeros(2, 7))


def test_a_missing_axis_is_refused():
    with pytest.raises(BeartypeCallHintViolation, match="head"):
        moments.from_coordinates(torch.zeros(4, 2, 3), torch.zeros(4, dtype=torch.int64))


def test_another_type_of_number_is_refused():
    with pytest.raises(BeartypeCallHintViolation, match="ccs"):
        metrics.association(torch.zeros(2), 1)


def test_a_result_of_another_shape_is_refused():
    @shapes.checked
    def transposed(rows: Float[Tensor, "row column"]) -> Float[Tensor, "column row"]:
        return rows

    with pytest.raises(BeartypeCallHintViolation, match="return"):
        transposed(torch.zeros(2, 3))
