"""A cache of arrays of limited size in bytes. Knows nothing of bundles or Streamlit."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Protocol, TypeVar


class Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=Sized)


class ArrayCache:
    """Arrays by key; eviction by last use. Thread-safe."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.nbytes = 0
        """Bytes of all cached arrays."""

        self._arrays: OrderedDict[Hashable, Sized] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Returns the array of a key, computed if not cached; arrays larger than the cache are not cached."""
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
                return self._arrays[key]  # type: ignore[return-value]  # a key has one maker
        array = make()  # without the lock: reading is slow, and other threads need cached arrays
        with self._lock:
            if key not in self._arrays and array.nbytes <= self.max_bytes:
                self._arrays[key] = array
                self.nbytes += array.nbytes
                while self.nbytes > self.max_bytes:
                    self.nbytes -= self._arrays.popitem(last=False)[1].nbytes
        return array
