"""Names of models as other programs write them, and names close to a wrong one: for messages."""

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from shlex import quote

_OPENAI_REPOSITORIES = {
    "openai/clip-vit-base-patch32": "ViT-B-32/openai",
    "openai/clip-vit-base-patch16": "ViT-B-16/openai",
    "openai/clip-vit-large-patch14": "ViT-L-14/openai",
    "openai/clip-vit-large-patch14-336": "ViT-L-14-336/openai",
}
"""Repositories of Transformers' copies of OpenAI's weights, and the same weights in open_clip."""

_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt")
"""Extensions of files of weights, the preferred first."""


def explain(name: str, architectures: Collection[str], repositories: Mapping[str, str]) -> str | None:
    """Returns what a name of another program means and how to give that model here; None for other names.

    `repositories` maps repositories of the hub, in lower case, to models.
    """
    if local := re.fullmatch(r"local-dir:(.*)", name):
        return _of_folder(name, Path(local[1]))
    if Path(name).expanduser().is_dir():
        return _of_folder(name, Path(name))
    if name.lower().endswith(_WEIGHTS):
        return f"--model {name} is a file. Give --model ARCHITECTURE/mine --checkpoint {name}"
    return _of_repository(name, repositories) or _of_openai(name, architectures)


def close_names(name: str, names: Iterable[str]) -> list[str]:
    """Returns up to five of `names` that resemble `name`, in any case of letters; the closest first."""
    spelled = {choice.lower(): choice for choice in names}
    return [spelled[match] for match in get_close_matches(name.lower(), spelled, n=5, cutoff=0.5)]


def _of_folder(name: str, folder: Path) -> str:
    place = folder.expanduser()
    if not place.is_dir():
        return (
            f"{name} names the folder {str(folder)!r}, which does not exist. Check it, and give its files: "
            "--model ARCHITECTURE/mine --config FOLDER/open_clip_config.json --checkpoint FILE"
        )
    weights = sorted(
        (path for path in place.glob("*") if path.suffix in _WEIGHTS),
        key=lambda path: (_WEIGHTS.index(path.suffix), path.name),
    )
    if not weights:
        names = ", ".join(sorted(path.name for path in place.iterdir())[:3]) or "nothing"
        return f"{name} is a folder without weights ({', '.join(_WEIGHTS)}): it holds {names}. Give the file."
    config = place / "open_clip_config.json"
    options = f"mine --config {quote(str(config))}" if config.is_file() else "WEIGHTS"
    advice = "" if config.is_file() else ", with the architecture of open_clip that it was trained with"
    return (
        f"{name} is a folder, which --model does not read. Give its files: --model ARCHITECTURE/{options} "
        f"--checkpoint {quote(str(weights[0]))}{advice}"
    )


def _of_repository(name: str, repositories: Mapping[str, str]) -> str | None:
    repository = re.sub(r"^(hf-hub:|hf_hub:|https?://(huggingface\.co|hf\.co)/)", "", name)
    spelled = "/".join(repository.split("/")[:2]).lower()
    if model := _OPENAI_REPOSITORIES.get(spelled) or repositories.get(spelled):
        return f"{name} is the hub name of {model}. Give --model {model}"
    owners = {known.partition("/")[0] for known in (*repositories, *_OPENAI_REPOSITORIES)}
    if repository == name and not ("/" in name and spelled.partition("/")[0] in owners):
        return None
    return (
        f"{name} is the name of a repository on the hub (hf-hub), which --model does not read. Download its "
        f"files (hf download {repository}) and give --model ARCHITECTURE/mine --config open_clip_config.json "
        "--checkpoint FILE, the weights in open_clip's layout."
    )


def _of_openai(name: str, architectures: Collection[str]) -> str | None:
    """Explains ViT-B/32 and ViT-L/14@336px, OpenAI's names of architectures."""
    match = re.fullmatch(r"(ViT-[A-Za-z]+)/([0-9]+)(?:@([0-9]+)(?:px)?)?(?:/(.+))?", name)
    if match is None:
        return None
    architecture = "-".join(part for part in match.group(1, 2, 3) if part)
    if architecture not in architectures:
        return None
    weights = match[4] or "openai"
    return f"{name} is written {architecture} here. Give --model {architecture}/{weights}"
