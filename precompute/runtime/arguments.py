"""Command-line flags from the fields of a dataclass: type, default and help text of an option stand once.

    limit: int | None = option(None, "decompose only N of the files", metavar="N", group="inputs")

becomes `--limit N`. A bool becomes `--name`, or `--no-name` where True is the default; a tuple becomes a flag
that may be given several times. Imports no torch, knows no command.
"""

import argparse
from collections.abc import Callable
from dataclasses import MISSING, Field, field, fields
from pathlib import Path
from types import NoneType
from typing import Any, Literal, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

Options = TypeVar("Options")

LARGEST = 10**9
"""Largest number of an option, unless it says another."""


class CommandLine(NamedTuple):
    """Description, options and function of a command. A module with these names serves as well."""

    DESCRIPTION: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run_command: Callable[[argparse.Namespace], int | None]
    EXAMPLES: str = ""


def option(
    default: Any = MISSING,
    help: str = "",
    *,
    group: str = "",
    flag: str = "",
    secret: bool = False,
    minimum: int = -LARGEST,
    maximum: int = LARGEST,
    **keywords: Any,
) -> Any:
    """A dataclass field that is a flag; required without `default`.

    `group` is the heading in `--help`; `flag` replaces the name made from the field's, without dashes for a
    positional argument; a `secret` value is not in the `repr`; `problem` compares numbers with `minimum` and
    `maximum`; `keywords` go to `add_argument`, before those derived from the type.
    """
    metadata = {"help": help, "group": group, "flag": flag, "range": (minimum, maximum), "keywords": keywords}
    return field(default=default, repr=not secret, metadata=metadata)


def problem(options: Any) -> str | None:
    """Returns what is wrong with the first impossible value of a dataclass of options; None if none is."""
    for item in _options(type(options)):
        value, flag = getattr(options, item.name), f"--{item.name.replace('_', '-')}"
        minimum, maximum = item.metadata["range"]
        if isinstance(value, str) and not value.isprintable():
            return f"{flag} has characters that cannot be printed. Leave them out."
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if value != value:
            return f"{flag} {value} is not a number."
        if value < minimum:
            return f"{flag} {value} is too small; the minimum is {minimum}."
        if value > maximum:
            return f"{flag} {value} is too large; the maximum is {maximum}."
    return None


def add_fields(parser: argparse.ArgumentParser, *kinds: type) -> None:
    """Adds a flag for every `option` of the dataclasses, in groups in the order of their first fields."""
    groups: dict[str, Any] = {"": parser}
    for kind in kinds:
        hints = get_type_hints(kind)
        for item in _options(kind):
            name = item.metadata["group"]
            if name not in groups:
                groups[name] = parser.add_argument_group(name)
            _add(groups[name], item, hints[item.name])


def values_of(namespace: argparse.Namespace, kind: type) -> dict[str, Any]:
    """Values of the options of a dataclass, by field name."""
    hints = get_type_hints(kind)
    named = {item.name: getattr(namespace, item.name) for item in _options(kind)}
    return {
        name: tuple(value) if get_origin(hints[name]) is tuple and isinstance(value, list) else value
        for name, value in named.items()
    }


def read(namespace: argparse.Namespace, kind: type[Options], **changes: Any) -> Options:
    """The dataclass that a command line asks for; `changes` replace values. Raises what its checks raise."""
    return kind(**values_of(namespace, kind) | changes)


def number_or_all(of_what: str) -> Callable[[str], int | None]:
    """A parser of whole numbers and of `all`, which is None."""

    def parse(text: str) -> int | None:
        try:
            return None if text == "all" else int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is neither a number of {of_what} nor 'all'") from None

    return parse


def three_numbers(text: str) -> tuple[float, float, float]:
    """Parses `0.5,0.5,0.5`."""
    try:
        red, green, blue = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not three numbers such as 0.5,0.5,0.5") from None
    return red, green, blue


def file_path(text: str) -> Path:
    """Parses the path of a file or folder; an empty one would be the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError(
            f"{text!r} names no file or folder: is a variable of the shell empty? Give a path, or leave the "
            "option out"
        )
    return Path(text)


def _options(kind: type) -> list[Field]:
    return [item for item in fields(kind) if item.metadata.get("help")]


def _add(group: Any, option: Field, hint: Any) -> None:
    default, keywords = option.default, option.metadata["keywords"]
    flag = option.metadata["flag"] or f"--{'no-' if default is True else ''}{option.name.replace('_', '-')}"
    derived = _by_type(hint, default) | keywords
    if derived.get("action") in ("append", "extend"):
        derived["default"] = []
    if flag.startswith("-"):
        derived |= {"dest": option.name, "required": default is MISSING}
    text = option.metadata["help"]
    if default not in (MISSING, None, ()) and not isinstance(default, bool) and "(default" not in text:
        text += " (default: %(default)s)"
    group.add_argument(flag, help=text, **derived)


def _by_type(hint: Any, default: Any) -> dict[str, Any]:
    """Keywords of `add_argument` that follow from the type of a field."""
    if hint is bool:
        return {"action": "store_false" if default else "store_true"}
    if get_origin(hint) is tuple and get_args(hint)[1:] == (Ellipsis,):
        kind = get_args(hint)[0]
        return {"action": "append", "type": file_path if kind is Path else kind}
    value = {} if default is MISSING else {"default": default}
    if get_origin(hint) is Literal:
        return {"choices": get_args(hint)} | value
    plain = next((part for part in get_args(hint) if part is not NoneType), hint)
    return {"type": file_path if plain is Path else plain} | value
