"""Names of the files of a report: by the keys of models, heads and images alone, so that links stay valid."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from dashboard.state.views import Head
from db.atomic_directory import Kind
from db.bundle_files import list_files

INDEX, STYLE, SEARCH, FACTS = "index.html", "style.css", "search_index.js", "report.json"
IMAGES, MODELS, HEADS, PICTURES = "images", "models", "heads", "pictures"

MARK = "headlight_report"
"""Key of FACTS that shows that a directory is a report."""

SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,149}")
_NAME = r"[A-Za-z0-9][\w.-]*"
LAYOUT = re.compile(
    rf"{INDEX}|{STYLE}|{SEARCH}|{FACTS}|{IMAGES}/{_NAME}\.jpg|{MODELS}/{_NAME}/("
    rf"{INDEX}|(config|scatter_data|server_config)\.json|attributions/manifest\.json|"
    rf"{PICTURES}/{_NAME}\.jpg|{HEADS}/L\d+H\d+(-\w+)?\.(html|json|jpg))"
)
"""Every file of a report; any other in its directory is of a person, and is never removed."""


def file_name(key: str) -> str:
    """Returns a key as the name of a file: a bundle of strangers may hold any key."""
    if SAFE.fullmatch(key):
        return key
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', key)[:40].strip('-') or 'x'}-{digest}"


def model_folder(model_key: str) -> str:
    return f"{MODELS}/{file_name(model_key)}"


def head_stem(head: Head) -> str:
    """Returns the name of a head's files as HeadVis has it: L11H3."""
    return f"L{head[0]}H{head[1]}"


def head_page(model_key: str, head: Head) -> str:
    return f"{model_folder(model_key)}/{HEADS}/{head_stem(head)}.html"


def map_file(model_key: str, head: Head, part: str) -> str:
    return f"{model_folder(model_key)}/{HEADS}/{head_stem(head)}-{part}.jpg"


def picture_file(model_key: str, image_id: str) -> str:
    return f"{model_folder(model_key)}/{PICTURES}/{file_name(image_id)}.jpg"


def image_file(image_id: str) -> str:
    return f"{IMAGES}/{file_name(image_id)}.jpg"


def _facts(directory: Path) -> dict[str, Any] | None:
    """Returns the facts of a report; None if the directory is not one."""
    try:
        facts = json.loads((directory / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) and MARK in facts else None


def _others(directory: Path) -> list[str]:
    """Returns what is in the directory of a report, finished or not, and not of it."""
    listing = list_files(directory)
    return [name for name in listing.files if not LAYOUT.fullmatch(name)] + [
        sentence for sentence in listing.others if "empty folder" not in sentence
    ]


REPORT = Kind("report", _facts, _others)
