"""How one of several series looks, and what it is called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from synthbench.plan.label import typed_label
from synthbench.results.cell_fields import Fields
from synthbench.results.figures.style import colour, line_style, marker
from synthbench.results.measured_cell import MeasuredCell

FAINTEST = 0.03
"""Least opacity of a replica's line."""
FEW, MANY = 3, 12
"""Series up to which bands do not fade, and of which the legend says more than their names."""


@dataclass(frozen=True)
class Series:
    """One of `count` series of a panel."""

    name: str
    index: int
    count: int

    @property
    def colour(self) -> str:
        """Told apart by colour-blind readers, unless the user has other colours."""
        return colour(self.index)

    def label(self, words: str) -> str:
        """Its name and what is said of it, which a long legend leaves to the tables."""
        return self.name if self.count > MANY else f"{self.name}: {words}".rstrip()

    @property
    def line(self) -> dict[str, Any]:
        """Colour and style of a line."""
        return {"color": self.colour, "linestyle": line_style(self.index)}

    @property
    def marks(self) -> dict[str, Any]:
        """Colour and shape of marks without a line."""
        return {"color": self.colour, "marker": marker(self.index), "linestyle": "none"}

    @property
    def band(self) -> dict[str, Any]:
        """Of an interval: the more series lie over one another, the fainter."""
        opacity = 0.15 * min(1.0, FEW / self.count)
        return {"color": self.colour, "alpha": opacity, "linewidth": 0}

    def replica(self, replicas: int) -> dict[str, Any]:
        """Of one replica's line among those of all."""
        opacity = max(min(6 / replicas, 0.18) * min(1.0, FEW / self.count), FAINTEST)
        return {"color": self.colour, "alpha": opacity, "linewidth": 0.7}


def series_of(cells: Sequence[MeasuredCell]) -> Iterator[tuple[MeasuredCell, Series]]:
    """The cells of a panel, named by what tells them apart; see `panel_title`."""
    fields = Fields(cells)
    for index, (cell, name) in enumerate(zip(cells, fields.short_names(), strict=True)):
        yield cell, Series(name, index, len(cells))


def panel_title(cells: Sequence[MeasuredCell]) -> str:
    """The task of a panel, and its model where all its series are of that."""
    task, model = typed_label(cells[0].record.task), Fields(cells).shared_model
    return f"{task}, {model}" if model else task
