"""Pictures of what was measured: a number over one field, or over two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from synthbench.errors import ConfigurationError, NothingToShowError
from synthbench.measurements.heatmap import draw_heatmap
from synthbench.measurements.points import MeasuredPoints
from synthbench.measurements.rows import MeasuredRows
from synthbench.measurements.scaling import draw_scaling
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.encoding import Encoding
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.rendering import explained
from synthbench.results.table.selection import rows_where

Drawn: TypeAlias = Callable[[MeasuredPoints, Canvas, Encoding], Picture]
KINDS: Mapping[str, tuple[Drawn, tuple[str, ...]]] = {
    "scaling": (draw_scaling, ("x", "value")),
    "heatmap": (draw_heatmap, ("x", "y", "value")),
}
"""What draws a kind, and what a figure of it must say."""


def draw_measured(
    results: MeasuredRows, kind: str, where: str | None, canvas: Canvas, encoding: Encoding
) -> Picture:
    """Draw rows of measurements.

    where: a condition on the rows that are drawn. Raises what `check_measured` does,
    UnknownNameError for a column that there is not, NothingToShowError where no row is left.
    """
    check_measured(kind, encoding)
    table, fields = results.table(), results.varying
    kept = rows_where(table, fields, where)
    if not kept:
        raise NothingToShowError(f"no row meets {where}")
    points = MeasuredPoints(table.iloc[kept].reset_index(drop=True), fields)
    with canvas.look():
        picture = KINDS[kind][0](points, canvas, encoding)
        with explained():
            return picture.settle()


def check_measured(kind: str, encoding: Encoding, *, scored: bool = False) -> None:
    """Raise ConfigurationError for a figure that cannot be one of measurements.

    scored: whether it names a score, which measurements have not.
    """
    if kind not in KINDS:
        known = " or ".join(KINDS)
        raise ConfigurationError(f'of measurements there is no "{kind}"; take {known}')
    if scored:
        raise ConfigurationError("measurements have no score; name a number as value")
    absent = [name for name in KINDS[kind][1] if getattr(encoding, name) is None]
    if absent:
        raise ConfigurationError(f"a {kind} of measurements needs {' and '.join(absent)}")
