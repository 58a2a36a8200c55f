"""Files for programs: the tree that HeadVis reads, a JSON per head, and the index of the search."""

import json

import numpy as np
import pandas as pd

from headlight.report import files, places
from tests.support.bundles import LABELS, MODEL_KEY, PAIRS, TEXTS


def read(report, name: str):
    return json.loads((report / places.model_folder(MODEL_KEY) / name).read_text(encoding="ascii"))


def test_the_tree_is_laid_out_as_headvis_reads_it(tiny_report):
    config, rows = read(tiny_report, "config.json"), read(tiny_report, "scatter_data.json")

    assert read(tiny_report, "server_config.json") == read(tiny_report, "attributions/manifest.json") == {}
    assert config["heads"] == [list(pair) for pair in PAIRS]
    assert [(row["layer"], row["head"]) for row in rows] == PAIRS
    assert set(config["metrics"]) == set(config["metric_descriptions"])
    assert set(config["metrics"]) | {"layer", "head", "label", "grade"} == set(rows[0])
    for layer, head in PAIRS:
        name = config["head_data_pattern"].format(layer=layer, head=head)
        content = read(tiny_report, f"heads/{name}")
        assert content["sequences"] == []
        assert content["label"] == LABELS[layer, head]
        assert [set(row) for row in content["texts"]][0] == {"token", "weight", "stability"}
        edges, counts = content["histogram"]["bin_edges"], content["histogram"]["bin_values"]
        assert len(edges) == len(counts) + 1
        assert sum(counts) == content["statistics"]["n_samples"]


def test_the_search_knows_every_head_with_its_label_and_texts(tiny_report):
    script = (tiny_report / places.SEARCH).read_text(encoding="ascii")
    index = json.loads(script.removeprefix("window.HEADLIGHT_SEARCH = ").rstrip(";\n"))

    assert len(index["heads"]) == 2 * len(PAIRS)
    assert set(index["texts"]) <= set(TEXTS)
    for model, stem, name, label, texts in index["heads"]:
        assert (tiny_report / index["models"][model][1] / "heads" / f"{stem}.html").is_file()
        assert name.replace(".", "") == stem
        assert label
        assert all(text < len(index["texts"]) for text in texts)


def test_what_json_cannot_hold_is_null_or_text():
    content = {"a": np.float64("nan"), 1: [np.int64(2), np.bool_(True), pd.NA, np.inf], "b": np.array([0.1])}

    assert files.plain(content) == {"a": None, "1": [2, True, None, None], "b": [0.1]}
