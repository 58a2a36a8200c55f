"""Vectors come back as they were written, and the nearest are the nearest."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from db import vector_rows, vectors
from db.connection import Bundle
from db.errors import StoreError, UnknownName
from tests.support import bundles
from tests.support.bundles import IMAGE_IDS, MODEL_KEY, PAIRS

HALF = 1e-3
"""Relative error of a float16, doubled."""


@pytest.fixture(scope="module")
def stored() -> np.ndarray:
    """(y - mean) / scale of every image, [image, n, rank]."""
    space = bundles.spaces()
    return (bundles.coordinates() - space.mean) / space.scale[:, None]


def distances(stored: np.ndarray, query: np.ndarray, metric: str) -> np.ndarray:
    dot = stored @ query
    if metric == "dot":
        return 1 - dot
    return 1 - dot / np.linalg.norm(stored, axis=1) / np.linalg.norm(query)


def near(bundle: Bundle, head=PAIRS[0], query=(1.0,) * 8, metric="cosine", k=1) -> list[str]:
    return vectors.nearest(bundle, MODEL_KEY, *head, np.array(query), metric=metric, k=k)


def test_spaces_come_back_whole_and_sorted(tiny):
    written, found = bundles.spaces(), vectors.head_spaces(tiny, MODEL_KEY)

    for name in vectors.HeadSpace._fields:
        np.testing.assert_array_equal(getattr(found, name), getattr(written, name))


def test_coordinates_plus_mean_are_what_was_written(tiny):
    ids, found = vectors.image_coordinates(tiny, MODEL_KEY, None, PAIRS)

    assert ids == IMAGE_IDS
    assert found.dtype == np.float32
    y = found + vectors.head_spaces(tiny, MODEL_KEY).mean
    np.testing.assert_allclose(y, bundles.coordinates(), atol=HALF * 0.1)


def test_coordinates_of_some_images_and_heads_come_in_the_order_asked_for(tiny):
    _, every = vectors.image_coordinates(tiny, MODEL_KEY, None, PAIRS)
    asked = [IMAGE_IDS[place] for place in (7, 0, 7, 3)]

    ids, found = vectors.image_coordinates(tiny, MODEL_KEY, asked, [PAIRS[2], PAIRS[0]])

    assert ids == asked
    np.testing.assert_array_equal(found, every[[7, 0, 7, 3]][:, [2, 0]])


def test_embeddings_come_back(tiny):
    ids, found = vectors.image_embeddings(tiny, MODEL_KEY)
    np.testing.assert_allclose(found, bundles.embeddings(), atol=HALF)
    assert ids == IMAGE_IDS

    some, two = vectors.image_embeddings(tiny, MODEL_KEY, IMAGE_IDS[5:3:-1])
    np.testing.assert_array_equal(two, found[5:3:-1])
    assert some == IMAGE_IDS[5:3:-1]


def test_text_embeddings_keep_float32(tiny):
    ids, found = vectors.text_embeddings(tiny, MODEL_KEY, bundles.TEXT_IDS)

    assert ids == bundles.TEXT_IDS
    np.testing.assert_array_equal(found, bundles.text_embeddings().astype(np.float32))


def test_class_embeddings_come_in_the_order_of_the_attribute(tiny):
    expected = bundles.class_embeddings().astype(np.float32)

    values, found = vectors.class_embeddings(tiny, MODEL_KEY, "color")

    assert values == ["red", "green", "blue"]
    np.testing.assert_array_equal(found, expected[:3])
    np.testing.assert_array_equal(vectors.class_embeddings(tiny, MODEL_KEY, "shape")[1], expected[3:])


def test_tokens_and_rest_sum_to_the_embedding(tiny):
    """
    The identity of the whole project, after float16.
    """
    assert vectors.gallery(tiny, MODEL_KEY) == bundles.GALLERY
    basis = vectors.head_spaces(tiny, MODEL_KEY).basis
    for image_id in bundles.GALLERY:
        found = vectors.tokens(tiny, MODEL_KEY, image_id)

        heads = np.einsum("ntr,nrd->d", found.coordinates, basis)

        place = IMAGE_IDS.index(image_id)
        np.testing.assert_allclose(found.coordinates, bundles.tokens()[place], atol=HALF * 0.02)
        np.testing.assert_allclose(heads + found.rest, bundles.embeddings()[place], atol=HALF * 0.1)


def test_tokens_of_some_heads_come_in_the_order_asked_for(tiny):
    every = vectors.tokens(tiny, MODEL_KEY, bundles.GALLERY[0])

    found = vectors.tokens(tiny, MODEL_KEY, bundles.GALLERY[0], [PAIRS[3], PAIRS[1]])

    np.testing.assert_array_equal(found.coordinates, every.coordinates[[3, 1]])
    np.testing.assert_array_equal(found.rest, every.rest)


@pytest.mark.parametrize("metric", vectors.METRICS)
@pytest.mark.parametrize("place", range(len(PAIRS)))
def test_the_nearest_are_those_of_a_full_comparison(tiny, stored, metric, place):
    query = stored[4, place]
    order = np.argsort(distances(stored[:, place], query, metric), kind="stable")[:5]

    nearest = vectors.nearest(tiny, MODEL_KEY, *PAIRS[place], query, metric=metric, k=5)

    assert nearest == [IMAGE_IDS[image] for image in order]


def test_an_image_is_its_own_nearest(tiny, stored):
    assert vectors.nearest(tiny, MODEL_KEY, *PAIRS[1], stored[9, 1], metric="cosine", k=1) == [IMAGE_IDS[9]]


def test_the_plain_dot_of_the_paper_ranks_by_uncentered_coordinates(tiny):
    """
    The store is centered; an uncentered query gives the paper's order, for the mean adds the same to all.
    """
    y = bundles.coordinates()[:, 0]
    expected = np.argsort(-(y @ y[2]))

    nearest = vectors.nearest(tiny, MODEL_KEY, *PAIRS[0], y[2], metric="dot", k=12)

    assert nearest == [IMAGE_IDS[image] for image in expected]


def test_the_length_of_a_query_changes_no_order(tiny, stored):
    """
    Lance rounds queries to float16, where 1e-9 would be zero and 1e9 infinite.
    """
    orders = [
        vectors.nearest(tiny, MODEL_KEY, *PAIRS[0], stored[4, 0] * size, metric=metric, k=12)
        for size in (1e-9, 1, 1e9)
        for metric in ("cosine", "dot")
    ]

    assert orders[0] == orders[2] == orders[4]
    assert orders[1] == orders[3] == orders[5]


def test_more_than_there_are_gives_all_there_are(tiny, stored):
    nearest = vectors.nearest(tiny, MODEL_KEY, *PAIRS[0], stored[0, 0], metric="cosine", k=1000)

    assert sorted(nearest) == IMAGE_IDS


def test_blocks_of_coordinates_and_embeddings_are_all_rows_in_the_order_of_the_ids(tiny, monkeypatch):
    monkeypatch.setattr(vector_rows, "BLOCK_BYTES", 5 * 2 * bundles.RANK * 2)  # float16, two heads
    heads = [PAIRS[2], PAIRS[0]]

    coordinates = list(vectors.coordinate_blocks(tiny, MODEL_KEY, heads))
    embeddings = list(vectors.embedding_blocks(tiny, MODEL_KEY))

    assert [len(block) for block in coordinates] == [5, 5, 2]
    assert len(embeddings) > 1
    assert vectors.image_ids(tiny, MODEL_KEY).tolist() == IMAGE_IDS
    every = vectors.image_coordinates(tiny, MODEL_KEY, None, heads)[1]
    np.testing.assert_array_equal(np.concatenate(coordinates), every)
    np.testing.assert_array_equal(np.concatenate(embeddings), vectors.image_embeddings(tiny, MODEL_KEY)[1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda b: vectors.head_spaces(b, "nope"),
            f'model "nope" is not in this bundle. It has: {MODEL_KEY}',
        ),
        (lambda b: vectors.tokens(b, MODEL_KEY, IMAGE_IDS[1]), "gallery image .* is not in this bundle"),
        (lambda b: vectors.tokens(b, MODEL_KEY, IMAGE_IDS[0], [(9, 9)]), "head L9.H9 of .* is not stored"),
        (lambda b: vectors.image_coordinates(b, MODEL_KEY, ["x"], PAIRS), 'image "x" is not in this bundle'),
        (lambda b: vectors.image_coordinates(b, MODEL_KEY, None, []), "no heads were asked for"),
        (lambda b: vectors.class_embeddings(b, MODEL_KEY, "size"), "Those that have: color, shape"),
        (lambda b: vectors.class_embeddings(b, "nope", "color"), 'model "nope" is not in this bundle'),
        (lambda b: vectors.text_embeddings(b, MODEL_KEY, ["x"]), 'text "x" is not in this bundle'),
        (lambda b: near(b, head=(0, 0)), "Stored are L1.H0 to L2.H1"),
        (lambda b: near(b, query=np.ones(7)), r"shape \(7,\), but .* \(8,\)"),
        (lambda b: near(b, query=np.zeros(8)), "no direction"),
        (lambda b: near(b, k=0), "k is 0"),
        (lambda b: near(b, metric="l2"), 'Use "cosine" or "dot"'),
    ],
)
def test_what_is_not_there_is_named(tiny, call, message):
    with pytest.raises(StoreError, match=message):
        call(tiny)


def test_unknown_names_can_be_caught_as_such(tiny):
    with pytest.raises(UnknownName):
        vectors.gallery(tiny, "nope")


def test_eight_threads_search_and_read_without_an_error(tiny, stored):
    def work(number: int) -> str:
        image, place = number % 12, number % 4
        ids, found = vectors.image_coordinates(tiny, MODEL_KEY, [IMAGE_IDS[image]], [PAIRS[place]])
        assert ids == [IMAGE_IDS[image]]
        assert (
            np.abs(found[0, 0] + bundles.spaces().mean[place] - bundles.coordinates()[image, place]).max()
            < 1e-3
        )
        return near(tiny, PAIRS[place], stored[image, place])[0]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(240)))

    assert found == [IMAGE_IDS[number % 12] for number in range(240)]
