"""docs/quickstart.ipynb, run from its first cell to its last over a small bundle."""

import ast
import json

from PIL import Image

from tests.support.paths import ROOT


def test_the_notebook_runs_and_ends_with_a_picture(small_bundle, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(small_bundle))
    notebook = json.loads((ROOT / "docs" / "quickstart.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    names: dict[str, object] = {}

    for cell in cells[:-1]:
        exec(cell, names)
    *statements, last = ast.parse(cells[-1]).body
    exec(compile(ast.Module(statements, []), "last cell", "exec"), names)

    assert isinstance(last, ast.Expr)
    assert isinstance(eval(ast.unparse(last), names), Image.Image)


def test_the_notebook_is_kept_without_outputs():
    notebook = json.loads((ROOT / "docs" / "quickstart.ipynb").read_text(encoding="utf-8"))

    assert [cell for cell in notebook["cells"] if cell.get("outputs")] == []
