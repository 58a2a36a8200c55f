"""Rows of what is known in the tiny bundle: how its images can be asked, and how the tool scores on them.

The first two heads are for color, the third for shape, the last for a little of shape. They are labeled
color, color, shape and count, so that the last label is wrong. A control shows a tenth of everything.
"""

import pandas as pd

CLASS_TEXTS = {
    ("color", "red"): "a picture with red objects",
    ("color", "green"): "a picture with green objects",
    ("color", "blue"): "a picture with blue objects",
    ("shape", "circle"): "a picture with circles",
    ("shape", "square"): "a picture with squares",
}
"""By attribute and value, in the order of the attribute, which is not that of the alphabet."""

FORWARD = {"color": (0.08, 0.06, 0.01, 0.002), "shape": (0.0, 0.01, 0.05, 0.004)}
SELECTIVITY = {"color": (0.8, 0.5, 0.1, 0.05), "shape": (0.02, 0.1, 0.4, None)}
CHANCE = {"color": 1 / 3, "shape": 0.5}

Subject = dict[str, str | int]
"""Columns that name a subject."""

Score = tuple[str, str, Subject, str, str, int, float | None, float | None, float | None, float | None, int]
"""Study, measure, subject, attribute, effect, k, value, low, high, chance, count."""

SUBJECT = ["subject_kind", "property", "layer", "head", "method", "comparison"]


def class_text() -> pd.DataFrame:
    """The table class_text."""
    rows = pd.DataFrame(list(CLASS_TEXTS), columns=["attribute", "value"]).assign(text=CLASS_TEXTS.values())
    return rows.assign(position=rows.groupby("attribute").cumcount())


def head_validation(model_key: str, pairs: list[tuple[int, int]], images: int, share: float) -> pd.DataFrame:
    """The table head_validation of one model, effects times `share`; direct is half of forward."""
    rows = []
    for attribute in FORWARD:
        for place, (layer, head) in enumerate(pairs):
            fall, selective = share * FORWARD[attribute][place], SELECTIVITY[attribute][place]
            rows.append(
                {
                    "model_key": model_key,
                    "layer": layer,
                    "head": head,
                    "attribute": attribute,
                    "forward": fall,
                    "direct": fall / 2,
                    "forward_accuracy": 5 * fall,
                    "direct_accuracy": 2.5 * fall,
                    "selectivity": None if selective is None else share * selective,
                    "images": images,
                }
            )
    return pd.DataFrame(rows)


def validation_score(model_key: str, pairs: list[tuple[int, int]], images: int, share: float) -> pd.DataFrame:
    """The table validation_score of one model; what exceeds chance times `share`."""
    heads: list[Subject] = [{"subject_kind": "head", "layer": layer, "head": head} for layer, head in pairs]
    scores = [*_labels(), *_maps(heads), *_neighbors(heads, images), *_mean_ablation(images)]
    columns = ["study", "measure", "subject", "attribute", "effect", "k"]
    columns += ["value", "low", "high", "chance", "count"]
    rows = pd.DataFrame(scores, columns=columns)
    subjects = pd.DataFrame(rows.pop("subject").tolist(), columns=SUBJECT)
    rows = rows.join(subjects)
    chance = rows["chance"].fillna(0)
    for name in ("value", "low", "high"):
        rows[name] -= (1 - share) * (rows[name] - chance)
    return rows.assign(model_key=model_key)


def rotated_metric(model_key: str) -> pd.DataFrame:
    """The table rotated_metric of one model."""
    rows = [
        ("entanglement", "all", 0.2, 0.1, 0.3),
        ("entanglement", "supported", None, None, None),
        ("uniqueness", "all", 0.8, 0.7, 0.9),
    ]
    frame = pd.DataFrame(rows, columns=["metric", "heads_used", "value", "low", "high"])
    return frame.assign(model_key=model_key)


def _labels() -> list[Score]:
    """Two heads are for each attribute. Labels permuted: two of four say color, one says shape."""
    right = {
        ("variance_share", 10): (1.0, 0.5),
        ("enrichment", 5): (0.5, 0.5),
        ("enrichment", 10): (0.5, 1.0),
    }
    right |= {("enrichment", 20): (0.0, 0.5), ("commonest", 0): (1.0, 0.0)}
    rows: list[Score] = []
    for (method, k), (color, shape) in right.items():
        chance = (0.5, 0.25) if k else (1.0, 0.0)
        subject: Subject = {"subject_kind": "label_method" if k else "baseline", "method": method}
        for attribute, value, by_chance in (("color", color, chance[0]), ("shape", shape, chance[1])):
            rows.append(("labels", "right", subject, attribute, "", k, value, None, None, by_chance, 2))
        together = ((color + shape) / 2, None, None, sum(chance) / 2)
        rows.append(("labels", "right", subject, "", "", k, *together, 4))
        rows.append(("labels", "right_strong", subject, "", "", k, *together, 3))
        rows.append(("labels", "heads_strong", subject, "", "", k, 3.0, None, None, None, 4))
    return rows


def _maps(heads: list[Subject]) -> list[Score]:
    contrast: list[tuple[Subject, float]] = [
        ({"subject_kind": "all_heads"}, 0.2),
        ({"subject_kind": "stored_layers"}, 0.15),
        ({"subject_kind": "property", "property": "color"}, 0.1),
        (heads[0] | {"subject_kind": "best_head"}, 0.25),
    ]
    rivals = ("raw_attention", "rollout", "uniform")
    contrast += [({"subject_kind": "rival", "method": name}, 0.0) for name in rivals]
    rows: list[Score] = []
    for subject, value in contrast:
        room = 0.05 if value else 0.0
        for measure, score in (("contrast", value), ("caption", value / 2)):
            rows.append(("maps", measure, subject, "", "", 0, score, score - room, score + room, 0.0, 20))
    return rows


def _neighbors(heads: list[Subject], images: int) -> list[Score]:
    """Precision at 2 by color, and by shape; the last head is as good as chance."""
    cosine, dot = {"comparison": "cosine"}, {"comparison": "dot"}
    precision = [({"subject_kind": "embedding"} | cosine, (0.6, 0.7))]
    for head, pair in zip(heads, [(0.9, 0.5), (0.8, 0.5), (0.4, 0.8), (1 / 3, 0.5)], strict=True):
        precision += [(head | cosine, pair), (head | dot, (pair[0] / 2 + 1 / 6, pair[1] / 2 + 0.25))]
    of_property: Subject = {"subject_kind": "property", "property": "color"}
    precision += [(of_property | cosine, (1.0, 0.5)), (of_property | dot, (0.9, 0.5))]
    return [
        ("neighbors", "precision", subject, attribute, "", 2, value, None, None, CHANCE[attribute], images)
        for subject, values in precision
        for attribute, value in zip(CHANCE, values, strict=True)
    ]


def _mean_ablation(images: int) -> list[Score]:
    """Zero-shot accuracy in color and in shape; sets of random heads have a range."""
    left = {
        ("nothing", "", 0): (0.9, 0.8),
        ("early_heads", "forward", 0): (0.6, 0.7),
        ("early_heads", "direct", 0): (0.8, 0.75),
        ("mlps", "forward", 0): (0.4, 0.5),
        ("mlps", "direct", 0): (0.5, 0.6),
        ("texts", "forward", 1): (0.5, 0.6),
        ("texts", "direct", 1): (0.6, 0.7),
        ("texts", "forward", 5): (0.8, 0.75),
        ("texts", "direct", 5): (0.85, 0.75),
        ("property", "forward", 0): (0.4, 0.75),
        ("property", "direct", 0): (0.6, 0.75),
        ("random_heads", "forward", 0): (0.8, 0.7),
        ("random_heads", "direct", 0): (0.85, 0.75),
    }
    rows: list[Score] = []
    for (kind, effect, k), values in left.items():
        named = kind in ("property", "random_heads")
        subject: Subject = {"subject_kind": kind} | ({"property": "color"} if named else {})
        together = {"": (sum(values) / 2, sum(CHANCE.values()) / 2, 2 * images)}
        each = {name: (value, CHANCE[name], images) for name, value in zip(CHANCE, values, strict=True)}
        for attribute, (value, chance, count) in (together | each).items():
            ends = (value - 0.05, value + 0.05) if kind == "random_heads" else (None, None)
            scores = (value, *ends, chance, count)
            rows.append(("mean_ablation", "accuracy", subject, attribute, effect, k, *scores))
    return rows


def metric() -> pd.DataFrame:
    rows = [
        (
            "entanglement",
            "model",
            "Entanglement",
            "Share of heads whose label another head has.",
            "share",
            "lower",
        ),
        (
            "uniqueness",
            "model",
            "Uniqueness",
            "Share of heads whose label no other head has.",
            "share",
            "higher",
        ),
        ("text_consistency", "model", "Text consistency", "Mean CCS over 5.", "share", "higher"),
        ("ccs", "head", "CCS", "First five texts that fit the label.", "texts", "higher"),
        ("stability", "head", "Stability", "Agreement of labels under resampling.", "share", "higher"),
        ("ccs_rotated", "head", "CCS by chance", "The same for rotated heads.", "texts", "neither"),
    ]
    frame = pd.DataFrame(rows, columns=["metric", "level", "title", "description", "unit", "direction"])
    reason = frame["level"].map({"head": "it is a metric of heads"})
    return frame.assign(position=range(len(rows)), ranked=reason.isna(), unranked_reason=reason)
