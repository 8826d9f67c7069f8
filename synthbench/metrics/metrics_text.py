"""The metrics of a cell as text, by the names of their attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from synthbench.metrics.estimate import Estimate
from synthbench.metrics.formatting import format_estimate, format_p_value, format_time_to_target

if TYPE_CHECKING:
    from synthbench.metrics.cell_metrics import CellMetrics

WIDTH = 36


def metrics_text(metrics: CellMetrics) -> str:
    """One line per metric that was measured."""
    lines = [f"{name:<{WIDTH}}{text}".rstrip() for name, text in _lines(metrics)]
    return "\n".join(["CellMetrics: times in samples, intervals at 95%", *lines])


def _lines(metrics: CellMetrics) -> Iterator[tuple[str, str]]:
    reached, shape = metrics.reached, metrics.transitions
    yield "reached", f"{int(reached.solved.sum())}/{len(reached.solved)} replicas solved"
    yield "restricted_mean", _time(metrics.restricted_mean)
    yield "regret", _number(metrics.regret)
    yield "transitions", f"{shape.completed} completed"
    for name, time in (
        ("onset", shape.onset),
        ("midpoint", shape.midpoint),
        ("completion", shape.completion),
    ):
        yield f"  .{name}", _time(time)
    for name, estimate in (
        ("plateau", shape.plateau),
        ("width", shape.width),
        ("sharpness", shape.sharpness),
        ("height", shape.height),
        ("overshoot", shape.overshoot),
        ("relapse", shape.relapse),
    ):
        yield f"  .{name}", _number(estimate)
    counts = (f"{count} in {replicas}" for count, replicas in metrics.transition_counts.items())
    yield "transition_counts", ", ".join(counts) + " replicas"
    for name, near in metrics.near.items():
        share = _number(near.share)
        yield f"near[{name!r}]", f"{near.replicas} replicas, share of log samples {share}"
    yield from _optional_lines(metrics)


def _optional_lines(metrics: CellMetrics) -> Iterator[tuple[str, str]]:
    test, split, grokking = metrics.random_search, metrics.variance_split, metrics.grokking
    if test is not None:
        yield (
            "random_search",
            f"CV {test.cv:.2f} ({test.random_search_cv:.2f} if it were), "
            + format_p_value(test.p_value, name=True),
        )
    for name, probe in metrics.probes.items():
        order = _number(probe.concordance) if probe.concordance else "-"
        yield f"probes[{name!r}]", f"lead {_number(probe.lead)} decades, concordance {order}"
    if split is not None:
        yield (
            "variance_split",
            f"initialization {_number(split.initialization)}, data {_number(split.data)}",
        )
    if grokking is not None:
        yield (
            "grokking",
            f"memorized at {_time(grokking.memorized)}, generalized at "
            f"{_time(grokking.generalized)}, never {grokking.never}",
        )


def _time(estimate: Estimate) -> str:
    return " ".join(format_time_to_target(estimate, None)).rstrip()


def _number(estimate: Estimate) -> str:
    return " ".join(format_estimate(estimate)).rstrip()
