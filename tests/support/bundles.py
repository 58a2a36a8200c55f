"""A tiny bundle written by hand through our own writer; every number in it is known.

Two models of the same shape (one a control of the other), 2 layers x 2 heads, rank 8 (4 in use),
d_out 12, a grid of 2 x 2 patches, 12 images, 10 texts, 5 class texts. Directions are axes of d_out, so
that neighbors, maps and labels can be read off: head number h = 2 * layer + head writes to axes h,
h + 1, h + 2, h + 3. The contributions of each image sum to its embedding.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from db.store import BundleWriter, ImageTokens, ImageVectors
from db.vectors import HeadSpace
from tests.support import known_heads, known_scores
from tests.support.known_scores import CLASS_TEXTS

MODEL_KEY = "tiny-known-00000001"
CONTROL_KEY = "tiny-random-00000002"
MODELS = {MODEL_KEY: "tiny/known", CONTROL_KEY: "tiny/random"}
LAYERS, HEADS, RANK, USED, D_OUT = 2, 2, 8, 4, 12
GRID = (2, 2)
TOKENS = 1 + GRID[0] * GRID[1]
IMAGES = 12
FIRST_LAYER = 1
PAIRS = [(FIRST_LAYER + layer, head) for layer in range(LAYERS) for head in range(HEADS)]
COLORS = ("red", "green", "blue")
SHAPES = ("circle", "square")
TEXTS = {
    "a photo of something red": "color",
    "a green thing": "color",
    "blue all over": "color",
    "a circle": "shape",
    "a square": "shape",
    "a picture of a circle": "shape",
    "one object": "count",
    "two objects": "count",
    "a striped pattern": "pattern",
    "a dotted pattern": "pattern",
}
LABELS = {PAIRS[0]: "color", PAIRS[1]: "color", PAIRS[2]: "shape", PAIRS[3]: "count"}
"""The chosen label of each head; that of the last head is unsupported."""


def short_hash(data: bytes) -> str:
    """How images and texts are named: 16 hex digits of their SHA-256."""
    return hashlib.sha256(data).hexdigest()[:16]


IMAGE_IDS = sorted(short_hash(f"image {number}".encode()) for number in range(IMAGES))
TEXT_IDS = [short_hash(text.encode()) for text in TEXTS]
GALLERY = IMAGE_IDS[::3]


def spaces(model_key: str = MODEL_KEY) -> HeadSpace:
    """Bases of axes; mean 0.01 times the place of the head; scale from the coordinates."""
    n = len(PAIRS)
    basis = np.zeros((n, RANK, D_OUT), np.float32)
    for place in range(n):
        basis[place, np.arange(USED), place + np.arange(USED)] = 1
    y = coordinates(model_key)
    mean = y.mean(axis=0)
    scale = np.sqrt(((y - mean) ** 2).mean(axis=(0, 2)))
    layer, head = np.array(PAIRS).T
    covariance = np.einsum("ina,inb->nab", y - mean, y - mean) / IMAGES
    length = np.linalg.norm(y - mean, axis=2).mean(axis=0)
    parts = (part.astype(np.float32) for part in (mean, scale, covariance, length))
    return HeadSpace(layer, head, basis, *parts)


def coordinates(model_key: str = MODEL_KEY) -> np.ndarray:
    """y of every image, [image, n, rank] float64; the same on every machine."""
    return tokens(model_key).sum(axis=2)


def tokens(model_key: str = MODEL_KEY) -> np.ndarray:
    """Token coordinates of every image, [image, n, token, rank] float64, near the 0.05 of a real model."""
    image, place, token, axis = np.ogrid[:IMAGES, : len(PAIRS), :TOKENS, :USED]
    seed = sorted(MODELS).index(model_key)
    wave = np.sin(1.7 * image * (axis + 1) + 0.9 * token * (place + 1) + 0.5 * axis + 2.0 * seed + place)
    filled = np.zeros((IMAGES, len(PAIRS), TOKENS, RANK))
    filled[..., :USED] = 0.02 * wave
    return filled


def embeddings(model_key: str = MODEL_KEY) -> np.ndarray:
    """Unit-length embeddings, [image, d_out] float64."""
    image, axis = np.ogrid[:IMAGES, :D_OUT]
    raw = np.cos(0.6 * image * (axis + 1) + 0.3 * axis + sorted(MODELS).index(model_key)) + 0.2
    return raw / np.linalg.norm(raw, axis=1, keepdims=True)


def rests(model_key: str = MODEL_KEY) -> np.ndarray:
    """What the stored heads leave of each embedding, [image, d_out] float64."""
    return embeddings(model_key) - np.einsum("inr,nrd->id", coordinates(model_key), _basis64())


def text_embeddings() -> np.ndarray:
    """Unit-length embeddings, [text, d_out] float64: text number t leans to axis t."""
    raw = np.full((len(TEXTS), D_OUT), 0.1)
    raw[np.arange(len(TEXTS)), np.arange(len(TEXTS))] = 1
    return raw / np.linalg.norm(raw, axis=1, keepdims=True)


def class_embeddings(model_key: str = MODEL_KEY) -> np.ndarray:
    """Unit-length embeddings of the class texts, [value, d_out] float64: means of the images of a value."""
    unit, mine = embeddings(model_key), _image_tables()["image_attribute"]
    named = [set(mine.loc[mine["value"] == value, "image_id"]) for _, value in CLASS_TEXTS]
    mean = np.stack([unit[[i in ids for i in IMAGE_IDS]].mean(axis=0) for ids in named])
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def write_bundle(
    out: Path | str, *, batch: int = 5, replace: bool = False, input_id: str = "tiny", scale: float = 1.0
) -> Path:
    """Write the tiny bundle to `out`; `scale` changes one number, the importance of the first head."""
    with BundleWriter(out, input_id=input_id, replace=replace) as writer:
        write_tables(writer, scale)
        for model_key in MODELS:
            write_vectors(writer, model_key, batch)
        return writer.finish({"software": {"headlight": "test"}, "method_versions": {"textspan": 1}})


def write_vectors(
    writer: BundleWriter,
    model_key: str,
    batch: int = 5,
    *,
    classes: bool = True,
    text_ids: Sequence[str] = TEXT_IDS,
) -> None:
    """All five Lance tables of one model."""
    writer.write_heads(model_key, spaces(model_key))
    if classes:
        write_classes(writer, model_key)
    writer.write_images(model_key, image_batches(model_key, batch))
    writer.write_texts(model_key, text_ids, text_embeddings())
    y, rest = tokens(model_key), rests(model_key)
    places = [IMAGE_IDS.index(image_id) for image_id in GALLERY]
    writer.write_tokens(model_key, TOKENS, (ImageTokens(IMAGE_IDS[i], y[i], rest[i]) for i in places))


def write_classes(writer: BundleWriter, model_key: str) -> None:
    """The class texts of one model; its spaces were written before."""
    writer.write_classes(model_key, *zip(*CLASS_TEXTS, strict=True), class_embeddings(model_key))


def image_batches(model_key: str, batch: int) -> Iterator[ImageVectors]:
    """Images in batches, as the pipeline gives them: [image, layer, head, rank]."""
    y = coordinates(model_key).reshape(IMAGES, LAYERS, HEADS, RANK)
    unit = embeddings(model_key)
    for start in range(0, IMAGES, batch):
        part = slice(start, start + batch)
        yield ImageVectors(IMAGE_IDS[part], unit[part], y[part])


def write_tables(writer: BundleWriter, scale: float = 1.0) -> None:
    """Every DuckDB table."""
    for table, rows in tables(scale).items():
        writer.write(table, rows)


def tables(scale: float = 1.0) -> dict[str, pd.DataFrame]:
    """Rows of every table, by name."""
    heads = [_head_tables(key, scale) for key in MODELS]
    return {
        **_image_tables(),
        **_text_tables(),
        "model": pd.concat([_model(key) for key in MODELS], ignore_index=True),
        "metric": known_scores.metric(),
        "class_text": known_scores.class_text(),
        "rotated_metric": known_scores.rotated_metric(MODEL_KEY),
        "head_match": known_heads.matches(MODEL_KEY, CONTROL_KEY, PAIRS),
        **{name: pd.concat([part[name] for part in heads], ignore_index=True) for name in heads[0]},
        "published": pd.DataFrame(
            {
                "model": ["tiny/known"],
                "metric": ["entanglement"],
                "value": [0.5],
                "source": ["A paper, table 1"],
                "read_from": ["secondary"],
                "definition_known": [False],
                "note": [None],
            }
        ),
        "run": _runs(),
    }


def picture(number: int) -> bytes:
    """A JPEG of one plain color."""
    color = [(220, 40, 40), (40, 180, 60), (50, 70, 220)][number % 3]
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), color).save(buffer, "JPEG")
    return buffer.getvalue()


def _basis64() -> np.ndarray:
    basis = np.zeros((len(PAIRS), RANK, D_OUT))
    for place in range(len(PAIRS)):
        basis[place, np.arange(USED), place + np.arange(USED)] = 1
    return basis


def _image_tables() -> dict[str, pd.DataFrame]:
    numbers = range(IMAGES)
    paths = [f"scenes/{number:02d}.png" for number in numbers]
    attributes = [(i, "color", COLORS[n % 3]) for n, i in enumerate(IMAGE_IDS)]
    attributes += [(i, "shape", SHAPES[n % 2]) for n, i in enumerate(IMAGE_IDS)]
    return {
        "image_set": pd.DataFrame(
            {
                "name": ["scenes"],
                "images": [IMAGES],
                "files": [IMAGES + 2],
                "failed": [1],
                "license": ["CC0-1.0"],
                "min_images_for_intervals": [640],
            }
        ),
        "image": pd.DataFrame(
            {"image_id": IMAGE_IDS, "width": 64, "height": 48, "thumbnail": [picture(n) for n in numbers]}
        ),
        # The first image stands under two paths.
        "image_file": pd.DataFrame(
            {"image_id": [*IMAGE_IDS, IMAGE_IDS[0]], "path": [*paths, "scenes/copy of 00.png"]}
        ),
        "image_attribute": pd.DataFrame(attributes, columns=["image_id", "attribute", "value"]),
        "failed_image": pd.DataFrame(
            {"path": ["scenes/broken.png"], "reason": ["cannot identify image file"]}
        ),
    }


def _text_tables() -> dict[str, pd.DataFrame]:
    properties = pd.Series(list(TEXTS.values()))
    counts = properties.value_counts()
    return {
        "text_pool": pd.DataFrame(
            {
                "name": ["tiny"],
                "language": ["en"],
                "license": ["CC0-1.0"],
                "texts": [len(TEXTS)],
                "dropped_duplicates": [1],
                "dropped_empty": [2],
                "dropped_comments": [0],
                "tagged_by_rule": [0],
            }
        ),
        "text": pd.DataFrame({"text_id": TEXT_IDS, "position": range(len(TEXTS)), "text": list(TEXTS)}),
        "text_property": pd.DataFrame({"text_id": TEXT_IDS, "property": properties}),
        "property": pd.DataFrame({"property": counts.index, "texts": counts.to_numpy()}),
    }


def _model(model_key: str) -> pd.DataFrame:
    architecture, weights = MODELS[model_key].split("/")
    facts = {
        "model_key": model_key,
        "model": MODELS[model_key],
        "architecture": architecture,
        "weights": weights,
        "weights_sha256": hashlib.sha256(model_key.encode()).hexdigest(),
        "layers": FIRST_LAYER + LAYERS,
        "first_layer": FIRST_LAYER,
        "heads": HEADS,
        "d_head": 1,
        "d_model": 16,
        "d_out": D_OUT,
        "rank": RANK,
        "image_size": 32,
        "patch_size": 16,
        "grid_rows": GRID[0],
        "grid_columns": GRID[1],
        "parameters": 12345,
        "activation": "gelu",
        "training_data": None,
        "context_length": 16,
        "mean": [0.5, 0.5, 0.5],
        "std": [0.25, 0.25, 0.25],
        "interpolation": "bicubic",
        "resize_mode": "shortest",
        "label_rule": "variance share 4",
        "has_vectors": True,
        "is_control": model_key == CONTROL_KEY,
        "control_of": MODELS[MODEL_KEY] if model_key == CONTROL_KEY else None,
        "images": IMAGES,
        "gallery_images": len(GALLERY),
        "max_sum_error": 2.5e-7,
        "precision": "float32",
    }
    return pd.DataFrame([facts])


def _head_tables(model_key: str, scale: float) -> dict[str, pd.DataFrame]:
    strength = 1.0 if model_key == MODEL_KEY else 0.1
    heads, head_texts, labels, judged, head_metric, property_head = [], [], [], [], [], []
    selective, answers, head_replicates = [], [], []
    for place, (layer, head) in enumerate(PAIRS):
        key = {"model_key": model_key, "layer": layer, "head": head}
        label, is_control = LABELS[layer, head], model_key != MODEL_KEY
        heads.append({**key, "rank": USED, "importance": (0.4 - 0.1 * place) * (scale if place == 0 else 1)})
        shares = [0.5, 0.25, 0.125]
        for position, share in enumerate(shares):
            text_id = TEXT_IDS[(place + position) % len(TEXTS)]
            numbers = {
                "variance_share": share,
                "cumulative_share": sum(shares[: position + 1]),
                "margin": 0.1,
                "equal_norm_position": known_heads.EQUAL_NORM[position],
                "stability": known_heads.STABILITY[position],
            }
            head_texts.append({**key, "position": position, "text_id": text_id, **numbers})
            judge = {"label": label, "position": position, "judge": "tag_match", "draw": 0}
            judged.append(
                {**key, **judge, "consistent": TEXTS[list(TEXTS)[(place + position) % 10]] == label}
            )
        labels += known_heads.labels(key, label, place, offline=is_control)
        if place == known_heads.ASKED and not is_control:
            judged += known_heads.judgements(key, label)
            answers += known_heads.answers(key)
        selective += known_heads.selectivity(key, place, IMAGES, strength)
        head_metric.append({**key, "metric": "ccs", "value": 5.0 - place, "low": 4.0 - place, "high": 5.0})
        head_replicates += known_heads.head_replicates(key, 5.0 - place)
        head_metric.append({**key, "metric": "stability", "value": None, "low": None, "high": None})
        head_metric.append({**key, "metric": "ccs_rotated", "value": -1.5, "low": None, "high": None})
        property_head.append({"model_key": model_key, "property": label, "layer": layer, "head": head})
    return {
        "head": pd.DataFrame(heads),
        "head_text": pd.DataFrame(head_texts),
        "head_label": pd.DataFrame(labels),
        "judgement": pd.DataFrame(judged),
        "head_metric": pd.DataFrame(head_metric),
        "property_head": pd.DataFrame(property_head),
        "head_selectivity": pd.DataFrame(selective),
        "language_model_answer": pd.DataFrame(answers),
        "replicate_metric": known_heads.replicates(model_key, strength / 2),
        "replicate_head_metric": pd.DataFrame(head_replicates),
        "model_metric": _model_metrics(model_key),
        "head_validation": known_scores.head_validation(model_key, PAIRS, IMAGES, strength),
        "validation_score": known_scores.validation_score(model_key, PAIRS, IMAGES, strength),
        "component_share": _component_shares(model_key),
    }


def _model_metrics(model_key: str) -> pd.DataFrame:
    value = 0.5 if model_key == MODEL_KEY else 0.25
    rows = [
        ("entanglement", "all", value, 0.4, 0.6, 0.2),
        ("entanglement", "supported", value / 2, None, None, None),
    ]
    rows += [
        ("uniqueness", "all", 1 - value, 0.4, 0.6, 0.8),
        ("text_consistency", "all", None, None, None, None),
    ]
    frame = pd.DataFrame(rows, columns=["metric", "heads_used", "value", "low", "high", "chance"])
    frame = frame.assign(model_key=model_key, labels="offline", rank_low=None, rank_high=None)
    if model_key != MODEL_KEY:
        return frame
    chosen = frame.head(1).assign(labels="chosen", value=0.75)
    return pd.concat([frame.assign(rank_low=1, rank_high=1), chosen], ignore_index=True)


def _component_shares(model_key: str) -> pd.DataFrame:
    rows: list[tuple[str, int | None, int | None, float]] = [("input", None, None, 0.04)]
    rows += [("attention L0", 0, None, 0.03), ("mlp L0", 0, None, 0.03)]
    rows += [(f"head L{layer}.H{head}", layer, head, 0.15) for layer, head in PAIRS]
    rows += [(f"mlp L{FIRST_LAYER + layer}", FIRST_LAYER + layer, None, 0.15) for layer in range(LAYERS)]
    frame = pd.DataFrame(rows, columns=["component", "layer", "head", "share"])
    return frame.assign(kind=frame["component"].str.split().str[0], model_key=model_key)


def _runs() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model_key": [*MODELS, ""],
            "stage": ["decomposition", "decomposition", "images"],
            "method_version": "{}",
            "options": "{}",
            "software": "{}",
            "started_at": pd.to_datetime(["2024-05-01 10:01", "2024-05-01 10:02", "2024-05-01 10:00"]),
            "seconds": [1.5, 1.5, 0.5],
        }
    )
