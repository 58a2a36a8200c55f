"""A bundle of imported results, and the same labeled by language models."""

from pathlib import Path

import pytest

from precompute.tools.label.run import run
from tests.support.imported import write_imported
from tests.support.labeled import names_most, task
from tests.support.llm_server import said, serving


@pytest.fixture(autouse=True)
def no_key_of_mine(monkeypatch):
    for name in ("HEADLIGHT_LLM_KEY", "OPENAI_API_KEY", "OPENAI_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """Made once for all tests; not to be changed."""
    folder = tmp_path_factory.mktemp("imported")
    return write_imported(folder / "results", folder / "bundle")


@pytest.fixture(scope="module")
def labeled(source, tmp_path_factory) -> Path:
    """Labels by one model and the judgement of two, the second of which says yes to everything."""

    def answer(request):
        return said(consistent="yes") if request["model"] == "mild" else names_most(request)

    out = tmp_path_factory.mktemp("labeled") / "new"
    with serving(answer) as server:
        run(task(source, out, server.url, llm="small", judges=("strict", "mild")))
    return out
