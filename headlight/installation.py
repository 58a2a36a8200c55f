"""Checks of an installation: our packages lie side by side, and a command finds the libraries it needs."""

from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The folder that holds all packages of Headlight: a checkout, or site-packages."""

SIBLINGS = ("db", "dashboard", "precompute")
EXTRAS = {"openai": "label", "ray": "ray"}
"""Extra that brings a library, where it is not `precompute`."""


def check_siblings() -> None:
    """Refuses packages of other programs that are named like ours and found before ours.

    Raises:
        ImportError: names the intruder, and where ours is expected.
    """
    for name in SIBLINGS:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            if name == "precompute":  # bundles can be read without
                continue
            raise ImportError(
                f'Headlight\'s package "{name}" is missing from {ROOT}. Install Headlight again.'
            )
        folder = Path(spec.origin).resolve().parent
        if folder != ROOT / name:
            raise ImportError(
                f'Python finds another package "{name}", {folder}, before Headlight\'s, {ROOT / name}. '
                "Start Python in another folder, or take the other package off PYTHONPATH or out of this "
                "environment."
            )


def how_to_install(library: str) -> str:
    """Returns what to do where a library that a command needs is not installed."""
    extra = EXTRAS.get(library, "precompute")
    return (
        f"{library} is not installed here. Reading bundles does not need it, this command does. Run "
        f'pip install "headlight-clip[{extra}]", or "make install" in a checkout.'
    )
