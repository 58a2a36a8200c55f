"""The device of a run: its name, its precisions, and advice when its memory is full."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from db.errors import UserError
from precompute.runtime.config import ConfigError, Precision

_AMPERE = (8, 0)
"""Compute capability of the first GPUs of NVIDIA that multiply in TF32 and bf16."""


class OutOfMemory(UserError):
    """The device has no room for a batch; the message says what to do."""


def resolve_device(device: str, precision: Precision = "float32") -> str:
    """Name of the device; `auto` is cuda where there is one, else cpu.

    Raises:
        ConfigError: the device is not there, or does not multiply in this precision.
    """
    if device == "auto":
        # Not mps: nobody has checked its answers against those of a processor.
        device = "cuda" if torch.cuda.is_available() else "cpu"
    _check_there(device)
    if precision != "float32":
        _check_precision(device, precision)
    return device


@contextmanager
def explain_out_of_memory(device: torch.device, batch_size: int) -> Iterator[None]:
    """Turns torch's errors about full memory into one with advice.

    Raises:
        OutOfMemory: the memory of `device` is full.
    """
    try:
        yield
    except RuntimeError as error:
        # Apple's has no type of its own.
        if not isinstance(error, torch.OutOfMemoryError) and "out of memory" not in str(error):
            raise
        raise OutOfMemory(
            f"the memory of {device} is full at --batch-size {batch_size} ({str(error).splitlines()[0]}). "
            f"Give the same command with --batch-size {max(1, batch_size // 2)}, or end other programs that "
            "use the device. Nothing is lost: it goes on where it stopped."
        ) from error


def is_there(device: str) -> bool:
    """True if this machine has the device."""
    kind, _, number = device.partition(":")
    return (number or "0").isdecimal() and int(number or 0) < _counts().get(kind, 0)


def _counts() -> dict[str, int]:
    return {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}


def _check_there(device: str) -> None:
    if is_there(device):
        return
    available = [name for name, count in _counts().items() if count]
    available += [f"cuda:{number}" for number in range(1, _counts()["cuda"])]
    raise ConfigError(f"--device {device} is not available here. Use one of: {', '.join(available)}.")


def _check_precision(device: str, precision: Precision) -> None:
    kind = device.split(":")[0]
    if kind == "mps":
        why = "has not been checked on mps"
    elif kind == "cpu" and precision == "tf32":
        why = "is a way GPUs of NVIDIA multiply, and cpu does not"
    elif kind == "cuda" and torch.cuda.get_device_capability(device) < _AMPERE:
        why = f"needs an NVIDIA GPU of 2020 or newer, and this is {torch.cuda.get_device_name(device)}"
    else:
        return
    raise ConfigError(f"--precision {precision} {why}. Use --precision float32.")
