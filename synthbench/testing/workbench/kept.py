"""Making a thing once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Kept:
    """Whatever was made under a key, for whoever asks again."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._made: dict[Hashable, Any] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made under the key, or what `make` makes now; one key, one kind of thing."""
        if key not in self._made:
            self._made[key] = make()
        return cast(T, self._made[key])
