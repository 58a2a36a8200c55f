"""How exactly the image tower multiplies, and where it multiplies less exactly.

Weights, the residual stream and LayerNorm stay in float32 whatever the precision: it says how the factors of
a matrix product are rounded, and no more.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from precompute.runtime.config import Precision


@contextmanager
def products(precision: Precision, device: torch.device) -> Iterator[None]:
    """Multiply matrices in this precision; what is outside multiplies in float32."""
    if precision == "bf16":
        with torch.autocast(device.type, dtype=torch.bfloat16):
            yield
    elif precision == "tf32":
        with _tf32():
            yield
    else:
        yield


def embedding(precision: Precision) -> AbstractContextManager[None]:
    """For the patch embedding. Its output begins the residual stream, so bf16 takes TF32 here: in float32 it
    would be a third of a ViT-B-32 on a GPU. Where there is no TF32 it is float32."""
    return nullcontext() if precision == "float32" else _tf32()


def multiply_exactly(device: torch.device) -> None:
    """Turn off what a device does less exactly than asked for: answers must not depend on the hardware.

    torch has TF32 on for convolutions; the environment of some containers has it on for all products.
    Sums of bf16 products are kept in float32.
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
