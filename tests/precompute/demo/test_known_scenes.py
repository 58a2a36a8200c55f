"""Validation of the whole pipeline: maps, neighbors and scores agree with the known scenes."""

import numpy as np
import pytest
import torch

from dashboard.analyses import maps, neighbors
from db import vectors
from db.connection import Bundle, open_bundle, query
from precompute import clip, demo
from precompute.demo.world import scenes, words
from precompute.demo.world.artwork import NATURAL
from precompute.inputs import model_specs
from precompute.pipeline import run as pipeline_run
from precompute.runtime.config import ModelChoice
from tests.conftest import small_config
from tests.support.paths import TEXTS

pytestmark = pytest.mark.slow

SEED, SCENES = 11, 240
POOL = TEXTS / "demo.tsv"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Bundle:
    """The trained demo model over 240 scenes that were not in its training."""
    from precompute.demo.__main__ import main

    folder = tmp_path_factory.mktemp("truth")
    main(["scenes", "--out", str(folder / "scenes"), "--count", str(SCENES), "--seed", str(SEED)])
    config = small_config(
        folder / "scenes",
        POOL,
        folder / "bundle",
        models=(ModelChoice(demo.MODEL_NAME),),
        layers=4,
        gallery_images=120,
        shard_size=512,
    )
    return open_bundle(pipeline_run.run(config))


def scene_of(bundle: Bundle) -> dict[str, int]:
    """Returns the number of the scene of each image."""
    files = query(bundle, "select image_id, path from image_file")
    return {row.image_id: int(row.path[6:11]) for row in files.itertuples()}


def inside(mask: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Returns the share of each patch that the mask covers."""
    pixels = torch.from_numpy(mask).float()[None, None]
    return torch.nn.functional.interpolate(pixels, size=grid, mode="area")[0, 0].numpy()


def test_a_map_is_higher_on_the_objects_that_its_text_names(bundle):
    """On scenes of two kinds, the map A - B is higher on the objects of A than on those of B."""
    key = bundle.model_keys[0]
    info = query(bundle, "select grid_rows, grid_columns from model").iloc[0]
    grid = (int(info.grid_rows), int(info.grid_columns))
    space = vectors.head_spaces(bundle, key)
    model = clip.load(model_specs.resolve(demo.MODEL_NAME, clip.catalog()))
    number = scene_of(bundle)
    everything = np.ones(len(space.layer), bool)

    margins = []
    for image_id in vectors.gallery(bundle, key):
        scene = scenes.draw(number[image_id], SEED)
        if len(scene.content.kinds) < 2:
            continue
        texts = clip.encode_text(model, [words.kind_caption(kind) for kind in scene.content.kinds]).numpy()
        tokens = vectors.tokens(bundle, key, image_id)
        of_a, of_b = (
            maps.text_map(tokens.coordinates, space.basis, tokens.rest, text, everything, grid)
            for text in texts
        )
        difference = maps.contrast(of_a, of_b).grid
        on_a, on_b = (inside(mask, grid) for mask in scene.mask)
        margins.append((difference * on_a).sum() / on_a.sum() - (difference * on_b).sum() / on_b.sum())

    assert len(margins) >= 40
    assert np.mean(np.array(margins) > 0) >= 0.8


def test_neighbors_through_the_color_selective_heads_share_the_color(bundle):
    key = bundle.model_keys[0]
    number = scene_of(bundle)
    space = vectors.head_spaces(bundle, key)
    heads = list(zip(space.layer.tolist(), space.head.tolist(), strict=True))
    ids, coordinates = vectors.image_coordinates(bundle, key, None, heads)
    contents = [scenes.content_of(number[image_id], SEED) for image_id in ids]
    color = np.array([content.kinds[0].color for content in contents])
    is_tinted = np.array([len(content.kinds) == 1 for content in contents]) & (color != NATURAL)
    color = color[is_tinted]
    color_heads = [
        head for head in range(len(heads)) if explained(coordinates[is_tinted, head], color) >= 0.5
    ]

    rows = [coordinates[is_tinted, head] for head in color_heads]
    basis, mean = space.basis[color_heads], space.mean[color_heads]
    norms = neighbors.mixture_norms(rows, basis)
    shares = []
    for index in range(len(color)):
        image = np.stack([row[index] for row in rows])
        query = neighbors.image_query(image, basis, mean, metric="cosine")
        nearest = neighbors.top(neighbors.scores(query, rows, norms), 5, leave_out=index)[0]
        shares.append(np.mean(color[nearest] == color[index]))

    assert len(color_heads) >= 3
    assert np.mean(shares) >= 0.8


def explained(coordinates: np.ndarray, value: np.ndarray) -> float:
    """Returns η²: the share of the variance of [image, rank] between the values."""
    centered = coordinates - coordinates.mean(axis=0)
    between = sum(
        (value == level).sum() * np.square(centered[value == level].mean(axis=0)).sum()
        for level in set(value)
    )
    return float(between / np.square(centered).sum())


def test_the_parts_of_a_score_sum_to_the_cosine(bundle):
    key = bundle.model_keys[0]
    space = vectors.head_spaces(bundle, key)
    image_id = vectors.gallery(bundle, key)[0]
    tokens = vectors.tokens(bundle, key, image_id)
    text = vectors.text_embeddings(bundle, key)[1][0]
    shown = np.arange(len(space.layer)) < 3

    parts = maps.text_map(tokens.coordinates, space.basis, tokens.rest, text, shown, (6, 6)).parts

    embedding = vectors.image_embeddings(bundle, key, [image_id])[1][0]
    assert parts.score == pytest.approx(float(embedding @ text), abs=2e-3)
