"""The sides of a comparison: a view as it is, and the same with another model, head, image or text."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from dashboard.data import choices, compare, defaults, head_vectors, option_words, scopes, texts
from dashboard.data.live import LiveError
from dashboard.data.types import Source
from dashboard.state.versus import Versus
from dashboard.state.views import Head, MapView, Scope, head_name, parse_head, parse_scope, show


class Side(NamedTuple):
    """One side of a comparison."""

    source: Source
    view: Any
    name: str
    """Words that tell the side from the other one; empty if there is no other."""

    note: str = ""
    """Rule by which the shown part of another model was found."""

    problem: str = ""
    """Why the side cannot be shown."""

    place: str = "left"

    @property
    def placed_name(self) -> str:
        """The name with the place: two sides may have one name. Empty if there is no other side."""
        return f"{self.name} ({self.place})" if self.name else ""


def sides(source: Source, view: Any) -> list[Side]:
    """Returns the view as it is, and the other side if it is compared with something."""
    versus: Versus = view.versus
    if not versus.kind:
        return [Side(source, view, "")]
    if versus.kind == "model":
        return [Side(source, view, source.info.model), other_model(source, view)]
    option = versus.kind
    parsed: Any = {"head": parse_head, "heads": parse_scope}.get(option, str)(versus.value)
    words = option_words.WORDS.get(option, quoted)
    here, there = (words(source, value) for value in (show(getattr(view, option)), versus.value))
    problem = unusable(source, option, parsed)
    other = Side(source, replace(view, **{option: parsed}), there, "", problem, "right")
    return [Side(source, view, here), other]


def unusable(source: Source, option: str, value: Any) -> str:
    """Returns why a view cannot be compared with other heads or another text."""
    if value == Scope("heads"):
        return "Choose at least one other head."
    if option == "text" and not value:
        return "The other text is empty."
    refusal = texts.refusal(source, value) if option == "text" else None
    return refusal.problem if refusal else ""


def quoted(source: Source | None, value: str) -> str:
    return f"“{option_words.plain(source, value)}”"


def other_model(source: Source, view: Any) -> Side:
    """Returns a view through the heads of another model that are like those of this one."""
    other = compare.other_source(source, view.versus.value)
    changes: dict[str, Any] = {"model": other.key} | ({"patch": ""} if hasattr(view, "patch") else {})
    note = problem = ""
    if not other.has_vectors:
        problem = f"The results of {other.info.model} were imported without vectors."
    elif hasattr(view, "heads"):
        changes["heads"], note, problem = other_heads(source, other, view.heads)
    elif hasattr(view, "head"):
        changes["head"], note = other_head(source, other, view.head)
    for name in ("text", "against"):
        refusal = texts.refusal(other, getattr(view, name, "")) if not problem else None
        problem = refusal.problem if refusal else problem
    return Side(other, replace(view, **changes), other.info.model, note, problem, "right")


def other_head(source: Source, other: Source, head: Head) -> tuple[Head, str]:
    """Returns the head of another model that is like a head, and how it was found."""
    partner, cka = best_match(source, other, head)
    if partner:
        return partner, f"{head_name(partner)} is the best match of {head_name(head)} (CKA {cka:.2f})."
    if head in choices.head_names(other):
        return head, f"{head_name(head)} has no match here: this is the head of the same place."
    best = defaults.best_head(other)
    return best, f"{head_name(head)} has no match here: {head_name(best)} is the model's most important head."


def best_match(source: Source, other: Source, head: Head) -> tuple[Head | None, float]:
    """Returns the head that a head is matched with and their CKA; None if there is none."""
    pairs = compare.pairs(source, other.key, "best")
    partner = compare.partner(pairs, head)
    if partner is None:
        return None, 0.0
    return partner, float(pairs[pairs["layer"].eq(head[0]) & pairs["head"].eq(head[1])]["cka"].iloc[0])


def other_heads(source: Source, other: Source, scope: Scope) -> tuple[Scope, str, str]:
    """Returns the heads of another model that are like those of a scope, how they were found, and why not.

    Those of the same property or layer, else the best matches, else those of the same places.
    """
    if scope.kind == "all" or (scope.kind == "property" and scope.property in choices.property_titles(other)):
        return scope, "", ""
    if scope.kind == "layer":
        has = any(layer == scope.layer for layer, _ in choices.head_names(other))
        return scope, "", "" if has else f"Layer {scope.layer} of {other.info.model} is not in the bundle."
    missing = f"No head of {other.info.model} is labeled “{scope.property}”. " * (scope.kind == "property")
    own = scopes.resolve(source, scope)
    found = [partner for head in own if (partner := best_match(source, other, head)[0])]
    heads = found or [head for head in own if head in choices.head_names(other)]
    if not heads:
        return scope, "", missing or f"{other.info.model} has no heads like these."
    of = f"{len(own)} heads" if scope.kind == "property" else "these heads"
    how = f"best matches of {of}" if found else "heads of the same places"
    return Scope.of_heads(*dict.fromkeys(heads)), f"{missing}Shown: the {how}.", ""


def default(source: Source, view: Any, kind: str) -> str:
    """Returns the other side that a choice of its kind begins with."""
    if kind == "model":
        return defaults.other_model(source)
    if kind == "head":
        others = [head for head in choices.head_names(source) if head != view.head]
        return head_name(others[0] if others else view.head)
    if kind == "heads":
        labels = [name for name in choices.property_titles(source) if name != view.heads.property]
        return str(Scope("property", property=labels[0]) if labels else Scope("all"))
    if kind == "image":
        return defaults.other_image(source, view.image)
    return defaults.other_text(source)


def too_large(sides: list[Side]) -> str:
    """Returns why two sides cannot be searched: together their vectors are more than a server keeps.

    Each click would read both again, which takes a minute for all heads of two large models. Maps read the
    vectors of one image only.
    """
    columns: dict[tuple[str, Head], int] = {}
    for side in sides:
        if not hasattr(side.view, "heads") or isinstance(side.view, MapView):
            return ""
        if side.problem or not head_vectors.fit_in_memory(side.source):  # of more, no vectors are kept
            continue
        size = head_vectors.column_bytes(side.source)
        columns |= {(side.source.key, head): size for head in scopes.resolve(side.source, side.view.heads)}
    needed, most = sum(columns.values()), head_vectors.arrays().max_bytes
    if needed <= most:
        return ""
    return (
        f"Both sides together have vectors of {needed / 1e9:.1f} GB, and this server keeps "
        f"{most / 1e9:.1f} GB in memory. Choose fewer heads."
    )


def results(sides: list[Side], compute: Callable[[Side], Any]) -> tuple[list[Side], list[Any]]:
    """Returns the sides with what is computed of each; None, and a problem, where the other side has none.

    Raises LiveError if a model is needed for the first side and cannot be loaded.
    """
    first, *others = sides
    if others and (problem := too_large(sides)):
        others = [side._replace(problem=side.problem or problem) for side in others]
    tables = [compute(first)]
    shown = [first]
    for side in others:
        table, problem = None, side.problem
        try:
            table = None if problem else compute(side)
        except LiveError as error:
            problem = str(error)
        shown.append(side._replace(problem=problem))
        tables.append(table)
    return shown, tables
