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

Score = tuple[str, str, str, str, str, int, float | None, float | None, float | None, float | None, int]
"""Study, measure, subject, attribute, effect, k, value, low, high, chance, count."""


def class_text() -> pd.DataFrame:
    """The table class_text."""
    rows = pd.DataFrame(list(CLASS_TEXTS), columns=["attribute", "value"]).assign(text=CLASS_TEXTS.values())
    return rows.assign(position=rows.groupby("attribute").cumcount())


def head_truth(model_key: str, pairs: list[tuple[int, int]], images: int, share: float) -> pd.DataFrame:
    """The table head_truth of one model, effects times `share`; the direct effect is half the forward one."""
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


def truth_score(model_key: str, pairs: list[tuple[int, int]], images: int, share: float) -> pd.DataFrame:
    """The table truth_score of one model; what exceeds chance times `share`."""
    names = [f"L{layer}.H{head}" for layer, head in pairs]
    scores = [*_labels(), *_maps(names), *_neighbors(names, images), *_ablation(images)]
    columns = ["study", "measure", "subject", "attribute", "effect", "k"]
    columns += ["value", "low", "high", "chance", "count"]
    rows = pd.DataFrame(scores, columns=columns)
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
    """Two heads are for each attribute. Labels dealt out anew: two of four say color, one says shape."""
    right = {"variance_share 10": (1.0, 0.5), "enrichment 5": (0.5, 0.5), "enrichment 10": (0.5, 1.0)}
    right |= {"enrichment 20": (0.0, 0.5), "commonest": (1.0, 0.0)}
    rows: list[Score] = []
    for subject, (color, shape) in right.items():
        chance = (1.0, 0.0) if subject == "commonest" else (0.5, 0.25)
        for attribute, value, by_chance in (("color", color, chance[0]), ("shape", shape, chance[1])):
            rows.append(("labels", "right", subject, attribute, "", 0, value, None, None, by_chance, 2))
        together = ((color + shape) / 2, None, None, sum(chance) / 2)
        rows.append(("labels", "right", subject, "", "", 0, *together, 4))
        rows.append(("labels", "right_strong", subject, "", "", 0, *together, 3))
        rows.append(("labels", "heads_strong", subject, "", "", 0, 3.0, None, None, None, 4))
    return rows


def _maps(names: list[str]) -> list[Score]:
    contrast = {"all heads": 0.2, "stored layers": 0.15, "property color": 0.1, f"best head {names[0]}": 0.25}
    contrast |= {"raw attention": 0.0, "rollout": 0.0, "uniform": 0.0}
    rows: list[Score] = []
    for subject, value in contrast.items():
        room = 0.05 if value else 0.0
        for measure, score in (("contrast", value), ("caption", value / 2)):
            rows.append(("maps", measure, subject, "", "", 0, score, score - room, score + room, 0.0, 20))
    return rows


def _neighbors(names: list[str], images: int) -> list[Score]:
    """Precision at 2 by color, and by shape; the last head is as good as chance."""
    precision = {"embedding cosine": (0.6, 0.7)}
    for name, pair in zip(names, [(0.9, 0.5), (0.8, 0.5), (0.4, 0.8), (1 / 3, 0.5)], strict=True):
        precision |= {f"{name} cosine": pair, f"{name} dot": (pair[0] / 2 + 1 / 6, pair[1] / 2 + 0.25)}
    precision |= {"property color cosine": (1.0, 0.5), "property color dot": (0.9, 0.5)}
    return [
        ("neighbors", "precision", subject, attribute, "", 2, value, None, None, CHANCE[attribute], images)
        for subject, values in precision.items()
        for attribute, value in zip(CHANCE, values, strict=True)
    ]


def _ablation(images: int) -> list[Score]:
    """Zero-shot accuracy in color and in shape; sets of random heads have a range."""
    left = {
        ("nothing", "", 0): (0.9, 0.8),
        ("early heads", "forward", 0): (0.6, 0.7),
        ("early heads", "direct", 0): (0.8, 0.75),
        ("MLPs", "forward", 0): (0.4, 0.5),
        ("MLPs", "direct", 0): (0.5, 0.6),
        ("texts", "forward", 1): (0.5, 0.6),
        ("texts", "direct", 1): (0.6, 0.7),
        ("texts", "forward", 5): (0.8, 0.75),
        ("texts", "direct", 5): (0.85, 0.75),
        ("property color", "forward", 0): (0.4, 0.75),
        ("property color", "direct", 0): (0.6, 0.75),
        ("random like color", "forward", 0): (0.8, 0.7),
        ("random like color", "direct", 0): (0.85, 0.75),
    }
    rows: list[Score] = []
    for (subject, effect, k), values in left.items():
        together = {"": (sum(values) / 2, sum(CHANCE.values()) / 2, 2 * images)}
        each = {name: (value, CHANCE[name], images) for name, value in zip(CHANCE, values, strict=True)}
        for attribute, (value, chance, count) in (together | each).items():
            ends = (value - 0.05, value + 0.05) if subject.startswith("random") else (None, None)
            rows.append(("ablation", "accuracy", subject, attribute, effect, k, value, *ends, chance, count))
    return rows
