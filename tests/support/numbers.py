"""Comparison of tensors with numbers by hand."""

import torch
from torch import tensor

NAN = float("nan")


def assert_close(actual, expected):
    torch.testing.assert_close(actual, tensor(expected), check_dtype=False, equal_nan=True)
