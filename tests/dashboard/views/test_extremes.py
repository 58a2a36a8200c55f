"""All pages over bundles at the ends of what a bundle may hold."""

import time
from statistics import median

import pytest

from tests.support import extremes
from tests.support.pages import PAGES, WITH_NUMBERS, open_numbers, open_page, said

WITHOUT_VECTORS = "imported without vectors"


@pytest.fixture(scope="module")
def thousand_classes(tmp_path_factory):
    return extremes.write(tmp_path_factory.mktemp("classes") / "tiny", classes=1000)


def opened(page: str, **params: str):
    app = open_page(page, **params)
    open_numbers(app)
    assert not app.exception and not app.error
    assert len(app.title) == 1
    return app


@pytest.mark.slow
@pytest.mark.parametrize("kind", [{}, {"one_layer": True}, {"thumbnails": False}], ids=str)
def test_every_page_of_one_model_is_drawn(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(extremes.write(tmp_path / "tiny", **kind)))

    for page in PAGES:
        assert WITHOUT_VECTORS not in said(opened(page))


@pytest.mark.slow
def test_every_page_of_a_bundle_without_any_vectors_is_drawn_or_says_why_not(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(extremes.write(tmp_path / "tiny", vectors=False)))

    for page in WITH_NUMBERS:
        app = opened(page)
        assert app.dataframe or WITHOUT_VECTORS in said(app) or "has one model" in said(app)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "params"),
    [
        *((page, {}) for page in PAGES),
        ("mean_ablation", {"attribute": "class"}),
        ("mean_ablation", {"attribute": "class", "most": "500", "heads": "all"}),
        ("heads", {"color": "selectivity:class"}),
    ],
)
def test_a_click_among_a_thousand_classes_is_answered_within_a_second(
    thousand_classes, monkeypatch, page, params
):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(thousand_classes))
    app = opened(page, **params)

    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        app.run()
        seconds.append(time.perf_counter() - start)

    assert not app.exception and not app.error
    assert median(seconds) < 1
