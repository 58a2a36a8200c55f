"""The correct results of every stage for the planted model, computed from the plan alone: answers.json."""

from math import comb

import numpy as np

from precompute.demo.planted import expected
from precompute.demo.planted import model as plan
from precompute.demo.planted.pictures import EMPTY, Picture, name, pictures

ABOUT = {(1, 0): "color", (1, 1): "shape", (2, 0): "position", (2, 1): "shape"}
"""Label of the heads whose label is supported; no other head has a supported label."""

NOISE_HEAD = (1, 2)
"""Head that writes words of every property, those of position with slightly larger amounts."""

MAPS = (((1, 0), "red"), ((1, 0), "blue"), ((1, 1), "circles"), ((2, 0), "left"), ((2, 1), "circles"))


def answers() -> dict:
    """Returns all results."""
    first = pictures()[0]
    return {
        "tolerance": {"computed": expected.TOLERANCE, "in a bundle": expected.STORED},
        "length": expected.length(),
        "contributions of the first picture": _contributions(),
        "component_share": component_shares(),
        "heads": {_name(*head): head_answers(*head) for head in expected.DECOMPOSED},
        "model_metric": model_metrics(),
        "neighbors through L1.H0": color_neighbors(),
        "maps of the first picture": {
            f"{_name(*head)}: {plan.phrase(word)}": expected.text_map(first, head, word).round(9).tolist()
            for head, word in MAPS
        },
        "zero-shot margin": {
            attribute: float(expected.margins(attribute).mean()) for attribute in expected.WEIGHTS
        },
        "fall of that margin": {
            _name(*head): {"attribute": attribute, **falls(head, attribute)}
            for head, attribute in ABOUT.items()
        },
        "pictures": {name(index): _attributes(picture) for index, picture in enumerate(pictures())},
    }


def head_answers(layer: int, head: int) -> dict:
    """Returns the role of one head and its correct values in a bundle."""
    role = next((entry.role for entry in plan.PLAN if (entry.layer, entry.head) == (layer, head)), "silent")
    centered = expected.parts()[:, expected.COMPONENTS.index(_name(layer, head))]
    centered = centered - centered.mean(axis=0)
    importance = float(np.sqrt(np.square(centered).sum(axis=-1).mean())) / expected.length()
    values = {"role": role, "importance": round(importance, 12), "supported": (layer, head) in ABOUT}
    if (layer, head) not in ABOUT:
        return values | {"texts": len(plan.NOISE_WORDS) if (layer, head) == NOISE_HEAD else 0}
    label = ABOUT[layer, head]
    shares = variance_shares(label)
    return values | {
        "label": label,
        "share": 1.0,
        "lead": 1.0,
        "texts": len(shares),
        "first_texts": list(shares),
        "variance_shares": list(shares.values()),
        "enrichment_tail": enrichment_tail(label),
        "ccs": len(shares),
        "spanned_variance": 1.0,
    }


def variance_shares(attribute: str) -> dict[str, float]:
    """Returns the share of a head's variance that each text removes, in the order of the picks.

    The share of a value of frequency p is p (1 - p) over the sum of all: words are orthogonal, so the removal
    of one does not change the variance along the others.
    """
    total = sum(expected.WEIGHTS[attribute].values())
    variances = [weight / total * (1 - weight / total) for weight in expected.WEIGHTS[attribute].values()]
    phrases = map(plan.phrase, expected.words_of(attribute))
    shares = zip(phrases, (variance / sum(variances) for variance in variances), strict=True)
    return dict(sorted(shares, key=lambda pair: -pair[1]))


def enrichment_tail(attribute: str) -> float:
    """Returns the hypergeometric tail if there is one pick for each value and all picks have the property."""
    picks, pool = len(expected.WEIGHTS[attribute]), plan.texts()
    return comb(sum(attribute in properties for _, properties in pool), picks) / comb(len(pool), picks)


def component_shares() -> dict[str, float]:
    """Returns tr Cov(c, e) / tr Cov(e) of every component c."""
    centered = expected.parts() - expected.parts().mean(axis=0)
    embedding = centered.sum(axis=1)
    share = np.einsum("icf,if->c", centered, embedding) / np.square(embedding).sum()
    return dict(zip(expected.COMPONENTS, share.round(12).tolist(), strict=True))


def model_metrics() -> dict[str, float]:
    """Returns the metrics over supported heads: color, position and a pair for shape, of eight heads."""
    return {
        "supported_share": 4 / 8,
        "entanglement": 2 / 8,  # the pair, when all heads are drawn
        "entanglement_2": 2 / 8 * 1 / 7,  # when two are drawn and they are the pair
        "uniqueness": 6 / 8,
        "text_consistency": (3 + 5 + 3 + 5) / 4 / 5,
        "association_3": 4 / 4,
        "association_4": 2 / 4,
        "association_5": 2 / 4,
        "ccs_high": 2.0,
        "ccs_moderate": 2.0,
        "ccs_low": 0.0,
        "mean_spanned_variance": 1.0,
    }


def color_neighbors() -> dict[str, float]:
    """Returns the scores of pictures through the color head, by main color, for a red query picture."""
    red, green = np.array([6, 1, 1]) / 8, np.array([1, 6, 1]) / 8
    mean = 1 / 8 + 5 / 8 * np.array([3, 2, 1]) / 6
    # The same for every picture: a quarter of the bias and the head's share of the cone.
    constant = (plan.BIAS_AMOUNT / 4) ** 2 + (plan.CONE_AMOUNT / 28) ** 2
    across = (red - mean) @ (green - mean)
    return {
        "cosine, red": 1.0,
        "cosine, green": float(across / np.linalg.norm(red - mean) / np.linalg.norm(green - mean)),
        "dot, red": float(red @ red + constant) / expected.length() ** 2,
        "dot, green": float(red @ green + constant) / expected.length() ** 2,
    }


def falls(head: tuple[int, int], attribute: str) -> dict[str, float]:
    """Returns the mean loss of the zero-shot margin when a head is mean-ablated."""
    before = expected.margins(attribute)
    return {
        effect: float((before - expected.margins(attribute, (head,), forward=effect == "forward")).mean())
        for effect in ("direct", "forward")
    }


def _contributions() -> dict[str, dict[str, float]]:
    contributions = (expected.parts()[0] / expected.length()).tolist()
    by_feature = [dict(zip(plan.FEATURES, part, strict=True)) for part in contributions]
    return {
        component: {feature: round(value, 12) for feature, value in part.items() if value}
        for component, part in zip(expected.COMPONENTS, by_feature, strict=True)
    }


def _attributes(picture: Picture) -> dict:
    letters = {EMPTY: "."} | {index: color[0] for index, color in enumerate(plan.COLORS)}
    tiles = ["".join(letters[int(tile)] for tile in row) for row in picture.tiles]
    values = {name: list(values)[getattr(picture, name)] for name, values in expected.WEIGHTS.items()}
    return values | {"tiles": tiles, "grain": picture.grain.tolist()}


def _name(layer: int, head: int) -> str:
    return f"L{layer}.H{head}"
