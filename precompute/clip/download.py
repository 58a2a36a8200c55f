"""Weights of a known tag, from the cache of this machine or from the hub; and whether a file holds them.

Looks in the cache first and then asks the hub once: without a network, open_clip's own download retries for a
minute, even for cached weights.
"""

import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from huggingface_hub import model_info, try_to_load_from_cache
from open_clip.constants import HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME
from open_clip.pretrained import download_pretrained, get_pretrained_cfg

from precompute import demo
from precompute.clip.checkpoints import existing_file
from precompute.inputs.model_specs import ModelError, ModelSpec
from precompute.runtime import progress, work_files

_TIMEOUT = 10
"""Seconds to wait for the first answer of the hub."""

_HUB_SHA256 = {
    "ViT-B-32/openai": "e6d1bd7789aa45192b3bf90570a789b478bae1b74ebcce7eddd908e83a2b7c31",
    "ViT-B-16/openai": "4b8699299b1e8997753c64b052ba32031449d5d853f55a039148560ee02b820f",
    "ViT-L-14/openai": "9ce2e8a8ebfff3793d7d375ad6d3c35cb9aebf3de7ace0fc7308accab7cd207e",
}
"""SHA-256 of open_clip_model.safetensors on the hub, as the hub states it; open_clip does not list it."""


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


def with_origin(spec: ModelSpec) -> ModelSpec:
    """Returns the spec with `weights_verified`, under the name of its file if that is not what was published.

    A file given under the name of a tag is compared with the published hash, where one is known. A file with
    another hash is a model of its own: its weights are named file-HASH, and their training data is unknown.

    Raises:
        ModelError: no such file.
    """
    facts = get_pretrained_cfg(spec.architecture, spec.weights)
    if spec.is_control or not (facts or spec.name in demo.MODELS):
        return spec
    own = demo.MODELS[spec.name].checkpoint if spec.name in demo.MODELS else None
    if spec.checkpoint in (None, own):
        return replace(spec, weights_verified=True)
    published = published_sha256(spec)
    if not published:
        _say_once(
            f"{spec.checkpoint} is not verified: no hash is known of the weights published as {spec.name}."
        )
        return replace(spec, weights_verified=False)
    actual = _sha256(existing_file(spec.checkpoint), spec.checkpoint.stat().st_mtime_ns)
    if actual.startswith(published):
        return replace(spec, weights_verified=True)
    if repository := _unknown_on_hub(spec):
        _say_once(
            f"{spec.checkpoint} is not verified: its SHA-256 is not the known one of {spec.name}, but it has "
            f"the name of the file in {repository} on the hub, of which no hash is known. Weights of your "
            "own need a name of their own."
        )
        return replace(spec, weights_verified=False)
    named = replace(spec, weights=f"file-{actual[:8]}", training_data=None, given_as=spec.name)
    _say_once(
        f"{spec.checkpoint} is not the file published as {spec.name}: its SHA-256 begins with {actual[:8]}, "
        f"that of a published file with {' or '.join(sha256[:8] for sha256 in published)}. The model is "
        f"named {named.name}, with the preprocessing of {spec.name} and without its training data."
    )
    return named


def published_sha256(spec: ModelSpec) -> tuple[str, ...]:
    """Returns the known SHA-256 of files published under a tag, whole or their first digits."""
    if spec.name in demo.MODELS:
        return (work_files.hash_of(demo.MODELS[spec.name].checkpoint),)
    facts = get_pretrained_cfg(spec.architecture, spec.weights)
    # Files of open_clip's releases have the first digits of their hash in their names.
    in_name = re.search(r"mlfoundations/.*-([0-9a-f]{8})\.\w+$", facts.get("url", ""))
    known = (
        program_sha256(spec),
        in_name and in_name[1],
        _HUB_SHA256.get(spec.name.replace("-quickgelu", "")),
    )
    return tuple(sha256 for sha256 in known if sha256)


def _unknown_on_hub(spec: ModelSpec) -> str:
    """Returns the hub repository of a tag if its file there has this name and an unknown hash, else ""."""
    repository, files = _files(get_pretrained_cfg(spec.architecture, spec.weights))
    is_known = spec.name.replace("-quickgelu", "") in _HUB_SHA256
    return "" if is_known or spec.checkpoint is None or spec.checkpoint.name not in files else repository


def program_sha256(spec: ModelSpec) -> str | None:
    """Returns the hash in the URL of OpenAI's TorchScript files; None for other files."""
    url = get_pretrained_cfg(spec.architecture, spec.weights).get("url", "")
    match = re.search(r"/([0-9a-f]{64})/", url)
    return match[1] if match else None


@lru_cache
def _sha256(path: Path, _: int) -> str:
    """Returns the hash of a file last changed at a time."""
    return work_files.hash_of(path)


@lru_cache
def _say_once(message: str) -> None:
    progress.say(message)


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
