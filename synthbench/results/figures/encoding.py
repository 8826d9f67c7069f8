"""What goes where in a picture: fields on its axes, a number as its height or its colour."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Encoding:
    """What one asks a picture to show; None leaves it to the kind.

    x, y: fields on the axes, such as `n`, `lr`, `train_samples`, `model.width`, or `model` and
    `task` for their names. value: a number of `Results.table()`. group: the field that tells
    series apart by colour. probes: names of probes, such as `attention`, or of single ones of
    their numbers, such as `attention/layer1-previous`.
    """

    x: str | None = None
    y: str | None = None
    value: str | None = None
    group: str | None = None
    probes: tuple[str, ...] | None = None

    @property
    def asked(self) -> list[str]:
        """What was asked for."""
        return [each.name for each in fields(self) if getattr(self, each.name) is not None]

    @property
    def words(self) -> list[str]:
        """What was asked for in each part, as one writes it: `n`, `attention`."""
        given = [getattr(self, name) for name in self.asked]
        return [word for each in given for word in ((each,) if isinstance(each, str) else each)]

    def only(self, taken: Collection[str]) -> Encoding:
        """Without what a kind does not take."""
        return Encoding(**{name: getattr(self, name) for name in self.asked if name in taken})
