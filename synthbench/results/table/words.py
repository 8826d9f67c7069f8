"""Columns of a tidy frame as people read them: numbers with their intervals, fields as typed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from synthbench.metrics.estimate import Estimate
from synthbench.metrics.formatting import (
    format_count,
    format_estimate,
    format_p_value,
    format_ratio,
    format_time_to_target,
)
from synthbench.metrics.quantity import FLOPS, SAMPLES, STEPS
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.table.names import (
    HIGH,
    LABELS,
    LOW,
    P_VALUE,
    QUANTITIES,
    RANDOM_SEARCH,
    SIZES,
)
from synthbench.results.table.row_labels import ABSENT, value_texts
from synthbench.results.table.text_table import TableCell, TextColumn, TextTable, text_column

if TYPE_CHECKING:
    import pandas as pd

UNITS = {quantity.name: quantity.unit for group in QUANTITIES for quantity in group}
TIMES = (SAMPLES, STEPS, FLOPS)
P_VALUES = (P_VALUE, RANDOM_SEARCH[1])
Limits = Mapping[str, float]
"""Unit -> how long a cell was watched."""


def limits_of(cell: MeasuredCell) -> Limits:
    """Where times of a cell are censored."""
    steps = cell.watched // cell.batch_size
    return {SAMPLES: cell.watched, STEPS: steps, FLOPS: steps * cell.record.compute.step_flops}


def frame_table(
    frame: pd.DataFrame,
    columns: Sequence[str],
    fields: Sequence[str],
    limits: Sequence[Limits] | None = None,
) -> TextTable:
    """Some columns of a frame as texts, those of `fields` and labels that come first as labels.

    An estimate has its interval with it. limits: of each row; None where no time is censored.
    """
    made = [text_of_column(frame, name, name in fields, limits) for name in columns]
    told = {*fields, *LABELS}
    numbers_from = next(
        (place for place, name in enumerate(columns) if name not in told), len(columns)
    )
    return TextTable(tuple(made[:numbers_from]), tuple(made[numbers_from:]))


def text_of_column(
    frame: pd.DataFrame, name: str, field: bool, limits: Sequence[Limits] | None
) -> TextColumn:
    """One column; what is measured has its name in words above it."""
    values = [_plain(value) for value in frame[name]]
    if field or name in LABELS:
        texts = value_texts([ABSENT if value is None else value for value in values])
        number = all(not isinstance(value, str | bool) for value in values)
        return text_column(name, texts, number)
    heading = name.replace("_", " ")
    if name + LOW in frame.columns and name + HIGH in frame.columns:
        lows, highs = ([_plain(v) for v in frame[name + end]] for end in (LOW, HIGH))
        cells = [
            TableCell(*_words(name, Estimate(value=v, low=low, high=high), limit))
            for v, low, high, limit in zip(
                values, lows, highs, limits or [{}] * len(values), strict=True
            )
        ]
        return TextColumn(heading, tuple(cells))
    if name == "solved" and "replicas" in frame.columns:
        pairs = zip(values, frame["replicas"], strict=True)
        return text_column(heading, [f"{solved}/{count}" for solved, count in pairs])
    return text_column(heading, [_text(name, value) for value in values])


def _words(name: str, estimate: Estimate, limit: Limits) -> tuple[str, str]:
    unit = UNITS.get(name)
    if unit in TIMES:
        return format_time_to_target(estimate, limit.get(unit))
    return format_ratio(estimate) if name == "ratio_of_medians" else format_estimate(estimate)


def _plain(value: Any) -> Any:
    """What pandas holds as a Python value; None where there is nothing."""
    return None if value is None or (isinstance(value, float) and math.isnan(value)) else value


def _text(name: str, value: Any) -> str:
    if value is None:
        return ABSENT
    if name in P_VALUES:
        return format_p_value(value)
    if name in SIZES:
        return format_count(value)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) and not value.is_integer() else _whole(value)


def _whole(value: Any) -> str:
    return f"{value:.0f}" if isinstance(value, float) else str(value)
