"""Read a file of weights, compare it with a model, load it, and identify the weights.

Names and shapes are compared before loading, so that the error for a wrong file names the difference. Files
are read as tensors only, so they cannot run code.
"""

import hashlib
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from precompute.clip import layouts
from precompute.clip.layouts import State
from precompute.inputs.model_specs import ModelError

_SCALAR, _ARRAY = np.float64(0).__reduce__()[0], np.zeros(1).__reduce__()[0]
_NUMPY: list[Any] = [np.ndarray, np.dtype, *(getattr(np.dtypes, name) for name in np.dtypes.__all__)]
_NUMPY += [
    (function, f"{package}.multiarray.{name}")
    for function, name in ((_SCALAR, "scalar"), (_ARRAY, "_reconstruct"))
    for package in ("numpy.core", "numpy._core")
]
"""Numbers and arrays of numpy, which training checkpoints hold beside weights. They run no code of a file."""

_OTHER_FILES = {
    b"version https://git-lfs": "a pointer of Git LFS, not the file itself. Get the file: git lfs pull",
    b"<": "a web page, not a file of weights. Download the file itself",
    b"{": "text (JSON), such as the index of a file in several parts. Give one file with all tensors",
    b"\x89HDF": "an HDF5 file. Give a file of PyTorch or safetensors",
    b"GGUF": "a GGUF file. Give a file of PyTorch or safetensors",
}
"""First bytes of files that are often taken for weights -> what they are, and what to do."""

_TEXT_TOWER = ("text_projection", "positional_embedding", "token_embedding.", "transformer.", "ln_final.")
"""Prefixes of names that get the prefix `text.` in architectures with a separate text tower module."""


_NEVER_ZERO = ("visual.proj", "visual.conv1.weight", "text_projection", "token_embedding.weight")


def read(path: Path, *, trusted_sha256: str | None = None) -> State:
    """Returns the tensors of a file: safetensors, a state dict, or a training checkpoint with a state dict.

    A TorchScript archive is a program. It is opened only if its SHA-256 is `trusted_sha256`.

    Raises:
        ModelError: no such file, or no tensors can be read from it safely.
    """
    with existing_file(path).open("rb") as file:
        start = file.read(64)
    if not start:
        raise ModelError(f"{path} is empty. Get the file again.")
    for magic, kind in _OTHER_FILES.items():
        if start.startswith(magic):
            raise ModelError(f"{path} is {kind}.")
    # A file of safetensors begins with the length of its header, a JSON object.
    if path.suffix == ".safetensors" or start[8:9] == b"{":
        content: object = _read_safetensors(path)
    elif _is_torchscript(path):
        content = _read_torchscript(path, trusted_sha256)
    else:
        content = _read_pickled(path)
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds a {type(content).__name__}, not named tensors. Save a state dict.")
    return layouts.unwrap(content, path)


def existing_file(path: Path) -> Path:
    """Returns `path` itself. Raises ModelError if there is no such file."""
    if path.is_dir():
        files = ", ".join(sorted(file.name for file in path.iterdir())[:5]) or "it has none"
        raise ModelError(f"{path} is a folder. Give the file of weights in it to --checkpoint: {files}.")
    if not path.is_file():
        raise ModelError(f"no file of weights at {path}. Check the path given to --checkpoint.")
    return path


def load_into(model: nn.Module, state: State, path: Path, name: str) -> None:
    """Loads weights as float32. Raises ModelError, with names and both shapes, if they do not fit."""
    expected = model.state_dict()
    if description := layouts.describe(state, expected, path):
        raise ModelError(description)
    if "text.positional_embedding" in expected and "positional_embedding" in state:
        state = {f"text.{key}" if key.startswith(_TEXT_TOWER) else key: state[key] for key in state}
    if "positional_embedding" in expected and "text.positional_embedding" in state:
        state = {key.removeprefix("text."): state[key] for key in state}
    state = {key: _like(tensor, expected.get(key)) for key, tensor in state.items()}
    problems = _problems(state, expected)
    if problems:
        more = f"; and {len(problems) - 4} more" if len(problems) > 4 else ""
        raise ModelError(
            f"the weights in {path} do not fit {name}: {'; '.join(problems[:4])}{more}. "
            f"{layouts.advice(state, expected)}"
        )
    broken = [key for key, tensor in state.items() if not tensor.float().isfinite().all()]
    if broken:
        raise ModelError(f"{path} holds values that are not numbers, as in {broken[0]}. Get the file again.")
    if dead := [key for key in state if key.endswith(_NEVER_ZERO) and not state[key].any()]:
        raise ModelError(f"{path} holds zeros alone in {dead[0]}, not trained weights. Get the file again.")
    model.load_state_dict(state)


def fingerprint(model: nn.Module) -> str:
    """Returns the SHA-256 of the weights in the model, independent of file format and stored precision."""
    digest = hashlib.sha256()
    for key, tensor in sorted(model.state_dict().items()):
        digest.update(f"{key} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _read_safetensors(path: Path) -> State:
    try:
        return load_file(path)
    except Exception as error:
        raise ModelError(f"{path} is not a readable safetensors file ({error}). Get it again.") from error


def _read_pickled(path: Path) -> object:
    try:
        with torch.serialization.safe_globals(_NUMPY):
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # Not the text of the error: torch advises to load the file unsafely.
        if found := re.search(r"GLOBAL (\S+)", str(error)):
            raise ModelError(
                f"{path} is not a file of plain tensors: it holds {found[1]}. Give a safetensors file, or "
                "save the state dict alone: torch.save(model.state_dict(), FILE)."
            ) from error
        raise ModelError(
            f"{path} is damaged, or not a file of PyTorch or safetensors. Get the file again."
        ) from error


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(entry.endswith("/constants.pkl") for entry in archive.namelist())


def _read_torchscript(path: Path, trusted_sha256: str | None) -> State:
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != trusted_sha256:
        raise ModelError(
            f"{path} is a TorchScript program, not a file of tensors, and not the one published under this "
            "weights tag. If you trust it, save its tensors alone: "
            "torch.save(torch.jit.load(FILE).state_dict(), NEW_FILE)."
        )
    return torch.jit.load(path, map_location="cpu").state_dict()


def _like(tensor: Tensor, expected: Tensor | None) -> Tensor:
    """The tensor, a scalar in the expected shape: files store scalars with one axis or none."""
    if expected is not None and tensor.numel() == expected.numel() == 1:
        return tensor.reshape(expected.shape)
    return tensor


def _problems(state: State, expected: State) -> list[str]:
    misshapen = [
        f"{key} has shape {list(state[key].shape)}, the model wants {list(tensor.shape)}"
        for key, tensor in expected.items()
        if key in state and state[key].shape != tensor.shape
    ]
    missing = [f"{key} is missing" for key in expected if key not in state]
    unexpected = [f"{key} has no place in the model" for key in state if key not in expected]
    integers = [
        f"{key} holds numbers of type {str(state[key].dtype).removeprefix('torch.')}"
        for key, tensor in expected.items()
        if key in state and tensor.is_floating_point() and not state[key].is_floating_point()
    ]
    return misshapen + missing + unexpected + integers
