"""Descriptions of a picture in words, from the attributes of an image: "three orange cats on pebbles".

The names of attributes say which part of the sentence a value is, in any bundle; knows nothing of Streamlit.
"""

import re

NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
COUNT = {"count", "counting", "number"}
COLOR = {"color", "colour", "tint"}
GROUND = {"background", "ground", "surface"}
SETTING = {"scene", "setting", "environment"}
POSITION = {"position"}
GENERAL = {"category", "class", "group", "kind", "label", "object", "supercategory", "type"}
"""Attributes that name the thing only if no other attribute does: a cat rather than a mammal."""

MAX_THINGS = 3
"""Attributes that name a thing; of an image with more, names and values are listed."""

MAX_LISTED = 6

IRREGULAR = {
    "child": "children",
    "fish": "fish",
    "foot": "feet",
    "goose": "geese",
    "knife": "knives",
    "leaf": "leaves",
    "man": "men",
    "mouse": "mice",
    "person": "people",
    "sheep": "sheep",
    "tooth": "teeth",
    "woman": "women",
}


def seen(attributes: str) -> str:
    """Returns what an image shows, from its attributes as `name: value, name: value`; empty without any."""
    values = parsed(attributes)
    things = [name for name in values if _is_thing(name, values[name])]
    if len(things) > MAX_THINGS or not values:
        return _listed(values)
    general = [name for name in values if name.lower() in GENERAL]
    names = list(dict.fromkeys(value for name in things or general for value in values[name]))
    counts, colors = _of(values, COUNT), _of(values, COLOR)
    if not (names or colors):
        return _listed(values)
    if len(names) > 1 or len(counts) > 1 or len(colors) > 1:
        words = ", ".join(filter(None, [" and ".join(names), " and ".join(colors)]))
        comma = "," * bool(names and colors)  # it is unknown which has which color
    else:
        words = _one(next(iter(names), ""), next(iter(counts), ""), next(iter(colors), ""))
        comma = ""
    return words + _around(values, comma)


def parsed(attributes: str) -> dict[str, list[str]]:
    """Returns the values of every attribute; a part without a name belongs to the value before it."""
    values: dict[str, list[str]] = {}
    last: list[str] = []
    for part in attributes.split(", "):
        name, colon, value = part.partition(": ")
        if colon:
            last = values.setdefault(name, [])
            last.append(value)
        elif last:
            last[-1] += f", {part}"
    return values


def _is_thing(name: str, values: list[str]) -> bool:
    """True for an attribute whose values name what is on the image: no number, and no other part of it."""
    others = COUNT | COLOR | GROUND | SETTING | POSITION | GENERAL
    return name.lower() not in others and not any(re.fullmatch(r"[\d.]+", value) for value in values)


def _of(values: dict[str, list[str]], names: set[str]) -> list[str]:
    return [value for name, listed in values.items() if name.lower() in names for value in listed]


def _one(name: str, count: str, color: str) -> str:
    """Returns the words for things of one kind: three orange cats."""
    many = count not in ("", "1", "one")
    noun = plural(name or "object") if many else name or "object" * bool(count)
    number = NUMBERS[int(count)] if count.isdecimal() and int(count) < len(NUMBERS) else count
    return " ".join(filter(None, [number, color, noun])) or color


def _around(values: dict[str, list[str]], comma: str) -> str:
    """Returns the words for what is around the things: on pebbles, top left."""
    words = ""
    for names, before in ((GROUND, f"{comma} on "), (SETTING, f"{comma} in "), (POSITION, ", ")):
        if listed := _of(values, names):
            words += before + " and ".join(listed)
    return words


def _listed(values: dict[str, list[str]]) -> str:
    """Returns the first names with their values: wing color red, tail long."""
    words = [f"{name} {' and '.join(listed)}" for name, listed in values.items()]
    return ", ".join(words[:MAX_LISTED])


def plural(noun: str) -> str:
    """Returns the plural of a noun, by its last word."""
    head, space, last = noun.rpartition(" ")
    return f"{head}{space}{IRREGULAR.get(last) or _with_s(last)}"


def _with_s(word: str) -> str:
    if re.search(r"[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    return f"{word}es" if re.search(r"(s|x|z|ch|sh)$", word) else f"{word}s"
