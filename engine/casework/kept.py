"""The last results of something costly, by what they came of; one keeper a kind, shared by the threads of a process."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Kept(Generic[Result]):
    """Keeps so many results, the least looked at leaving first. A refusal is not kept."""

    def __init__(self, most: int) -> None:
        self._most, self._found, self._lock = most, OrderedDict[Hashable, Result](), Lock()

    def get(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """What is kept under a key, made now where nothing is."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        made = make()
        with self._lock:
            self._found[key] = made
            while len(self._found) > self._most:
                self._found.popitem(last=False)
        return made

    def at_hand(self, key: Hashable) -> Result | None:
        """What is kept under a key; None where nothing is."""
        with self._lock:
            return self._found.get(key)
