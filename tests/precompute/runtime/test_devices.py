"""Devices and precisions that are not available are refused; a full memory says what to do."""

import pytest
import torch

from precompute.runtime.config import ConfigError
from precompute.runtime.devices import OutOfMemory, explain_out_of_memory, resolve_device


def test_auto_is_a_gpu_where_there_is_one():
    assert resolve_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("device", ["tpu", "cuda:99", "cpu:1", "mps:x"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(device):
    with pytest.raises(ConfigError, match=f"--device {device} .*: cpu"):
        resolve_device(device)


def test_a_precision_that_a_device_does_not_have_is_refused_by_name():
    assert resolve_device("cpu", "bf16") == "cpu"
    with pytest.raises(ConfigError, match="--precision tf32 .*float32"):
        resolve_device("cpu", "tf32")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nand more"),
        RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
    ],
)
def test_a_full_memory_says_what_to_do(error):
    with pytest.raises(OutOfMemory) as caught, explain_out_of_memory(torch.device("cuda", 0), 256):
        raise error

    message = str(caught.value)
    assert message.startswith("the memory of cuda:0 is full at --batch-size 256")
    assert "--batch-size 128" in message and "Nothing is lost" in message and "and more" not in message


def test_other_errors_are_left_as_they_are():
    with pytest.raises(RuntimeError, match="^shapes differ$"), explain_out_of_memory(torch.device("cpu"), 8):
        raise RuntimeError("shapes differ")
