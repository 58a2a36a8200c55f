"""Weights of a known tag, from the cache of this machine or from the hub.

Looks in the cache first and then asks the hub once: without a network, open_clip's own download retries for a
minute, even for cached weights.
"""

import re
from pathlib import Path

from huggingface_hub import model_info, try_to_load_from_cache
from open_clip.constants import HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME
from open_clip.pretrained import download_pretrained, get_pretrained_cfg

from precompute.inputs.model_specs import ModelError, ModelSpec

_TIMEOUT = 10
"""Seconds to wait for the first answer of the hub."""


def fetch(spec: ModelSpec) -> Path:
    """Returns the file of weights, and downloads it if it is not in the cache.

    Raises:
        ModelError: open_clip does not know the tag, or the file cannot be downloaded.
    """
    facts = get_pretrained_cfg(spec.architecture, spec.weights)
    if not facts:
        raise ModelError(f"open_clip has no weights called {spec.name}. Add --checkpoint FILE.")
    repository, files = _files(facts)
    try:
        if repository:
            if cached := _cached(repository, files):
                return cached
            model_info(repository, timeout=_TIMEOUT)
        return Path(download_pretrained(facts))
    except Exception as error:
        first_line = (str(error).strip() or repr(error)).splitlines()[0]
        raise ModelError(
            f"the weights of {spec.name} are not on this machine and cannot be fetched ({first_line}). On a "
            f"machine with a network get {_source(repository, files, facts)}, bring the file here, to any "
            "folder, and add --checkpoint FILE."
        ) from error


def weights_location(spec: ModelSpec) -> str:
    """Returns the location of the weights of a known tag: on this machine, or the source of the download."""
    facts = get_pretrained_cfg(spec.architecture, spec.weights)
    repository, files = _files(facts)
    if repository:
        return "on this machine" if _cached(repository, files) else f"hub: {repository}"
    return str(facts.get("url", ""))


def published_sha256(spec: ModelSpec) -> str | None:
    """Returns the hash in the URL of OpenAI's TorchScript files; None for other files."""
    url = get_pretrained_cfg(spec.architecture, spec.weights).get("url", "")
    match = re.search(r"/([0-9a-f]{64})/", url)
    return match[1] if match else None


def _files(facts: dict) -> tuple[str, tuple[str, ...]]:
    """Hub repository of a tag (empty if it is not on the hub), and possible names of its file."""
    repository, _, file = facts.get("hf_hub", "").rpartition("/")
    return repository, (file,) if file else (HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME)


def _cached(repository: str, files: tuple[str, ...]) -> Path | None:
    for file in files:
        path = try_to_load_from_cache(repository, file)
        if isinstance(path, str):
            return Path(path)
    return None


def _source(repository: str, files: tuple[str, ...], facts: dict) -> str:
    if not repository:
        return facts["url"]
    url = f"https://huggingface.co/{repository}/tree/main"
    return f"{' or '.join(files)} from {url} (hf download {repository} {files[0]})"
