"""A leaderboard small enough to check by hand: four models, the controls of one, metrics with known ranks.

alpha and beta have everything; gamma has too few images for intervals; delta's results were imported. alpha
has a random-weights control and rotated heads. By consistency beta stands first, by shared labels alpha does.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from db.store import BundleWriter, ImageTokens, ImageVectors
from db.vectors import HeadSpace
from precompute.method.metric_info import LABELING_METRICS, METRICS
from tests.support import bundles
from tests.support.bundles import MODEL_KEY, PAIRS

ALPHA, BETA, GAMMA, DELTA = "alpha-one-01", "beta-two-02", "gamma-three-03", "delta-four-04"
CONTROL = "alpha-one-random-05"
NAMES = {ALPHA: "alpha/one", BETA: "beta/two", GAMMA: "gamma/three", DELTA: "delta/four"}
FACTS = {
    ALPHA: {"parameters": 150_000_000, "patch_size": 16, "layers": 3, "training_data": "data A"},
    BETA: {"parameters": 430_000_000, "patch_size": 14, "layers": 3, "training_data": "data B"},
    GAMMA: {"parameters": 150_000_000, "patch_size": 32, "layers": 3, "training_data": None},
    DELTA: {"parameters": None, "patch_size": None, "layers": None, "training_data": None},
}
IMAGES = {ALPHA: 700, BETA: 700, GAMMA: 12, CONTROL: 700}

CONSISTENT, SHARED, PLAIN = "text_consistency_crossfit", "entanglement_smallest", "entanglement"
CIRCULAR, COUNTED, JUDGED, STABLE = "text_consistency", "ccs_high", "gwet_ac1", "mean_stability"
MLPS = "coverage_mlps"

Row = tuple[str, str, float | None, float | None, float | None, float | None, int | None, int | None]
"""Model, metric, value, low, high, chance, better and worse end of the rank."""

BOARD: list[Row] = [
    (ALPHA, CONSISTENT, 0.63, 0.58, 0.67, 0.4, 1, 2),
    (BETA, CONSISTENT, 0.7, 0.66, 0.74, 0.41, 1, 2),
    (GAMMA, CONSISTENT, 0.5, None, None, 0.4, None, None),
    (CONTROL, CONSISTENT, 0.2, 0.15, 0.25, 0.2, None, None),
    (ALPHA, SHARED, 0.8, 0.75, 0.85, 0.9, 1, 1),
    (BETA, SHARED, 0.9, 0.87, 0.93, 0.9, 2, 2),
    (GAMMA, SHARED, 0.95, None, None, 0.9, None, None),
    (DELTA, SHARED, 0.85, None, None, None, None, None),
    (CONTROL, SHARED, 1.0, 0.98, 1.0, 0.9, None, None),
    (ALPHA, PLAIN, 0.8, 0.75, 0.85, 0.9, None, None),
    (BETA, PLAIN, 0.9, 0.87, 0.93, 0.9, None, None),
    (ALPHA, CIRCULAR, 0.7, 0.6, 0.8, 0.5, None, None),
    (DELTA, CIRCULAR, None, None, None, None, None, None),
    (ALPHA, COUNTED, 12.0, 9.0, 15.0, 3.0, None, None),
    (ALPHA, MLPS, 0.3, None, None, None, None, None),
    (BETA, MLPS, -0.1, None, None, None, None, None),
]
ROTATED = [(CONSISTENT, 0.4, 0.35, 0.45), (SHARED, 0.9, 0.8, 1.0)]
"""Of alpha's heads."""

CHOSEN: list[Row] = [
    (BETA, SHARED, 0.6, None, None, None, None, None),
    (BETA, JUDGED, 0.75, None, None, None, None, None),
]
"""What beta has by its chosen labels."""

SHARES = [0.1, 0.05, 0.3, -0.02]
"""Of the heads of every model, in the order of PAIRS."""


def write_board(out: Path, *, chosen: bool = True, intervals: bool = True) -> Path:
    """The board in a bundle; without `intervals` as if it had been built without replicates."""
    board = rows(chosen=chosen)
    if not intervals:
        board[["low", "high", "rank_low", "rank_high"]] = None
    return write(out, facts(), board, rotated())


def rows(*, chosen: bool = True) -> pd.DataFrame:
    """The table model_metric."""
    numbers = [(*row, "offline") for row in BOARD] + [(*row, "chosen") for row in CHOSEN if chosen]
    names = ["model_key", "metric", "value", "low", "high", "chance", "rank_low", "rank_high", "labels"]
    return pd.DataFrame(numbers, columns=names).assign(heads_used="all")


def rotated() -> pd.DataFrame:
    frame = pd.DataFrame(ROTATED, columns=["metric", "value", "low", "high"])
    return frame.assign(model_key=ALPHA, heads_used="all")


def facts() -> pd.DataFrame:
    """The table model."""
    rows = [fact(key, name, IMAGES.get(key, 12)) | FACTS[key] for key, name in NAMES.items()]
    rows[-1]["has_vectors"] = False
    twin = fact(CONTROL, "alpha/one-random-0", IMAGES[CONTROL]) | FACTS[ALPHA] | {"training_data": None}
    return pd.DataFrame([*rows, twin | {"is_control": True, "control_of": NAMES[ALPHA]}])


@cache
def tiny() -> dict[str, pd.DataFrame]:
    """The tables of the tiny bundle, not to be changed; to make them takes a while."""
    return bundles.tables()


def fact(key: str, name: str, images: int) -> dict:
    """A row of the table model: that of the tiny bundle under another name."""
    one = tiny()["model"].iloc[0].to_dict()
    architecture, weights = name.split("/")
    own = {"model_key": key, "model": name, "architecture": architecture, "weights": weights}
    return one | own | {"images": images}


def write(out: Path, models: pd.DataFrame, board: pd.DataFrame, turned: pd.DataFrame) -> Path:
    """A bundle of these models, each with the heads, images and vectors of the tiny one."""
    tables = dict(tiny())
    for name in ("class_text", "head_validation", "validation_score", "replicate_metric", "head_match"):
        tables.pop(name)
    for name, rows in list(tables.items()):
        if "model_key" in rows and name != "model":
            own, of_all = rows[rows["model_key"] == MODEL_KEY], rows[rows["model_key"] == ""]
            tables[name] = pd.concat([*(own.assign(model_key=key) for key in models["model_key"]), of_all])
    tables["component_share"] = pd.concat(
        [shares(key) for key in models.loc[models["has_vectors"], "model_key"]]
    )
    metrics = pd.DataFrame([info.row() for info in (*METRICS, *LABELING_METRICS)])
    tables |= {"metric": metrics.assign(position=range(len(metrics))), "published": published()}
    tables |= {"model": models, "model_metric": board, "rotated_metric": turned}
    tables |= images(int(models.loc[models["has_vectors"], "images"].max()))
    with BundleWriter(out, input_id="board") as writer:
        for name, rows in tables.items():
            writer.write(name, rows)
        for row in models[models["has_vectors"]].itertuples():
            write_vectors(writer, row.model_key, row.images)
        return writer.finish({"software": {"headlight": "test"}, "method_versions": {"textspan": 1}})


def write_vectors(writer: BundleWriter, key: str, images: int) -> None:
    """The vectors of the tiny bundle's first model under another key, over and over for many images."""
    writer.write_heads(key, HeadSpace(*bundles.spaces()))
    [tiny] = bundles.image_batches(MODEL_KEY, bundles.IMAGES)
    again = np.arange(images) % bundles.IMAGES
    ids = image_ids(images)
    writer.write_images(key, [ImageVectors(ids, tiny.embedding[again], tiny.coordinates[again])])
    writer.write_texts(key, bundles.TEXT_IDS, bundles.text_embeddings())
    y, rest = bundles.tokens(), bundles.rests()
    places = [bundles.IMAGE_IDS.index(image_id) for image_id in bundles.GALLERY]
    gallery = (ImageTokens(bundles.IMAGE_IDS[i], y[i], rest[i]) for i in places)
    writer.write_tokens(key, bundles.TOKENS, gallery)


def image_ids(images: int) -> list[str]:
    """Sorted ids; the first twelve images are those of the tiny bundle."""
    return sorted(bundles.short_hash(f"image {number}".encode()) for number in range(images))


def images(count: int) -> dict[str, pd.DataFrame]:
    """The images of the tiny bundle and enough others, each with one file."""
    more = sorted(set(image_ids(count)) - set(bundles.IMAGE_IDS))
    image, files = tiny()["image"], tiny()["image_file"]
    others = image.iloc[[0] * len(more)].assign(image_id=more)
    paths = pd.DataFrame({"image_id": more, "path": [f"more/{name}.png" for name in more]})
    counts = tiny()["image_set"].assign(images=count, files=count + 2, flat=3)
    return {"image": pd.concat([image, others]), "image_file": pd.concat([files, paths]), "image_set": counts}


def shares(key: str) -> pd.DataFrame:
    """The table component_share of one model: they sum to 1, one head works against the rest."""
    rows = [("input", "input", None, None, 0.07), ("attention L0", "attention", 0, None, 0.05)]
    rows += [("mlp L0", "mlp", 0, None, 0.05)]
    rows += [
        (f"head L{layer}.H{head}", "head", layer, head, share)
        for (layer, head), share in zip(PAIRS, SHARES, strict=True)
    ]
    rows += [("mlp L1", "mlp", 1, None, 0.1), ("mlp L2", "mlp", 2, None, 0.3)]
    frame = pd.DataFrame(rows, columns=["component", "kind", "layer", "head", "share"])
    return frame.assign(model_key=key)


def published() -> pd.DataFrame:
    rows = [
        ("alpha/one", "entanglement", 0.437, "A paper", "secondary", False, "Truncated."),
        ("alpha/one", "CCS high", 8, "Another paper", "primary", True, None),
    ]
    columns = ["model", "metric", "value", "source", "read_from", "definition_known", "note"]
    return pd.DataFrame(rows, columns=columns)


def write_large(out: Path, models: int = 10) -> Path:
    """As many models as a board may have, each with both controls, every metric on record."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(models):
        name = f"ViT-{'BLH'[number % 3]}-{(14, 16, 32)[number % 3]}/laion2b_s{number}4b_b88k"
        one = fact(f"model-{number:02d}", name, 700)
        size = {
            "parameters": (150_000_000, 430_000_000, 990_000_000)[number % 3],
            "patch_size": (14, 16, 32)[number % 3],
        }
        rows += [one | size | {"training_data": f"data {'AB'[number % 2]}"}]
        twin = fact(f"twin-{number:02d}", f"{name}-random-0", 700) | size
        rows += [twin | {"is_control": True, "control_of": name}]
    named = [row.metric for row in METRICS if row.level == "model"]
    board = pd.DataFrame(
        [
            (row["model_key"], metric, used)
            for row in rows
            for metric in named
            for used in ("all", "supported")
        ],
        columns=["model_key", "metric", "heads_used"],
    )
    value = rng.uniform(0.1, 0.9, len(board))
    board = board.assign(labels="offline", value=value, low=value - 0.05, high=value + 0.05, chance=0.4)
    trained = board["model_key"].str.startswith("model")
    board = board.assign(rank_low=trained.map({True: 1}), rank_high=trained.map({True: models}))
    turned = board.loc[trained, ["model_key", "metric", "heads_used", "value", "low", "high"]]
    return write(out, pd.DataFrame(rows), board, turned)
