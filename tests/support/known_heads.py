"""Rows of what else is known of the heads of the tiny bundle: who labeled them, and what they vary with.

The second head is labeled by a person, the third by a language model, the others by the first ten texts.
"""

import json

import pandas as pd

from tests.support.known_scores import SELECTIVITY

PERSON = 1
"""Place of the head whose label a person gave: by its texts it would be about shape."""

ASKED = 2
"""Place of the head that a language model was asked about."""

JUDGE = "tiny-judge"
REASON = "All of its images are of one color."
STABILITY = (0.9, 0.6, 0.3)
EQUAL_NORM = (1, 0, None)
ANSWERS = ("shape", "shape", None)
"""What the draws of the label were read as; the last could not be."""

JUDGED = ("yes", "yes", "no")
"""By position of the text."""

LABEL_COLUMNS = ["votes", "draws", "given_by", "reason"]


def labels(key: dict, label: str, place: int, *, offline: bool) -> list[dict]:
    """Rows of head_label of one head; `offline`: neither people nor language models were asked."""
    other = not offline and place in (PERSON, ASKED)
    read = "shape" if other and place == PERSON else label
    supported = place < 3
    evidence = {"p_value": 0.005, "q_value": 0.01 if supported else 0.4, "supported": supported}
    rows = [
        key
        | {"method": "enrichment", "picks": picks, "label": read, "tail": 0.001 * (place + 1)}
        | evidence
        | {"chosen": picks == 10 and not other}
        for picks in (5, 10, 20)
    ]
    given = {"label": label, "chosen": True, "supported": True}
    if other and place == PERSON:
        rows.append(key | {"method": "person", "picks": 0, "given_by": "Ada", "reason": REASON} | given)
    if other and place == ASKED:
        by = {"method": "language_model", "picks": 10, "votes": 1.0, "draws": 2, "given_by": JUDGE}
        rows.append(key | by | given)
    return rows


def judgements(key: dict, label: str) -> list[dict]:
    """Rows of judgement of the language model: two draws of the first text, of which one says no."""
    draws = [(0, 0, True), (0, 1, False)] + [(place, 0, JUDGED[place] == "yes") for place in (1, 2)]
    return [
        key | {"label": label, "position": place, "judge": JUDGE, "draw": draw, "consistent": agrees}
        for place, draw, agrees in draws
    ]


def answers(key: dict) -> list[dict]:
    """Rows of language_model_answer."""
    asked = [("label", 0, draw, parsed) for draw, parsed in enumerate(ANSWERS)]
    asked += [("judge", place, 0, parsed) for place, parsed in enumerate(JUDGED)]
    return [
        key
        | {
            "task": task,
            "position": position,
            "judge": JUDGE,
            "draw": draw,
            "endpoint": "http://localhost:11434/v1",
            "options": json.dumps({"temperature": 0.7}),
            "prompt": json.dumps([{"role": "user", "content": f"{task} {position}"}]),
            "answer": json.dumps({task: parsed}) if parsed else "I cannot say.",
            "parsed": parsed,
            "asked_at": pd.Timestamp("2024-05-01 11:00"),
            "prompt_tokens": 40,
            "answer_tokens": 5,
        }
        for task, position, draw, parsed in asked
    ]


def selectivity(key: dict, place: int, images: int, share: float) -> list[dict]:
    """Rows of head_selectivity: for color with an interval, for shape without."""
    rows = []
    for attribute, known in SELECTIVITY.items():
        value = None if known[place] is None else share * known[place]
        room = 0.05 if attribute == "color" and value is not None else None
        ends = {} if room is None else {"low": value - room, "high": value + room}
        rows.append(key | {"attribute": attribute, "value": value, "images": images} | ends)
    return rows


def replicates(model_key: str, value: float) -> pd.DataFrame:
    """The table replicate_metric of one model: four replicates around the value on all data."""
    values = [value - 0.1, value, value + 0.1, None]
    rows = pd.DataFrame({"replicate": range(4), "value": values})
    return rows.assign(model_key=model_key, metric="entanglement", heads_used="all")


def head_replicates(key: dict, value: float) -> list[dict]:
    """Rows of replicate_head_metric of one head: four replicates around the value on all data."""
    values = [value - 0.5, value, value + 0.5, None]
    return [key | {"metric": "ccs", "replicate": number, "value": each} for number, each in enumerate(values)]


def matches(model_key: str, other_model_key: str, pairs: list[tuple[int, int]]) -> pd.DataFrame:
    """The table head_match of a model and its control: the best match of a head is the one opposite."""
    rows = [
        {"pairing": pairing, "layer": layer, "head": head, "other_layer": other[0], "other_head": other[1]}
        | {"cka": 0.5 - 0.1 * place, "shuffled_p": 0.1, "overlap": 0.25, "median_angle": 60.0}
        for pairing, others in (("best", pairs[::-1]), ("place", pairs))
        for place, ((layer, head), other) in enumerate(zip(pairs, others, strict=True))
    ]
    return pd.DataFrame(rows).assign(model_key=model_key, other_model_key=other_model_key)
