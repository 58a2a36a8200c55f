"""Precision of the matrix products of the image tower.

The precision sets the rounding of the factors of matrix products only. Weights, the residual stream and
LayerNorm stay in float32.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from precompute.runtime.config import Precision


@contextmanager
def products(precision: Precision, device: torch.device) -> Iterator[None]:
    """Context in which matrices are multiplied in this precision; outside of it, in float32."""
    if precision == "bf16":
        with torch.autocast(device.type, dtype=torch.bfloat16):
            yield
    elif precision == "tf32":
        with _tf32():
            yield
    else:
        yield


def embedding(precision: Precision) -> AbstractContextManager[None]:
    """Context for the patch embedding.

    Its output starts the residual stream, so bf16 uses TF32 here; float32 would take a third of the time of a
    ViT-B-32 on a GPU. Devices without TF32 use float32.
    """
    return nullcontext() if precision == "float32" else _tf32()


def multiply_exactly(device: torch.device) -> None:
    """Turns off reduced precision on a device, so that results do not depend on the hardware.

    By default torch uses TF32 for convolutions, and some containers use it for all products. Sums of bf16
    products stay in float32.
    """
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False


@contextmanager
def _tf32() -> Iterator[None]:
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before
