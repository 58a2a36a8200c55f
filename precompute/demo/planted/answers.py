"""What every stage must answer for the planted model, computed from the plan alone, for answers.json."""

from math import comb

import numpy as np

from precompute.demo.planted import model as planted_model
from precompute.demo.planted.expected import (
    COMPONENTS,
    DECOMPOSED,
    STORED,
    TOLERANCE,
    WEIGHTS,
    length,
    margins,
    parts,
    text_map,
    words_of,
)
from precompute.demo.planted.model import FEATURES, PLAN, phrase
from precompute.demo.planted.pictures import (
    EMPTY,
    Picture,
    name,
    pictures,
)

ABOUT = {(1, 0): "color", (1, 1): "shape", (2, 0): "position", (2, 1): "shape"}
"""Heads whose label must be supported; no other may be."""

NOISE_HEAD = (1, 2)
"""Described by words of every property, those of position a little louder."""

MAPS = (((1, 0), "red"), ((1, 0), "blue"), ((1, 1), "circles"), ((2, 0), "left"), ((2, 1), "circles"))


def answers() -> dict:
    """Everything."""
    return {
        "tolerance": {"computed": TOLERANCE, "in a bundle": STORED},
        "length": length(),
        "contributions of the first picture": _contributions(),
        "component_share": component_shares(),
        "heads": {_name(*at): head_answers(*at) for at in DECOMPOSED},
        "model_metric": model_metrics(),
        "neighbors through L1.H0": color_neighbors(),
        "maps of the first picture": {
            f"{_name(*at)}: {phrase(word)}": text_map(pictures()[0], at, word).round(9).tolist()
            for at, word in MAPS
        },
        "zero-shot margin": {of: float(margins(of).mean()) for of in WEIGHTS},
        "fall of that margin": {_name(*at): {"attribute": of, **falls(at, of)} for at, of in ABOUT.items()},
        "pictures": {name(index): _told(picture) for index, picture in enumerate(pictures())},
    }


def head_answers(layer: int, head: int) -> dict:
    """What is known of one head: its role, and what a bundle must say of it."""
    role = next((one.role for one in PLAN if (one.layer, one.head) == (layer, head)), "silent")
    centered = parts()[:, COMPONENTS.index(_name(layer, head))]
    centered = centered - centered.mean(axis=0)
    importance = float(np.sqrt(np.square(centered).sum(axis=-1).mean())) / length()
    known = {"role": role, "importance": round(importance, 12), "supported": (layer, head) in ABOUT}
    if (layer, head) not in ABOUT:
        return known | {"texts": len(planted_model.NOISE_WORDS) if (layer, head) == NOISE_HEAD else 0}
    about = ABOUT[layer, head]
    shares = variance_shares(about)
    return known | {
        "label": about,
        "share": 1.0,
        "lead": 1.0,
        "texts": len(shares),
        "first_texts": list(shares),
        "variance_shares": list(shares.values()),
        "enrichment_tail": enrichment_tail(about),
        "ccs": len(shares),
        "spanned_variance": 1.0,
    }


def variance_shares(attribute: str) -> dict[str, float]:
    """Share of a head's variance that each text removes, in the order of the picks.

    That of a value of frequency p is p (1 - p) over the sum: words are at right angles, so removing one
    leaves what varies along the others as it was.
    """
    total = sum(WEIGHTS[attribute].values())
    spread = [weight / total * (1 - weight / total) for weight in WEIGHTS[attribute].values()]
    found = [(phrase(word), one / sum(spread)) for word, one in zip(words_of(attribute), spread, strict=True)]
    return dict(sorted(found, key=lambda pair: -pair[1]))


def enrichment_tail(attribute: str) -> float:
    """Hypergeometric tail of as many picks as values, all of which carry the property."""
    picks, pool = len(WEIGHTS[attribute]), planted_model.texts()
    return comb(sum(attribute in of for _, of in pool), picks) / comb(len(pool), picks)


def component_shares() -> dict[str, float]:
    """tr Cov(c, e) / tr Cov(e) of every component."""
    centered = parts() - parts().mean(axis=0)
    embedding = centered.sum(axis=1)
    share = np.einsum("icf,if->c", centered, embedding) / np.square(embedding).sum()
    return dict(zip(COMPONENTS, share.round(12).tolist(), strict=True))


def model_metrics() -> dict[str, float]:
    """Over supported heads: color, position and a pair for shape, of eight heads in all."""
    return {
        "supported_share": 4 / 8,
        "entanglement": 2 / 8,  # the pair, when all heads are drawn
        "entanglement_2": 2 / 8 * 1 / 7,  # when two are drawn, one of the pair finds the other
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
    """Scores of pictures through the color head, for a red one, by their main color."""
    red, green = np.array([6, 1, 1]) / 8, np.array([1, 6, 1]) / 8
    mean = 1 / 8 + 5 / 8 * np.array([3, 2, 1]) / 6
    # The same for every picture: a quarter of the bias, and the head's share of the cone.
    constant = (planted_model.BIAS_AMOUNT / 4) ** 2 + (planted_model.CONE_AMOUNT / 28) ** 2
    across = (red - mean) @ (green - mean)
    return {
        "cosine, red": 1.0,
        "cosine, green": float(across / np.linalg.norm(red - mean) / np.linalg.norm(green - mean)),
        "dot, red": float(red @ red + constant) / length() ** 2,
        "dot, green": float(red @ green + constant) / length() ** 2,
    }


def falls(head: tuple[int, int], attribute: str) -> dict[str, float]:
    """What the zero-shot margin loses, in the mean, when a head is held at its mean."""
    before = margins(attribute)
    return {
        effect: float((before - margins(attribute, (head,), forward=effect == "forward")).mean())
        for effect in ("direct", "forward")
    }


def _contributions() -> dict[str, dict[str, float]]:
    return {
        component: {
            feature: round(float(value), 12) for feature, value in zip(FEATURES, own, strict=True) if value
        }
        for component, own in zip(COMPONENTS, parts()[0] / length(), strict=True)
    }


def _told(picture: Picture) -> dict:
    letters = {EMPTY: "."} | {place: color[0] for place, color in enumerate(planted_model.COLORS)}
    return {
        **{of: list(values)[getattr(picture, of)] for of, values in WEIGHTS.items()},
        "tiles": ["".join(letters[int(tile)] for tile in row) for row in picture.tiles],
        "grain": picture.grain.tolist(),
    }


def _name(layer: int, head: int) -> str:
    return f"L{layer}.H{head}"
