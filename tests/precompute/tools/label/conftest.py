"""A bundle of imported results, and the same labeled by language models."""

from pathlib import Path

import pytest

from precompute.tools.label.run import run
from tests.support.imported import write_imported
from tests.support.labeled import most_frequent_word, task
from tests.support.llm_server import json_chat, serving


@pytest.fixture(autouse=True)
def no_key_in_environment(monkeypatch):
    for name in ("HEADLIGHT_LLM_KEY", "OPENAI_API_KEY", "OPENAI_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="session")
def source(tmp_path_factory) -> Path:
    """An imported bundle, shared by all tests, which must not change it."""
    folder = tmp_path_factory.mktemp("imported")
    return write_imported(folder / "results", folder / "bundle")


@pytest.fixture(scope="session")
def labeled(source, tmp_path_factory) -> Path:
    """A bundle with labels by one language model and judgements by two; the second always says yes."""

    def answer(request):
        return json_chat(consistent="yes") if request["model"] == "mild" else most_frequent_word(request)

    out = tmp_path_factory.mktemp("labeled") / "new"
    with serving(answer) as server:
        run(task(source, out, server.url, llm="small", judges=("strict", "mild")))
    return out
