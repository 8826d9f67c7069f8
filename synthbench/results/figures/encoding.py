"""What goes where in a picture: fields on its axes, a number as its height or its colour."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Encoding:
    """What one asks a picture to show; None leaves it to the kind.

    x, y: fields on the axes, such as `n`, `lr`, `train_samples`, `model.width`, or `model` and
    `task` for their names. value: a number of `Results.table()`. group: the field that tells
    series apart by colour.
    """

    x: str | None = None
    y: str | None = None
    value: str | None = None
    group: str | None = None

    @property
    def asked(self) -> list[str]:
        """What was asked for."""
        return [each.name for each in fields(self) if getattr(self, each.name) is not None]

    def only(self, taken: Collection[str]) -> Encoding:
        """Without what a kind does not take."""
        return Encoding(**{name: getattr(self, name) for name in self.asked if name in taken})
