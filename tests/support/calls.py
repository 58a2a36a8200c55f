"""Counts of calls: proof that a result was not computed again."""

from functools import wraps
from types import ModuleType

import pytest


def count_calls(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> list[tuple]:
    """Lets a function run as before; returns a list that gets the positional arguments of each call."""
    function, calls = getattr(module, name), []

    @wraps(function)
    def counted(*arguments, **options):
        calls.append(arguments)
        return function(*arguments, **options)

    monkeypatch.setattr(module, name, counted)
    return calls
