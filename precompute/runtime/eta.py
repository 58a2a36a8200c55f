"""Forecast of the time left of a study, from the time that its models have taken so far in this run.

A model runs passes, each over a number of pieces (images, layers, shards). Pieces that an earlier run has
finished are not timed, so that a resumed run does not look too fast. Work that was not measured is omitted,
and the forecast is then marked as a minimum. For a model of a kind that was not measured, the forecast is
that of the most similar kind, scaled by the cost of one image, and is marked as such.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import log
from typing import NamedTuple


class Pass(NamedTuple):
    """One pass of one model, so far."""

    name: str
    pieces: int
    """Number of pieces."""

    earlier: int = 0
    """Pieces that an earlier run has finished."""

    done: int = 0
    """Pieces that this run has finished."""

    seconds: float = 0.0
    """Duration of the `done` pieces."""


class Model(NamedTuple):
    """One model of the study, so far."""

    kind: str
    """The architecture: models of one kind take equally long."""

    cost: float | None = None
    """Cost of one image in any unit, the same for all models; None if unknown."""

    passes: tuple[Pass, ...] = ()
    """Passes begun so far, in order; names may repeat."""

    other_seconds: float = 0.0
    """Time outside of passes."""

    ended: bool = False


class Guess(NamedTuple):
    """Estimate of the time left."""

    seconds: float
    at_least: bool = False
    """True if the estimate omits work that was not measured."""

    by_cost: bool = False
    """True if the kind of a model was not measured."""


class Left(NamedTuple):
    """Remaining time of the current model and of all models; None if unknown."""

    model: Guess | None
    study: Guess | None


def left(models: Sequence[Model], current: int) -> Left:
    """Returns the remaining time of the current model and of all models."""
    current_left = _rest(models[current], models)
    later = [_expected(model, models) for model in models[current + 1 :]]
    return Left(current_left, _sum([current_left, *later]))


def left_side_by_side(models: Sequence[Model], count: int) -> Guess | None:
    """Returns the remaining time of all models if `count` of them run at the same time."""
    each = [
        _rest(model, models) if model.passes or model.ended else _expected(model, models) for model in models
    ]
    total = _sum(each)
    if total is None:
        return None
    # At the end fewer run than could.
    return total._replace(seconds=max(total.seconds / count, *(guess.seconds for guess in each if guess)))


def words(guess: Guess | None) -> str:
    """Returns a guess as text, e.g. about 1 h 10 min; empty if it is unknown or too low to be useful."""
    if guess is None or (guess.at_least and guess.seconds < 60):
        return ""
    prefix = ["over"] if guess.at_least else ["roughly"] if guess.by_cost else ["about"]
    minutes = round(guess.seconds / 60)
    hours, rest = divmod(minutes, 60)
    if minutes < 1:
        return "under a minute"
    if hours < 1:
        return " ".join([*prefix, f"{minutes} min"])
    if hours < 24:
        return " ".join([*prefix, f"{hours} h {rest} min"])
    return " ".join([*prefix, f"{hours // 24} d {hours % 24} h"])


def _rest(model: Model, models: Sequence[Model]) -> Guess | None:
    """Returns the time until a model ends."""
    if model.ended:
        return Guess(0.0)
    example = _example(model.kind, models)
    if example is None:
        return None
    if not example.ended and (whole := _like(model, _ended(models))):
        # Better than a minimum: the model's later passes are not known yet.
        spent = sum(item.seconds for item in model.passes)
        return whole._replace(seconds=max(0.0, whole.seconds - spent))
    remaining = _pieces(example)
    for name, count in _pieces(model).items():
        remaining[name] = max(remaining[name], count)
    for item in model.passes:
        remaining[item.name] -= item.earlier + item.done
    return _guess(remaining, model.kind, models, whole=example.ended)


def _expected(model: Model, models: Sequence[Model]) -> Guess | None:
    """Returns the time of a model that has not begun, by its kind or by the kind with the closest cost."""
    if _example(model.kind, _ended(models)):
        return _whole(model.kind, models)
    return _like(model, _ended(models)) or _whole(model.kind, models) or _like(model, models)


def _ended(models: Sequence[Model]) -> list[Model]:
    return [model for model in models if model.ended]


def _like(model: Model, models: Sequence[Model]) -> Guess | None:
    """Returns the time of a model by the one of `models` with the closest cost of an image."""
    costs = {other.kind: other.cost for other in models if other.cost and _example(other.kind, models)}
    if not costs or not model.cost:
        return None
    cost = model.cost
    nearest = min(costs, key=lambda kind: abs(log(cost / costs[kind])))
    like = _whole(nearest, models)
    return like and Guess(like.seconds * cost / costs[nearest], like.at_least, by_cost=True)


def _whole(kind: str, models: Sequence[Model]) -> Guess | None:
    """Returns the time of a model of this kind from its start, without results of an earlier run."""
    example = _example(kind, models)
    if example is None:
        return None
    guess = _guess(_pieces(example), kind, models, whole=example.ended)
    return guess and guess._replace(seconds=guess.seconds + example.other_seconds)


def _example(kind: str, models: Sequence[Model]) -> Model | None:
    """Returns a model of this kind that shows all passes: a completed model, or the most advanced."""
    candidates = [model for model in models if model.kind == kind and model.passes]
    return max(candidates, key=lambda model: (model.ended, len(model.passes)), default=None)


def _pieces(model: Model) -> Counter[str]:
    """Returns the number of pieces of all passes of a model, by name."""
    count: Counter[str] = Counter()
    for item in model.passes:
        count[item.name] += item.pieces
    return count


def _guess(pieces: Mapping[str, int], kind: str, models: Sequence[Model], *, whole: bool) -> Guess | None:
    """Returns the time for `pieces` of each pass; `whole` if these are all passes. None if not measured."""
    total, measured, incomplete = 0.0, 0, not whole
    for name, count in pieces.items():
        runs = [item for model in models if model.kind == kind for item in model.passes if item.name == name]
        done = sum(item.done for item in runs)
        if done:
            total += count * sum(item.seconds for item in runs) / done
            measured += 1
        elif count:
            incomplete = True
    return Guess(total, incomplete) if measured else None


def _sum(parts: Iterable[Guess | None]) -> Guess | None:
    """Returns the sum of all parts; if one is None, the sum is a lower bound."""
    parts = list(parts)
    guesses = [part for part in parts if part is not None]
    if not guesses:
        return None
    return Guess(
        sum(part.seconds for part in guesses),
        len(guesses) < len(parts) or any(part.at_least for part in guesses),
        any(part.by_cost for part in guesses),
    )
