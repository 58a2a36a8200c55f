"""Facts of the open bundle: what it holds, where it came from, and what was checked."""

import json
from typing import Any

import pandas as pd

from dashboard.data import cached, integrity
from dashboard.data.types import Source
from db.layout import SIGNATURE

UNKNOWN = "not stated"
SIGNED = "yes; by whom: headlight bundle verify --signed-by KEYS"


def contents(source: Source) -> pd.DataFrame:
    """Returns one row per fact of the bundle: what it holds, whence, and its identity."""
    facts = source.bundle.manifest
    (images,), (texts,) = (
        cached.query(source.bundle, name).itertuples() for name in ("image_set", "text_pool")
    )
    (hashes,) = cached.query(source.bundle, "content_hashes").itertuples()
    size = sum(entry["bytes"] for entry in facts["files"].values())
    controls = sum(model["is_control"] for model in facts["models"])
    rows = {
        "Models": f"{len(facts['models']) - controls}, and {controls} random-weights controls",
        "Images": f"{images.images:,} distinct in {images.files:,} files of {images.name}",
        "Files that could not be read": f"{images.failed:,}",
        "License of the images": facts["licenses"]["images"] or UNKNOWN,
        "Texts": f"{texts.texts:,} of the pool {texts.name} ({texts.language})",
        "License of the texts": facts["licenses"]["texts"] or UNKNOWN,
        "Size": f"{len(facts['files']):,} files, {size / 1e6:,.1f} MB",
        "Made": facts["created_at"],
        "Format": str(facts["format"]),
        "Identity (input_id)": facts["input_id"],
        "SHA-256 of the image set": hashes.images or "no images",
        "SHA-256 of the texts": hashes.texts,
        "SHA-256 of answers by language models": hashes.answers or "none were asked",
        "Signed": SIGNED if (source.bundle.path / SIGNATURE).is_file() else "no",
    }
    return pd.DataFrame({"fact": rows.keys(), "value": map(str, rows.values())})


def models(source: Source) -> pd.DataFrame:
    """Returns one row per model: where its weights come from, and what is known of them."""
    rows = cached.models(source.bundle)
    return pd.DataFrame(
        {
            "model": rows["model"],
            "weights": [weights_words(row) for row in rows.itertuples()],
            "trained on": rows["training_data"],
            "images": rows["images"],
            "largest sum error": rows["max_sum_error"],
            "SHA-256 of the weights": rows["weights_sha256"],
        }
    )


def weights_words(row: Any) -> str:
    """Returns what is known of the weights of a model."""
    if row.is_control:
        return "random"
    if pd.isna(row.weights_verified):
        return "imported results" if not row.has_vectors else "a file with a name of its own"
    return "as published" if row.weights_verified else "not verified"


def options(source: Source) -> pd.DataFrame:
    """Returns one row per option of the commands that made the bundle, value, and models if not all."""
    runs = cached.query(source.bundle, "runs")
    named = cached.models(source.bundle).set_index("model_key")["model"]
    models: dict[tuple[str, str], set[str]] = {}
    for run in runs.itertuples():
        for option, value in json.loads(run.options).items():
            models.setdefault((option, json.dumps(value, ensure_ascii=False)), set()).add(run.model_key)
    everyone = set(runs["model_key"])
    rows = [
        (option, value, "all" if keys == everyone else ", ".join(named[key] for key in sorted(keys) if key))
        for (option, value), keys in sorted(models.items())
    ]
    return pd.DataFrame(rows, columns=["option", "value", "models"])


def versions(source: Source) -> pd.DataFrame:
    """Returns one row per library and per method with its version when the bundle was made."""
    facts = source.bundle.manifest
    parts = {"software": facts["software"], "method": facts["method_versions"]}
    rows = [(kind, name, str(version)) for kind, part in parts.items() for name, version in part.items()]
    return pd.DataFrame(rows, columns=["kind", "name", "version"])


def checks(source: Source) -> list[tuple[bool, str]]:
    """Returns what was compared, and whether it is done and right; a bundle with a fault is not shown."""
    facts = source.bundle.manifest
    verdict, files = integrity.verdict(source.bundle), len(facts["files"])
    lines = [
        (True, "Format, models, licenses, counts and ids of the manifest, the tables and the vectors agree."),
        (
            verdict.done,
            f"All {files:,} files have their SHA-256."
            if verdict.done
            else f"{files:,} files are being compared with their SHA-256.",
        ),
    ]
    if verdict.strangers:
        lines.append(
            (False, f"{len(verdict.strangers)} files in the folder are not of this bundle: never read.")
        )
    if (error := facts["max_sum_error"]) is not None:
        lines.append(
            (
                True,
                f"Contributions of every image sum to its embedding, with an error of at most {error:.1e}.",
            )
        )
    return lines
