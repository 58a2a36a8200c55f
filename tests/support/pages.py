"""The app opened page by page over a bundle written by hand; what it says, shows and links to."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from streamlit.components.v2 import manifest_scanner
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from dashboard.state.pins import Collection, Pin
from db.store import BundleWriter, ImageTokens, ImageVectors
from db.vectors import HeadSpace
from tests.support import bundles
from tests.support.bundles import CONTROL_KEY, GALLERY, IMAGE_IDS, MODEL_KEY, PAIRS, TEXT_IDS
from tests.support.paths import ROOT

# Every run of AppTest looks through all installed packages for components, which takes longer than a page;
# a server does so once.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)

APP = ROOT / "dashboard" / "app.py"
PAGES = [
    "start",
    "leaderboard",
    "heads",
    "head",
    "which_head",
    "property_search",
    "topic_segmentation",
    "contrastive_segmentation",
    "image_neighbors",
    "text_neighbors",
    "mean_ablation",
    "compare",
    "validation",
    "sql",
    "collection",
    "about",
]
WITH_NUMBERS = [page for page in PAGES if page != "collection"]
"""Pages that show numbers of the bundle, with the queries behind them."""

PINNED = Collection(
    tuple(
        Pin(page, (("bundle", "tiny"), ("model", MODEL_KEY), *options), "two", note)
        for page, options, note in (
            ("head", (("head", "L2.H0"), ("position", "1")), "Is it **bold**?"),
            ("image_neighbors", (("by", "dot"), ("k", "3"), ("image", GALLERY[0]), ("head", "L1.H0")), ""),
            ("leaderboard", (("metric", "entanglement"),), "the best of all"),
        )
    )
)
"""Pinned views of the bundle of two models."""

NUMBERS, PICKER = "numbers", "picker"
"""Keys of expanders, which draw what they hold only while they are open."""

MAPS = ["topic_segmentation", "contrastive_segmentation"]


def write_two_models(out: Path, *, thumbnails: bool = True, texts: int = len(TEXT_IDS)) -> Path:
    """The tiny bundle, but its second model has only the last layer's heads, all about patterns."""
    tables = bundles.tables()
    for name in ("text", "text_property"):
        tables[name] = tables[name][tables[name]["text_id"].isin(TEXT_IDS[:texts])]
    instead = {text_id: TEXT_IDS[place % texts] for place, text_id in enumerate(TEXT_IDS)}
    listed = tables["head_text"].assign(text_id=tables["head_text"]["text_id"].map(instead))
    tables["head_text"] = listed.drop_duplicates(["model_key", "layer", "head", "text_id"])
    tables["text_pool"]["texts"] = texts
    carried = tables["text_property"]["property"].value_counts()
    carried = carried.reindex(tables["property"]["property"], fill_value=0)
    tables["property"] = pd.DataFrame({"property": carried.index, "texts": carried.to_numpy()})
    for name, rows in tables.items():
        if {"model_key", "layer"} <= set(rows.columns):
            tables[name] = rows[(rows["model_key"] != CONTROL_KEY) | (rows["layer"] != PAIRS[0][0])]
    matches = tables["head_match"]
    tables["head_match"] = matches[matches["other_layer"] != PAIRS[0][0]]
    mine = tables["head_label"]["model_key"] == CONTROL_KEY
    tables["head_label"].loc[mine, "label"] = "pattern"
    tables["property_head"].loc[tables["property_head"]["model_key"] == CONTROL_KEY, "property"] = "pattern"
    tables["judgement"].loc[tables["judgement"]["model_key"] == CONTROL_KEY, "label"] = "pattern"
    tables["model"].loc[tables["model"]["model_key"] == CONTROL_KEY, "first_layer"] = PAIRS[-1][0]
    if not thumbnails:
        tables["image"]["thumbnail"] = None
    with BundleWriter(out, input_id="two") as writer:
        for name, rows in tables.items():
            writer.write(name, rows)
        write_vectors(writer, MODEL_KEY, {layer for layer, _ in PAIRS}, texts)
        write_vectors(writer, CONTROL_KEY, {PAIRS[-1][0]}, texts)
        return writer.finish({"software": {"headlight": "test"}, "method_versions": {"textspan": 1}})


def write_vectors(writer: BundleWriter, model_key: str, layers: set[int], texts: int) -> None:
    """All five Lance tables of one model that has only some layers' heads and the first few texts."""
    places = [place for place, (layer, _) in enumerate(PAIRS) if layer in layers]
    writer.write_heads(model_key, HeadSpace(*(part[places] for part in bundles.spaces(model_key))))
    bundles.write_classes(writer, model_key)
    y, unit = bundles.tokens(model_key)[:, places], bundles.embeddings(model_key)
    rest = unit - np.einsum("inr,nrd->id", y.sum(axis=2), bundles.spaces(model_key).basis[places])
    by_layer = y.sum(axis=2).reshape(len(IMAGE_IDS), len(layers), -1, y.shape[-1])
    writer.write_images(model_key, [ImageVectors(IMAGE_IDS, unit, by_layer)])
    writer.write_texts(model_key, TEXT_IDS[:texts], bundles.text_embeddings()[:texts])
    rows = [IMAGE_IDS.index(image_id) for image_id in GALLERY]
    writer.write_tokens(model_key, bundles.TOKENS, (ImageTokens(IMAGE_IDS[i], y[i], rest[i]) for i in rows))


def open_page(
    page: str, *, opened: str = "", session: Mapping[str, Any] = MappingProxyType({}), **params: str
) -> AppTest:
    """The page of a link, with one of its expanders `opened`, in a session that holds something."""
    app = AppTest.from_file(str(APP), default_timeout=60)
    if opened:
        app.session_state[opened] = True
    for name, value in session.items():
        app.session_state[name] = value
    if page != PAGES[0]:  # that one is served at /
        app.switch_page(f"views/{page}.py")
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


def open_path(path: str, **params: str) -> AppTest:
    """The app at the path of a URL, which need not be the name of a file."""
    app = AppTest.from_file(str(APP), default_timeout=60)
    app._page_hash = calc_hash(path)
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


def said(app: AppTest) -> str:
    """Everything a page says to the user beyond its results."""
    return plain("\n".join(box.value for kind in (app.error, app.warning, app.info) for box in kind))


def link(app: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in app.query_params.items()}


def words(app: AppTest) -> str:
    """Every caption and text of a page and of the sidebar."""
    return plain("\n".join(element.value for kind in (app.caption, app.markdown) for element in kind))


def plain(text: str) -> str:
    """Returns Markdown with its escapes resolved, as a reader sees them."""
    text = re.sub(r":color\[\\(.)\]", r"\1", text)
    text = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)
    return re.sub(r"&#(\d+);", lambda code: chr(int(code[1])), text)


def open_picker(app: AppTest) -> None:
    app.session_state[PICKER] = True
    app.run()


def open_numbers(app: AppTest) -> None:
    app.session_state[NUMBERS] = True
    app.run()


def shown_queries(app: AppTest) -> list[str]:
    """The SQL that a page shows."""
    return [code.value for code in app.code if code.language == "sql"]


def galleries(app: AppTest) -> list[list[dict[str, str]]]:
    """The tiles of every gallery, as the browser draws them."""
    return [json.loads(node.proto.json)["tiles"] for node in gallery_nodes(app)]


def gallery_nodes(app: AppTest) -> list[Any]:
    return [node for node in app.get("bidi_component") if "tiles" in json.loads(node.proto.json)]


def click_on_tile(proto: Any, image_id: str) -> WidgetState:
    """The message of a browser that clicks a tile of a gallery."""
    event = json.dumps([{"event": "opened", "value": image_id}])
    return WidgetState(id=f"$$STREAMLIT_INTERNAL_KEY_{proto.id}__events", json_trigger_value=event)


def open_tile(app: AppTest, place: int, gallery: int = 0) -> str:
    """Clicks a tile of a gallery; returns its image."""
    image_id = galleries(app)[gallery][place]["id"]
    click = click_on_tile(gallery_nodes(app)[gallery].proto, image_id)
    app._run(WidgetStates(widgets=[*app._tree.get_widget_states().widgets, click]))
    return image_id
