"""Writes docs/api.md from the docstrings of the public names: `make docs`."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import headlight

INTRODUCTION = """\
# Python API

Generated from the docstrings of `headlight` by `make docs`; a test fails where the two differ.
[quickstart.ipynb](quickstart.ipynb) shows most of it at work. Arrays are numpy's, tables are pandas'; what
their columns mean is in [schema.md](schema.md). Shapes use the axis names of `precompute/__init__.py`: image,
token, layer, head, rank, d_out. Opening a bundle needs neither torch nor weights; a text that is not in the
pool, a file of your own and `decompose` load the model.
"""

ORDER = (
    "open", "Bundle", "decompose", "Decomposition", "ImageRows", "HeadBasis", "TopicMap", "Comparison",
    "UserError",
)  # fmt: skip
"""Public names as they are read."""


def api_markdown() -> str:
    """Returns the page as it should stand in docs/api.md."""
    return "\n".join([INTRODUCTION, *(section for name in ORDER for section in _sections(name))])


def methods(owner: type) -> list[tuple[str, Any]]:
    """Returns the public methods that a class of ours defines, in the order of its source."""
    return [
        (name, member)
        for name, member in vars(owner).items()
        if inspect.isfunction(member) and name[0] != "_"
    ]


def _sections(name: str) -> Iterator[str]:
    member = getattr(headlight, name)
    is_class = inspect.isclass(member)
    yield _section("##", f"headlight.{name}", None if is_class else member, member.__doc__)
    if is_class:
        if hasattr(member, "_fields"):
            yield "\n".join(["Fields:\n", *_fields(member), ""])
        for method, function in methods(member):
            yield _section("###", f"{name}.{method}", function, function.__doc__)


def _section(level: str, title: str, function: Any, text: str | None) -> str:
    lines = [f"{level} {title}\n"]
    if function is not None:
        lines.append(f"```python\n{_signature(function)}\n```\n")
    return "\n".join([*lines, _markdown(inspect.cleandoc(text or ""))])


def _source(member: Any) -> Any:
    """The syntax tree of a class or a function: what was written is the same on every version of Python."""
    return ast.parse(textwrap.dedent(inspect.getsource(member))).body[0]


def _signature(function: Any) -> str:
    """The signature as it is written, without `self` and without the quotes of names imported late."""
    node = _source(function)
    for place in (*node.args.args, *node.args.kwonlyargs):
        place.annotation = place.annotation and _unquoted(place.annotation)
    arguments = ast.unparse(node.args).removeprefix("self").removeprefix(", ")
    return f"{node.name}({arguments}) -> {ast.unparse(_unquoted(node.returns))}"


def _unquoted(annotation: ast.expr) -> ast.expr:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return ast.parse(annotation.value, mode="eval").body
    return annotation


def _fields(owner: type) -> Iterator[str]:
    """One line for each field of a NamedTuple, with the text under it."""
    body = _source(owner).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign):
            is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            meaning = f": {' '.join(str(after.value.value).split())}" if is_text else ""
            yield f"- `{ast.unparse(node.target)}`{meaning}"


def _markdown(text: str) -> str:
    """A docstring's parts as Markdown: arguments as a list, the example as code."""
    out, part = [], ""
    for line in text.splitlines():
        if re.fullmatch(r"(Args|Raises|Returns|Example):", line):
            if part == "Example":
                out.append("```\n")
            part = line[:-1]
            out.append("```python" if part == "Example" else f"{part}:\n")
        elif not part or not line:
            out.append(line)
        elif part == "Example":
            out.append(line[4:])
        elif part == "Returns":
            out.append(line.strip())
        elif line.startswith("        "):
            out[-1] += " " + line.strip()
        else:
            name, _, meaning = line.strip().partition(": ")
            out.append(f"- `{name}`: {meaning}")
    return "\n".join([*out, *(["```"] if part == "Example" else []), ""])


if __name__ == "__main__":
    print(api_markdown(), end="")
