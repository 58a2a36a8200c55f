"""Invalid addresses and keys of a service are refused without showing the key."""

import pytest

from precompute.tools.label.llm_service import LlmError, Service, key_of_environment


@pytest.mark.parametrize("key", ["sk-planted\n012345", "schlüssel-planted"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(key):
    with pytest.raises(LlmError, match="HEADLIGHT_LLM_KEY") as caught:
        Service("http://localhost/v1", key)

    assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "localhost:11434", "ftp://host/v1", "http://", "http://ann:hunter22@host:port/v1"]
)
def test_an_invalid_address_is_refused_without_showing_it(url):
    with pytest.raises(LlmError, match="--url") as caught:
        Service(url)

    assert "hunter22" not in str(caught.value)


def test_an_address_with_a_query_is_refused():
    with pytest.raises(LlmError, match=r"--url .*\?"):
        Service("https://host/v1?key=hunter22")


def test_our_variable_of_the_key_has_precedence():
    both = {"HEADLIGHT_LLM_KEY": " mine ", "OPENAI_API_KEY": "other"}

    assert key_of_environment(both) == "mine"
    assert key_of_environment({"OPENAI_API_KEY": "other"}) == "other"
    assert key_of_environment({"HEADLIGHT_LLM_KEY": " "}) is None
