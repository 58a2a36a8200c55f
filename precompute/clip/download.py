"""Where the weights of a known tag come from: this machine's cache, else the hub.

The cache is asked first and the hub asked once: without a network open_clip's own way takes a minute of
retries, even for weights that are already here.
"""

import re
from pathlib import Path

from huggingface_hub import model_info, try_to_load_from_cache
from open_clip.constants import HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME
from open_clip.pretrained import download_pretrained, get_pretrained_cfg

from precompute.inputs.model_specs import ModelError, ModelSpec

_TIMEOUT = 10
"""Seconds to wait for the hub's first answer."""


def fetch(spec: ModelSpec) -> Path:
    """The file of weights, fetched if it is not here yet."""
    facts = get_pretrained_cfg(spec.architecture, spec.weights)
    if not facts:
        raise ModelError(f"open_clip has no weights called {spec.name}. Add --checkpoint FILE.")
    repository, files = _files(facts)
    try:
        if repository:
            cached = _cached(repository, files)
            if cached:
                return cached
            model_info(repository, timeout=_TIMEOUT)
        return Path(download_pretrained(facts))
    except Exception as error:
        first_line = (str(error).strip() or repr(error)).splitlines()[0]
        raise ModelError(
            f"the weights of {spec.name} are not on this machine and cannot be fetched ({first_line}). On a "
            f"machine with a network get {_where(repository, files, facts)}, bring the file here, to any "
            "folder, and add --checkpoint FILE."
        ) from error


def weights_location(spec: ModelSpec) -> str:
    """Where the weights of a known tag are: on this machine, or the place that they are fetched from."""
    facts = get_pretrained_cfg(spec.architecture, spec.weights)
    repository, files = _files(facts)
    if repository:
        return "on this machine" if _cached(repository, files) else f"hub: {repository}"
    return str(facts.get("url", ""))


def published_sha256(spec: ModelSpec) -> str | None:
    """OpenAI's files, which are TorchScript, carry their hash in their address."""
    url = get_pretrained_cfg(spec.architecture, spec.weights).get("url", "")
    found = re.search(r"/([0-9a-f]{64})/", url)
    return found[1] if found else None


def _files(facts: dict) -> tuple[str, tuple[str, ...]]:
    """The repository of a tag, empty where it is not on the hub, and what its file may be called."""
    repository, _, file = facts.get("hf_hub", "").rpartition("/")
    return repository, (file,) if file else (HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME)


def _cached(repository: str, files: tuple[str, ...]) -> Path | None:
    for file in files:
        path = try_to_load_from_cache(repository, file)
        if isinstance(path, str):
            return Path(path)
    return None


def _where(repository: str, files: tuple[str, ...], facts: dict) -> str:
    if not repository:
        return facts["url"]
    return (
        f"{' or '.join(files)} from https://huggingface.co/{repository}/tree/main "
        f"(hf download {repository} {files[0]})"
    )
