"""Finished cells as one tidy pandas frame: what varies between them, and what was measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from synthbench.errors import ConfigurationError
from synthbench.metrics.cell_metrics import EFFICIENCY
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.quantity import Quantity
from synthbench.metrics.regret import regret
from synthbench.metrics.summary import FINAL_SCORE, TO_TARGET
from synthbench.metrics.time_to_target import times_to_target
from synthbench.metrics.transition import find_transitions
from synthbench.metrics.transitions import TRANSITIONS
from synthbench.results.comparisons import compare_models
from synthbench.results.fields import Value
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.table.names import HIGH, LOW, P_VALUE
from synthbench.results.varying import Varying, varying

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
Per = Literal["configuration", "replica", "evaluation"]
Fields = Literal["varying", "all"]


@dataclass(frozen=True)
class FrameOptions:
    """What a table has.

    per: a row for each of what. fields: those of the configurations in which the cells differ,
    or every one. against: a model that each configuration is compared with.
    """

    per: Per = "configuration"
    fields: Fields = "varying"
    against: str | None = None


def tidy_frame(
    cells: Sequence[MeasuredCell],
    options: FrameOptions = FrameOptions(),
    names: Varying | None = None,
) -> pd.DataFrame:
    """Finished cells as one table.

    Columns: `task` and `model` as one types them, the fields of the configurations, then what
    was measured. names: what the fields are called, where that is to be as among other cells.
    Raises ConfigurationError for another `per` or `fields` than there is, or
    `against` in a table that has no row per configuration; and what `compare_models` raises.
    """
    import pandas as pd

    _check("per", options.per, get_args(Per))
    _check("fields", options.fields, get_args(Fields))
    if options.against is not None and options.per != "configuration":
        raise ConfigurationError("models are compared in the table per configuration")
    found = varying(cells)
    if names is not None:
        found = Varying(names.paths, names.columns, found.cells)
    paths = list(found.columns if options.fields == "all" else found.paths)
    labels = [
        {"task": cell.record.task, "model": cell.record.model, **own}
        for cell, own in zip(cells, _own_fields(found, paths), strict=True)
    ]
    if options.per == "evaluation":
        return _evaluations(cells, labels)
    rows_of = _configuration if options.per == "configuration" else _replicas
    rows = [label | row for label, cell in zip(labels, cells, strict=True) for row in rows_of(cell)]
    if options.against is not None:
        for index, row in _compared(cells, options.against).items():
            rows[index] |= row
    return pd.DataFrame(rows)


def _compared(cells: Sequence[MeasuredCell], against: str) -> dict[int, dict[str, object]]:
    """Row -> what it is beside the baseline, for those that there is one for."""
    place = {id(cell): index for index, cell in enumerate(cells)}
    return {
        place[id(one.cells[0])]: {
            **interval_columns("ratio_of_medians", one.comparison.ratio_of_medians),
            **interval_columns("superiority", one.comparison.superiority),
            P_VALUE: one.p_value,
        }
        for one in compare_models(cells, against)
    }


def _check(argument: str, given: str, allowed: Sequence[str]) -> None:
    if given not in allowed:
        raise ConfigurationError(f'{argument} must be {" or ".join(allowed)}, got "{given}"')


def _own_fields(found: Varying, paths: Sequence[str]) -> Iterator[dict[str, Value]]:
    for cell in found.cells:
        yield {found.columns[path]: cell.get(path) for path in paths}


def _configuration(cell: MeasuredCell) -> Iterator[dict[str, object]]:
    summary, metrics = cell.record.summary, cell.metrics
    test, state = metrics.random_search, cell.record.compute.state_size
    row: dict[str, object] = {
        "replicas": summary.replicas,
        "solved": summary.solved,
        "diverged": summary.diverged,
        "budget": cell.budget,
        "parameters": cell.record.compute.parameters,
        "state_size": math.nan if state is None else state,
        "flops_per_sample": cell.record.flops_per_sample,
    }
    row |= _columns(TO_TARGET, summary)
    row |= _columns(EFFICIENCY, metrics)
    row |= _columns(TRANSITIONS, metrics.transitions)
    row |= _columns((FINAL_SCORE,), summary)
    row["random_search_cv"] = test.cv if test else math.nan
    row["random_search_p"] = test.p_value if test else math.nan
    for name, probe in metrics.probes.items():
        row |= interval_columns(f"{name}/lead", probe.lead)
    yield row


def _replicas(cell: MeasuredCell) -> Iterator[dict[str, object]]:
    """Every replica of the cell, also of those that a crossed design's estimates leave out."""
    trajectories, context = cell.trajectories, cell.context
    target = context.target
    reached = times_to_target(trajectories, target, context.watched)
    shapes = find_transitions(trajectories, target)
    samples, progress, final = (
        trajectories.by_replica(name) for name in ("samples", "progress", trajectories.ranked)
    )
    for index, replica in enumerate(cell.record.replicas):
        solved, time = bool(reached.solved[index]), float(reached.times[index])
        yield {
            "replica": replica.replica,
            **{f"seed_{stream}": seed for stream, seed in replica.seeds.items()},
            "budget": cell.budget,
            "outcome": replica.outcome,
            "samples_to_target": time if solved else math.nan,
            "time": time,
            "censored": not solved,
            "regret": regret(
                samples[index].astype(float),
                progress[index],
                target.budget,
                diverged=context.diverged[index],
            ),
            **{each.name: _number(vars(shapes[index])[each.name]) for each in TRANSITIONS},
            "final_score": float(final[index][-1]),
        }


def _evaluations(
    cells: Sequence[MeasuredCell], labels: Sequence[Mapping[str, Any]]
) -> pd.DataFrame:
    import pandas as pd

    frames = []
    for cell, label in zip(cells, labels, strict=True):
        measured = cell.trajectories.to_pandas()
        own = pd.DataFrame([dict(label)] * len(measured), index=measured.index)
        frames.append(pd.concat([own, measured], axis=1))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def _columns(quantities: Sequence[Quantity[T]], source: T) -> dict[str, float]:
    return {
        column: end
        for quantity in quantities
        for column, end in interval_columns(quantity.name, quantity.of(source)).items()
    }


def interval_columns(name: str, estimate: Estimate) -> dict[str, float]:
    """An estimate as the columns `x`, `x_low` and `x_high`; NaN where an end is not known."""
    ends = {name: estimate.value, name + LOW: estimate.low, name + HIGH: estimate.high}
    return {column: _number(end) for column, end in ends.items()}


def _number(value: float | None) -> float:
    return math.nan if value is None else value
