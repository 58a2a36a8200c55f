"""Heads and models by the names that people write."""

import pandas as pd
import pytest

from db.errors import UnknownName
from headlight.names import find_model, parse_head, parse_heads

MODELS = pd.DataFrame({"model_key": ["a-1", "a-2", "b-1"], "model": ["a", "a", "b"]})


def test_a_head_is_a_name_or_a_pair():
    assert parse_head(" l11.h3 ") == parse_head((11, 3)) == (11, 3)
    assert parse_heads("L1.H0") == parse_heads((1, 0)) == [(1, 0)]
    assert parse_heads(["L1.H0", (2, 3)]) == parse_heads(("L1.H0", "L2.H3")) == [(1, 0), (2, 3)]


@pytest.mark.parametrize("name", ["H3", "L1", (1, 2, 3)])
def test_another_name_is_refused(name):
    with pytest.raises(UnknownName, match="is not the name of a head"):
        parse_head(name)


def test_a_model_is_found_by_its_key_or_its_name():
    assert find_model(MODELS, "a-2") == "a-2"
    assert find_model(MODELS, "b") == "b-1"


@pytest.mark.parametrize(("name", "says"), [("a", "2 models .* a-1, a-2"), ("c", "not in this bundle")])
def test_a_model_of_no_one_name_is_refused(name, says):
    with pytest.raises(UnknownName, match=says):
        find_model(MODELS, name)
