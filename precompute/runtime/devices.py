"""The device of a run: its name, its precisions, and an error message for full memory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from db.errors import UserError
from precompute.runtime.config import ConfigError, Precision

_AMPERE = (8, 0)
"""Compute capability of the first NVIDIA GPUs with TF32 and bf16."""


_threads = os.cpu_count() or 1


class OutOfMemory(UserError):
    """The memory of the device is too small for a batch; the message says what to do."""


def resolve_device(device: str, precision: Precision = "float32") -> str:
    """Returns the name of the device; `auto` is cuda if available, else cpu.

    Raises:
        ConfigError: the device is not available, or does not support this precision.
    """
    if device == "auto":
        # Not mps: its results have not been compared with those of a cpu.
        device = "cuda" if torch.cuda.is_available() else "cpu"
    _check_available(device)
    if precision != "float32":
        _check_precision(device, precision)
    return device


def threads() -> int:
    """Returns the number of heads computed at the same time: all cores, unless `use_threads` limits it."""
    return _threads


def use_threads(count: int) -> None:
    """Limits the threads of this process, those inside torch's functions included."""
    global _threads
    _threads = count
    torch.set_num_threads(count)


@contextmanager
def explain_out_of_memory(device: torch.device, batch_size: int) -> Iterator[None]:
    """Turns torch's out-of-memory errors into one that says what to do.

    Raises:
        OutOfMemory: the memory of `device` is full.
    """
    try:
        yield
    except RuntimeError as error:
        # mps raises a plain RuntimeError.
        if not isinstance(error, torch.OutOfMemoryError) and "out of memory" not in str(error):
            raise
        raise OutOfMemory(
            f"the memory of {device} is full at --batch-size {batch_size} ({str(error).splitlines()[0]}). "
            f"Give the same command with --batch-size {max(1, batch_size // 2)}, or end other programs that "
            "use the device. Nothing is lost: it goes on where it stopped."
        ) from error


def is_there(device: str) -> bool:
    """Returns True if this machine has the device."""
    kind, _, number = device.partition(":")
    return (number or "0").isdecimal() and int(number or 0) < _counts().get(kind, 0)


def _counts() -> dict[str, int]:
    return {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}


def _check_available(device: str) -> None:
    if is_there(device):
        return
    available = [name for name, count in _counts().items() if count]
    available += [f"cuda:{number}" for number in range(1, _counts()["cuda"])]
    raise ConfigError(f"--device {device} is not available here. Use one of: {', '.join(available)}.")


def _check_precision(device: str, precision: Precision) -> None:
    kind = device.split(":")[0]
    if kind == "mps":
        reason = "has not been checked on mps"
    elif kind == "cpu" and precision == "tf32":
        reason = "is a way GPUs of NVIDIA multiply, and cpu does not"
    elif kind == "cuda" and torch.cuda.get_device_capability(device) < _AMPERE:
        reason = f"needs an NVIDIA GPU of 2020 or newer, and this is {torch.cuda.get_device_name(device)}"
    else:
        return
    raise ConfigError(f"--precision {precision} {reason}. Use --precision float32.")
