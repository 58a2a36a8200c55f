"""Arrays kept in memory up to a number of bytes in all. Knows nothing of bundles or Streamlit."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Protocol, TypeVar


class Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=Sized)


class ArrayCache:
    """Arrays by key; those that were used longest ago go first. Threads may share it."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.nbytes = 0
        """Of all that is kept now."""

        self._arrays: OrderedDict[Hashable, Sized] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The array of a key, made where it is not kept; one larger than all the room is made every time."""
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
                return self._arrays[key]  # type: ignore[return-value]  # a key has one maker
        array = make()  # without the lock: reading takes long, and others may ask for what is kept
        with self._lock:
            if key not in self._arrays and array.nbytes <= self.max_bytes:
                self._arrays[key] = array
                self.nbytes += array.nbytes
                while self.nbytes > self.max_bytes:
                    self.nbytes -= self._arrays.popitem(last=False)[1].nbytes
        return array
