"""Files of the report for programs: a tree that HeadVis reads, a JSON per head, and the index of the search.

HeadVis (Luger, Kamath et al. 2026; the files as in Neuronpedia's export) has one tree per model:
config.json, scatter_data.json with a row per head, server_config.json (empty: static),
heads/L{layer}H{head}.json. An image encoder has no token sequences: they are left out, and the head's texts
are a table in their place.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dashboard.data import cached, choices, label_text
from dashboard.data import heads as head_data
from dashboard.data.types import Source
from headlight.report import places
from headlight.report.head_page import HeadPage

HEAD_PATTERN = "L{layer}H{head}.json"


def write_json(file: Path, content: Any) -> None:
    """Writes JSON in ASCII, with null for what is not a finite number."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(plain(content), allow_nan=False) + "\n", encoding="ascii")


def plain(value: Any) -> Any:
    """Returns a value as JSON can hold it."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    return None if value is None or value is pd.NA or value is pd.NaT else str(value)


def write_model(root: Path, source: Source) -> None:
    """Writes config.json, scatter_data.json and the empty files of a static tree."""
    folder = root / places.model_folder(source.key)
    titles = {name: title for name, title in choices.color_titles(source).items() if name != "label"}
    heads = label_text.heads(source)
    pairs = list(zip(heads["layer"].tolist(), heads["head"].tolist(), strict=True))
    config = {
        "model_name": source.info.model,
        "dataset_name": cached.query(source.bundle, "image_set")["name"].iloc[0],
        "heads": pairs,
        "n_layers": len({layer for layer, _ in pairs}),
        "n_heads": len({head for _, head in pairs}),
        "n_intervals": 0,
        "metrics": list(titles),
        "metric_descriptions": {name: head_data.measure(source, name).description for name in titles},
        "head_data_pattern": HEAD_PATTERN,
        "has_umap": False,
        "umap_heads": [],
        "custom_plots": [{"key": "histogram", "label": "Images along the first text"}],
        "custom_tables": [{"key": "texts", "label": "Texts that describe the head"}],
        "statistics_display": {"n_samples": {"label": "Images", "format": "default"}},
        "pipeline_config": {
            "tool": "headlight",
            "input_id": source.bundle.manifest["input_id"],
            "model_key": source.key,
            "method_versions": source.bundle.manifest["method_versions"],
        },
    }
    write_json(folder / "config.json", config)
    write_json(folder / "scatter_data.json", scatter(source, list(titles)))
    write_json(folder / "server_config.json", {})
    write_json(folder / "attributions" / "manifest.json", {})


def scatter(source: Source, metrics: list[str]) -> list[dict[str, Any]]:
    """Returns one flat row per head: layer, head, label, and every metric and selectivity by name."""
    shown = label_text.heads(source)[["layer", "head", "label", "grade"]]
    for name in metrics:
        values = head_data.values(source, name)[["layer", "head", "value"]]
        shown = shown.merge(values.rename(columns={"value": name}), on=["layer", "head"], how="left")
    return shown.to_dict("records")


def write_head(root: Path, source: Source, page: HeadPage) -> None:
    """Writes the JSON beside a head's page."""
    texts = page.texts
    numbers = page.metrics.drop(columns=["description", "interval"], errors="ignore")
    content = {
        "model_key": source.key,
        "model": source.info.model,
        "layer": page.head[0],
        "head": page.head[1],
        "label": page.row.label if isinstance(page.row.label, str) else None,
        "grade": page.row.grade,
        "evidence": page.support,
        "texts": [
            {"token": row.text, "weight": row.variance_share, "stability": row.stability}
            for row in texts.itertuples()
        ],
        "labels": page.labels.to_dict("records"),
        "metrics": numbers.to_dict("records"),
        "selectivity": head_data.selectivity(source, page.head)[["attribute", *head_data.NUMBERS]].to_dict(
            "records"
        ),
        "nearest_heads": [
            {name: row[name] for name in ("model_key", "layer", "head", "cka", "control_cka")}
            for row in page.alike
        ],
        "statistics": {"n_samples": source.images},
        "sequences": [],
    }
    if page.counts is not None:
        content["histogram"] = {"bin_edges": page.edges, "bin_values": page.counts}
    write_json(root / places.head_page(source.key, page.head).replace(".html", ".json"), content)


def search_index(sources: Iterable[Source]) -> str:
    """Returns the script that holds what the search of the first page finds: heads, labels and texts.

    Texts are listed once, and heads name them by their place: heads share most of them.
    """
    texts: dict[str, int] = {}
    models, heads = [], []
    for number, source in enumerate(sources):
        models.append([source.info.model, places.model_folder(source.key)])
        rows = cached.of_model(source, "head_text_search", words=())
        of_head = {place: group["text"].tolist() for place, group in rows.groupby(["layer", "head"])}
        for row in label_text.heads(source).itertuples():
            place = (int(row.layer), int(row.head))
            listed = [texts.setdefault(text, len(texts)) for text in of_head.get(place, [])]
            heads.append([number, places.head_stem(place), row.name, label_text.display_label(row), listed])
    content = json.dumps(plain({"models": models, "heads": heads, "texts": list(texts)}), allow_nan=False)
    return f"window.HEADLIGHT_SEARCH = {content};\n"
