"""Strings that other people write are shown as they are written, whatever they hold."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.state.pins import Collection, Pin
from tests.support import bundles, strangers
from tests.support.bundles import GALLERY, MODEL_KEY
from tests.support.pages import PAGES, open_numbers, open_page, said

PLAIN = {
    "BidiComponent.json",
    "Code.code_text",
    "Dataframe.column_order",
    "ImageList.imgs.alt",
    "MultiSelect.options",
    "PageLink.query_string",
    "Selectbox.options",
    "TextArea.value",
    "TextInput.value",
    "VegaLiteChart.alt",
    "VegaLiteChart.spec",
}
"""Fields that Streamlit 1.67 and our script show as they are; all others count as Markdown."""

PINS = Collection(
    (
        Pin("head", (("bundle", strangers.WORDS), ("model", strangers.WORDS)), strangers.WORDS[:99]),
        Pin("text_neighbors", (("text", strangers.WORDS), ("head", "L2.H0")), "strange", strangers.WORDS),
        Pin("head", (("model", MODEL_KEY), ("head", "L2.H0")), "strange"),
        Pin("image_neighbors", (("model", MODEL_KEY), ("image", GALLERY[0]), ("head", "L1.H0")), "strange"),
    )
)

STATES = [
    ("start", {}),
    ("leaderboard", {"label_kind": "chosen", "columns": "all", "beside": "training_data"}),
    ("heads", {"color": "ccs", "head_metric": "ccs", "range": "2..5", "words": "quote"}),
    ("heads", {"color": f"selectivity:{strangers.strange('color')}"}),
    ("head", {}),
    ("which_head", {}),
    ("which_head", {"form": "concept"}),
    ("property_search", {"model": strangers.WORDS, "bundle": strangers.WORDS}),
    ("topic_segmentation", {"text": strangers.strange("a circle"), "control": "text", "heads": "all"}),
    ("contrastive_segmentation", {"image": strangers.WORDS}),
    ("image_neighbors", {"head": strangers.WORDS, strangers.WORDS: "1"}),
    ("text_neighbors", {}),
    ("text_neighbors", {"versus": f"text:{strangers.strange('a circle')}"}),
    ("property_search", {"versus": f"heads:property:{strangers.strange('color')}"}),
    ("image_neighbors", {"versus": f"image:{GALLERY[0]}"}),
    ("mean_ablation", {"heads": "L1.H0,L1.H1"}),
    ("compare", {"other": strangers.WORDS}),
    ("validation", {"section": "labels"}),
    ("validation", {"section": "neighbors"}),
    ("validation", {"section": "mean_ablation"}),
    ("sql", {}),
    ("collection", {"pins": str(PINS)}),
    ("about", {}),
]


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    return strangers.write_bundle(tmp_path_factory.mktemp("strange") / "tiny")


@pytest.mark.parametrize(("page", "params"), STATES)
def test_no_word_of_a_stranger_reaches_markdown_unescaped(monkeypatch, strange, page, params):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(strange))

    app = open_page(page, **params)
    open_numbers(app)

    assert not app.exception
    assert {page for page, _ in STATES} == set(PAGES)
    assert not unescaped(app)
    assert any("!\\[x\\]" in text for _, text in markdown(app)), "the words are on the page"


def test_a_stranger_writes_no_link_into_a_warning(monkeypatch, strange):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(strange))

    app = open_page("leaderboard", bundle="[Sign in again](http://b)")

    assert '"[Sign in again](http://b)"' in said(app)
    assert r"\[Sign in again\]\(" in app.warning[0].value


def test_the_name_of_an_uploaded_file_is_shown_as_it_is():
    app = open_page("image_neighbors")

    app.file_uploader(key="upload").upload(f"{strangers.WORDS}.png", b"no picture", "image/png").run()

    assert f"{strangers.WORDS}.png cannot be used" in said(app)
    assert not unescaped(app)


def test_the_path_in_an_error_is_no_link(monkeypatch, tmp_path):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(tmp_path / "[a](b)"))

    app = open_page("leaderboard")

    assert "[a](b)" in said(app)
    assert r"\[a\]\(b\)" in app.error[0].value


def test_texts_and_metrics_may_be_called_like_columns(monkeypatch, tmp_path):
    tables, names = bundles.tables(), ["part", "total", "patch row"]
    tables["text"].loc[:2, "text"] = names
    tables["metric"]["title"] = "label"
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(strangers.write(tmp_path / "tiny", tables)))

    maps = [open_page("topic_segmentation", text=text) for text in names]
    heads = open_page("heads", color="ccs")

    assert not any(app.exception or app.error for app in [*maps, heads])
    assert '"label"' in heads.dataframe[0].value


def unescaped(app: AppTest) -> dict[str, str]:
    """Returns the strings of a page that hold words of a stranger as Markdown or HTML, by field."""
    return {field: text for field, text in markdown(app) if any(raw in text for raw in active(field))}


def active(field: str) -> tuple[str, ...]:
    """Returns the parts of a stranger's words that do something in a field."""
    return strangers.RAW_HTML if field == "Html.body" else strangers.RAW


def markdown(app: AppTest) -> Iterator[tuple[str, str]]:
    """Yields every string of a page that Streamlit may read as Markdown, with the field that it stands in."""
    for element in elements(app._tree):
        if element.type == "table":
            cells = element.value.astype(str).to_numpy().ravel()
            yield from (("Table.cell", cell) for cell in [*element.value.columns, *cells])
        for field, text in strings(element.proto, type(element.proto).__name__):
            if field.endswith(".columns"):
                yield from (("column.help", help) for help in helps(json.loads(text)))
            elif field not in PLAIN:
                yield field, text


def elements(node: Any) -> Iterator[Any]:
    """Yields every element and every block that has a title, whichever they are."""
    if getattr(node, "proto", None) is not None:
        yield node
    for child in getattr(node, "children", {}).values():
        yield from elements(child)


def strings(message: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yields every string of a protobuf message and of the messages in it."""
    for field, value in message.ListFields():
        for item in value if field.is_repeated else [value]:
            if hasattr(item, "ListFields"):
                yield from strings(item, f"{name}.{field.name}")
            elif isinstance(item, str):
                yield f"{name}.{field.name}", item


def helps(columns: dict[str, dict]) -> Iterator[str]:
    """Yields the help texts of the columns of a table; their titles are plain."""
    yield from (options["help"] for options in columns.values() if options.get("help"))
