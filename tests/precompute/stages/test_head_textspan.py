"""Texts of heads: results of a layer are kept, and computed again for other options."""

from pathlib import Path

import pytest
import torch

from precompute.method import moments, textspan
from precompute.runtime.config import HeadOptions
from precompute.stages import head_textspan
from tests.support import heads
from tests.support.calls import count_calls


@pytest.fixture(scope="module")
def made() -> heads.SyntheticModel:
    """Two layers of two heads; a head that is about five texts has picks to spare."""
    return heads.model(heads.pool_of({"color": 6, "shape": 6}), [["color", "shape"], [None, "color"]])


def found(made: heads.SyntheticModel, directory: Path, **changes) -> head_textspan.HeadTexts:
    options = HeadOptions(picks=12, rotations=19, replicates=0, seed=0)._replace(**changes)
    covariance = moments.pooled(made.moments).covariance
    each = head_textspan.each(covariance, made.spaces, made.text)
    return head_textspan.span(each, made.spaces, made.text, options, directory)


def test_what_is_kept_is_what_was_found(made, tmp_path):
    plain = found(made, tmp_path / "other")

    kept, again = found(made, tmp_path / "a"), found(made, tmp_path / "a")

    assert len(list((tmp_path / "a").iterdir())) == 2
    for other in (kept, again):
        for one, same in zip(plain.spans + plain.equal_norm, other.spans + other.equal_norm, strict=True):
            assert all(torch.equal(*both) for both in zip(one, same, strict=True))
        assert all(torch.equal(*both) for both in zip(plain.rotated, other.rotated, strict=True))


def test_what_is_kept_is_not_computed_again_but_for_other_options(made, tmp_path, monkeypatch):
    found(made, tmp_path)
    spans = count_calls(monkeypatch, textspan, "textspan")

    found(made, tmp_path)
    assert spans == []

    for changes in ({"picks": 6}, {"seed": 1}, {"rotations": 20}):
        spans.clear()
        found(made, tmp_path, **changes)
        assert len(spans) == 2 * 4  # both lengths of texts, every head
