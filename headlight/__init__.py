"""Headlight: what every attention head of a CLIP model looks at.

    import headlight

    bundle = headlight.open("bundles/photos")
    bundle.heads("ViT-B-32/openai", label="color")

Importing this loads neither torch nor pandas: what a name needs is imported when it is used.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from headlight.installation import check_siblings

check_siblings()  # before anything of another package is imported

from db import __version__  # noqa: E402
from db.errors import UserError  # noqa: E402

if TYPE_CHECKING:
    from headlight.bundle import Bundle
    from headlight.decomposition import decompose
    from headlight.results import Comparison, Decomposition, HeadBasis, ImageRows, TopicMap

__all__ = [
    "Bundle",
    "Comparison",
    "Decomposition",
    "HeadBasis",
    "ImageRows",
    "TopicMap",
    "UserError",
    "__version__",
    "decompose",
    "open",
]


def open(path: str | os.PathLike | None = None) -> "Bundle":
    """Opens a bundle to read it.

    Args:
        path: a bundle's directory, or a zip of one (default: the environment variable HEADLIGHT_BUNDLE,
            else bundles/demo).

    Raises:
        UserError: there is no bundle, or one that this version cannot read.

    Example:
        with headlight.open("bundles/demo") as bundle:
            print(bundle.models())
    """
    from dashboard import DEFAULT_BUNDLE
    from headlight.bundle import Bundle

    return Bundle(os.environ.get("HEADLIGHT_BUNDLE", DEFAULT_BUNDLE) if path is None else path)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module headlight has no {name}. It has: {', '.join(__all__)}.")
    module = {"Bundle": "bundle", "decompose": "decomposition"}.get(name, "results")
    return getattr(import_module(f"headlight.{module}"), name)
