"""How long a study will still take, from what its models have taken so far in this run.

A model goes through passes, each of so many pieces (images, layers, shards). Pieces that an earlier run has
left are never timed, so a run that goes on is not judged by how quickly it found them. What has not been
measured is left out, and the forecast says that it will take longer than that. A model of a kind that has
not been measured counts as the most similar kind, in proportion to what one image costs, and the forecast
says so too.

Pure: what was done and how long it took in, seconds out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import log
from typing import NamedTuple


class Pass(NamedTuple):
    """One pass of one model, so far."""

    name: str
    pieces: int
    """All there are."""

    found: int = 0
    """Left by an earlier run."""

    done: int = 0
    """In this run."""

    seconds: float = 0.0
    """For those done."""


class Model(NamedTuple):
    """One model of the study, so far."""

    kind: str
    """Models of one kind take as long: the architecture."""

    cost: float | None = None
    """Cost of one image in any unit, the same for all models; None if unknown."""

    passes: tuple[Pass, ...] = ()
    """Those begun, in order; one name may come several times."""

    beside: float = 0.0
    """Seconds outside of passes."""

    ended: bool = False


class Guess(NamedTuple):
    """Seconds left."""

    seconds: float
    at_least: bool = False
    """True if the estimate omits work that was not measured."""

    by_cost: bool = False
    """True if a model has a kind that was not measured."""


class Left(NamedTuple):
    """Remaining time of the current model and of all models; None if unknown."""

    model: Guess | None
    study: Guess | None


def left(models: Sequence[Model], current: int) -> Left:
    """Returns the remaining time of the current model and of all models."""
    own = _rest(models[current], models)
    later = [_expected(model, models) for model in models[current + 1 :]]
    return Left(own, _sum([own, *later]))


def words(guess: Guess | None) -> str:
    """A guess as it is said, e.g. about 1 h 10 min; empty where there is nothing worth saying."""
    if guess is None or (guess.at_least and guess.seconds < 60):
        return ""
    how = ["over"] if guess.at_least else ["roughly"] if guess.by_cost else ["about"]
    minutes = round(guess.seconds / 60)
    hours, rest = divmod(minutes, 60)
    if minutes < 1:
        return "under a minute"
    if hours < 1:
        return " ".join([*how, f"{minutes} min"])
    if hours < 24:
        return " ".join([*how, f"{hours} h {rest} min"])
    return " ".join([*how, f"{hours // 24} d {hours % 24} h"])


def _rest(model: Model, models: Sequence[Model]) -> Guess | None:
    """Until a model ends."""
    if model.ended:
        return Guess(0.0)
    example = _example(model.kind, models)
    if example is None:
        return None
    waiting = _pieces(example)
    for name, count in _pieces(model).items():
        waiting[name] = max(waiting[name], count)
    for one in model.passes:
        waiting[one.name] -= one.found + one.done
    return _guess(waiting, model.kind, models, whole=example.ended)


def _expected(model: Model, models: Sequence[Model]) -> Guess | None:
    """Estimates a model that has not begun, by its kind or by the most similar model by cost."""
    measured = {other.kind: other.cost for other in models if _example(other.kind, models)}
    if model.kind in measured:
        return _whole(model.kind, models)
    costs = {kind: cost for kind, cost in measured.items() if cost}
    if not costs or not model.cost:
        return None
    own = model.cost
    nearest = min(costs, key=lambda kind: abs(log(own / costs[kind])))
    like = _whole(nearest, models)
    return like and Guess(like.seconds * own / costs[nearest], like.at_least, by_cost=True)


def _whole(kind: str, models: Sequence[Model]) -> Guess | None:
    """Of a model of this kind from its start, with nothing found."""
    example = _example(kind, models)
    if example is None:
        return None
    found = _guess(_pieces(example), kind, models, whole=example.ended)
    return found and found._replace(seconds=found.seconds + example.beside)


def _example(kind: str, models: Sequence[Model]) -> Model | None:
    """A model of this kind that shows which passes there are: one that has ended, or got furthest."""
    mine = [model for model in models if model.kind == kind and model.passes]
    return max(mine, key=lambda model: (model.ended, len(model.passes)), default=None)


def _pieces(model: Model) -> Counter[str]:
    """Of all passes of a model, by name."""
    count: Counter[str] = Counter()
    for one in model.passes:
        count[one.name] += one.pieces
    return count


def _guess(pieces: Mapping[str, int], kind: str, models: Sequence[Model], *, whole: bool) -> Guess | None:
    """For so many pieces of each pass; `whole` if these are all. None where nothing of it was measured."""
    total, known, unknown = 0.0, 0, not whole
    for name, count in pieces.items():
        mine = [one for model in models if model.kind == kind for one in model.passes if one.name == name]
        done = sum(one.done for one in mine)
        if done:
            total += count * sum(one.seconds for one in mine) / done
            known += 1
        elif count:
            unknown = True
    return Guess(total, unknown) if known else None


def _sum(parts: Iterable[Guess | None]) -> Guess | None:
    """Of all parts; those that are not known make it a lower bound."""
    parts = list(parts)
    known = [part for part in parts if part is not None]
    if not known:
        return None
    return Guess(
        sum(part.seconds for part in known),
        len(known) < len(parts) or any(part.at_least for part in known),
        any(part.by_cost for part in known),
    )
