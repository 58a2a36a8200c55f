"""While tests run, our functions refuse an array of another shape or type than their annotation says.

Only those that name an array are checked, and each argument once: to check all calls, as jaxtyping's own
decorator does, takes as long as the rest of a small run. To be imported before anything of `precompute`.
"""

from functools import wraps
from typing import get_args

import jaxtyping
from beartype import beartype

scope_of_sizes = jaxtyping.jaxtyped


def checked(code):
    """Returns a function that checks its arrays, if it names any; a class as it is, for its methods do."""
    if isinstance(code, type) or not any(map(names_array, code.__annotations__.values())):
        return code
    typed = beartype(code)

    @wraps(code)
    def with_sizes(*arguments, **named):
        with scope_of_sizes("context"):
            return typed(*arguments, **named)

    return with_sizes


def names_array(hint: object) -> bool:
    of_array = isinstance(hint, type) and issubclass(hint, jaxtyping.AbstractArray)
    return of_array or any(map(names_array, get_args(hint)))


# The hook writes `jaxtyping.jaxtyped(typechecker=...)` before each function and each class.
jaxtyping.jaxtyped = lambda typechecker: checked
jaxtyping.install_import_hook("precompute", None)
