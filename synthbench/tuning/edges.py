"""Whether the best configuration lies at the edge of what was searched."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from synthbench.plan.space import Range, Several, Space

Side = Literal["lower", "upper"]
OUTER = 0.1
"""Share of a range, on its own scale, that counts as its edge."""
FEWEST = 3
"""Values of a list below which one end or the other always is the best."""


def edges(
    space: Space, best: Mapping[str, str], tried: Sequence[Mapping[str, str]]
) -> dict[str, Side]:
    """The fields in which the best configuration lies at an edge, and at which one.

    best, tried: texts of the searched fields, the best ones among those tried. In a range the edge
    is its outer tenth, and whatever has nothing tried beyond it; in a list of three numbers or
    more its smallest and its largest. Elsewhere nothing says where to search on.
    """
    sides = {
        key: _side(values, best[key], [fields[key] for fields in tried])
        for key, values in space.fields.items()
        if not isinstance(values, str)
    }
    return {key: side for key, side in sides.items() if side is not None}


def _side(values: Several | Range, best: str, tried: Sequence[str]) -> Side | None:
    if isinstance(values, Range):
        place, others = _place(float(best), values), [_place(float(each), values) for each in tried]
        low, high = max(OUTER, min(others)), min(1 - OUTER, max(others))
    else:
        numbers = _numbers(values.values)
        if numbers is None or len(numbers) < FEWEST:
            return None
        place, low, high = float(best), min(numbers), max(numbers)
    if place <= low:
        return "lower"
    return "upper" if place >= high else None


def _place(number: float, values: Range) -> float:
    """Where a number lies in a range: 0 at its low end, 1 at its high end."""
    low, high = values.low, values.high
    if values.scale == "log":
        return math.log(number / low) / math.log(high / low)
    return (number - low) / (high - low)


def _numbers(texts: Sequence[str]) -> list[float] | None:
    """The texts as numbers; None where one is not."""
    try:
        return [float(text) for text in texts]
    except ValueError:
        return None
