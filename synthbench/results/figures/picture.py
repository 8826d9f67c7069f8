"""A picture in the making: its panels, the numbers in it, and what waits for the layout."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from synthbench.results.figures.layout import (
    POINTS,
    in_points,
    lay_out,
    place_legend,
    row_of,
    wrap_name,
    wrap_words,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colorbar import Colorbar
    from matplotlib.figure import Figure


@dataclass
class Picture:
    """A figure, its panels, and the numbers that are drawn in it.

    bars: axes of colour bars. legends: panels that are to have one. grows: whether the figure may
    become higher, so that titles and legends take nothing from the panels.
    """

    figure: Figure
    panels: Sequence[Axes]
    grows: bool
    bars: list[Axes] = field(default_factory=list)
    legends: list[Axes] = field(default_factory=list)
    _later: list[Callable[[], None]] = field(default_factory=list)
    _numbers: list[tuple[Mapping[str, str], Mapping[str, Any]]] = field(default_factory=list)

    def note(self, labels: Mapping[str, str], columns: Mapping[str, Any]) -> None:
        """Keep numbers as they are drawn: columns of one length, or scalars, under their labels."""
        self._numbers.append((labels, columns))

    def table(self) -> pd.DataFrame:
        """Every number that is drawn, a row each, in the order in which it was drawn."""
        import pandas as pd

        rows = [row for labels, columns in self._numbers for row in _rows(labels, columns)]
        return pd.DataFrame(rows)

    def finish(self, axes: Axes, title: str, *, legend: bool = True) -> None:
        """Set a panel's title, and have its legend put below it, where it hides nothing."""
        # A title may contain what matplotlib would read as a formula.
        axes.set_title(title, parse_math=False)
        if legend:
            self.legends.append(axes)

    def bar(self, colours: ScalarMappable, panels: Sequence[Axes], name: str) -> Colorbar:
        """A bar of colours at the right of some panels, and what it says."""
        rows = {axes.get_position().y0 for axes in panels}
        made = self.figure.colorbar(colours, ax=list(panels), pad=0.02, aspect=25 * len(rows))
        made.ax.set_ylabel(name, parse_math=False)
        self.bars.append(made.ax)
        return made

    def later(self, act: Callable[[], None]) -> None:
        """Have something done once it is known where the panels are."""
        self._later.append(act)

    def settle(self) -> Picture:
        """Wrap words to the room they have, put legends below, then do everything that waited.

        The figure becomes higher by what words and legends need, where it may.
        """
        lay_out(self.figure)
        added: dict[int, float] = defaultdict(float)
        for bar in self.bars:
            wrap_name(bar.yaxis.label, in_points(bar, bar.bbox.height))
        for axes in self.panels:
            high = wrap_words(axes, self.bars)
            if axes in self.legends:
                high += place_legend(axes)
            added[row_of(axes)] = max(added[row_of(axes)], high)
        if self.grows:
            self.figure.set_figheight(self.figure.get_figheight() + sum(added.values()) / POINTS)
        lay_out(self.figure)
        for act in self._later:
            act()
        return self


def _rows(labels: Mapping[str, str], columns: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One row for each place of the columns, with what is the same in all of them."""
    lists = {name: list(values) for name, values in columns.items() if np.ndim(values)}
    scalars = {name: value for name, value in columns.items() if name not in lists}
    for place in range(max(map(len, lists.values()), default=1)):
        row = {name: values[place] for name, values in lists.items()}
        yield {**labels, **{name: row[name] if name in row else scalars[name] for name in columns}}
