"""Neighbors are the same whether a model's columns are kept in memory or searched where they lie."""

import numpy as np
import pytest
import streamlit as st

from dashboard.data import cached, head_vectors, heads, neighbors
from dashboard.data.types import Source
from db import lance_tables
from tests.support import bundles
from tests.support.bundles import IMAGE_IDS, IMAGES, MODEL_KEY, PAIRS, RANK, TEXTS

COLUMN_BYTES = IMAGES * RANK * 4
ALL_BYTES = len(PAIRS) * COLUMN_BYTES


@pytest.fixture
def source_within(tiny_bundle, monkeypatch):
    """Opens the bundle in a server that may keep so many bytes of vectors."""

    def open_within(max_bytes: int) -> Source:
        st.cache_resource.clear()
        monkeypatch.setattr(head_vectors, "MAX_VECTOR_BYTES", max_bytes)
        return cached.source(cached.bundle(tiny_bundle), "tiny", MODEL_KEY)

    yield open_within
    st.cache_resource.clear()


@pytest.fixture
def searches(monkeypatch) -> list[str]:
    """Columns that LanceDB searched."""
    columns = []
    search = lance_tables.search

    def counted(table, column, *args):
        columns.append(column)
        return search(table, column, *args)

    monkeypatch.setattr(lance_tables, "search", counted)
    monkeypatch.setattr(neighbors, "SPARE", 0)  # so that a search leaves some of the few images out
    return columns


def assert_same(small, large):
    assert small["image_id"].tolist() == large["image_id"].tolist()
    assert small["path"].tolist() == large["path"].tolist()
    np.testing.assert_allclose(small["score"], large["score"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("by", ["cosine", "dot"])
@pytest.mark.parametrize("place", range(len(PAIRS)))
def test_images_nearest_to_an_image_in_one_large_head_are_those_of_memory(source_within, searches, place, by):
    asked = IMAGE_IDS[4], (PAIRS[place],), by, 3
    small = neighbors.neighbors_of_image(source_within(ALL_BYTES), *asked)
    assert searches == []

    large = neighbors.neighbors_of_image(source_within(ALL_BYTES - 1), *asked)

    assert searches == [f"L{PAIRS[place][0]}_H{PAIRS[place][1]}"]
    assert IMAGE_IDS[4] not in small["image_id"].tolist()
    assert_same(small, large)


@pytest.mark.parametrize("by", ["cosine", "dot"])
def test_images_and_texts_nearest_to_a_text_in_one_large_head_are_those_of_memory(
    source_within, searches, by
):
    asked = list(TEXTS)[2], PAIRS[1], by, 3
    small, small_texts = neighbors.neighbors_of_text(source_within(ALL_BYTES), *asked)

    large, large_texts = neighbors.neighbors_of_text(source_within(100), *asked)

    assert len(searches) == 1
    assert_same(small, large)
    assert small_texts.equals(large_texts)


@pytest.mark.parametrize("by", ["cosine", "dot"])
@pytest.mark.parametrize("count", [2, 4])
def test_images_nearest_through_several_large_heads_are_those_of_memory(source_within, searches, count, by):
    asked = IMAGE_IDS[7], tuple(PAIRS[:count]), by, 11
    small = neighbors.neighbors_of_image(source_within(ALL_BYTES), *asked)

    large = neighbors.neighbors_of_image(source_within(COLUMN_BYTES), *asked)

    assert searches == []  # no column holds the mean of several heads
    assert_same(small, large)


def test_images_along_a_text_are_the_same_in_a_large_head(source_within):
    small = heads.along(source_within(ALL_BYTES), PAIRS[0], 1)

    large = heads.along(source_within(COLUMN_BYTES), PAIRS[0], 1)

    np.testing.assert_allclose(small.value, large.value, atol=1e-9)
    assert small.share == pytest.approx(large.share)


def test_no_column_of_a_large_model_is_kept(source_within):
    source = source_within(COLUMN_BYTES)
    for head in PAIRS:
        neighbors.neighbors_of_image(source, IMAGE_IDS[0], (head,), "cosine", 3)
    neighbors.neighbors_of_image(source, IMAGE_IDS[0], tuple(PAIRS), "cosine", 3)

    assert head_vectors.arrays().nbytes == IMAGES * 4  # the norms of the mean over all heads


def test_what_is_kept_of_all_models_stays_within_the_bound(source_within):
    first = source_within(ALL_BYTES)
    second = cached.source(first.bundle, "tiny", bundles.CONTROL_KEY)
    for source in (first, second):
        neighbors.neighbors_of_image(source, IMAGE_IDS[0], tuple(PAIRS), "cosine", 3)
        neighbors.neighbors_of_text(source, list(TEXTS)[0], PAIRS[0], "cosine", 3)

    assert 0 < head_vectors.arrays().nbytes <= ALL_BYTES
