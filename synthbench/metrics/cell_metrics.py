"""All the metrics of one cell, and how they read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from synthbench.metrics.estimate import Estimate
from synthbench.metrics.formatting import format_estimate, format_p_value, format_time_to_target
from synthbench.metrics.grokking import GrokkingSummary
from synthbench.metrics.quantity import SAMPLES, Quantity
from synthbench.metrics.random_search import RandomSearchTest
from synthbench.metrics.time_to_target import TimesToTarget
from synthbench.metrics.transitions import TRANSITIONS, TransitionSummary
from synthbench.metrics.variance_split import VarianceSplit

WIDTH = 36


@dataclass(frozen=True)
class ProbeMetrics:
    """How one probe value relates to the transition.

    Of the last transition, where learning is staged. lead: median over replicas of
    log10(midpoint / half of the probe's change), in decades;
    plateau_fraction: median share of the plateau at which that half was passed. concordance:
    whether the value at `moment` (samples) orders later midpoints on held-out replicas.
    """

    lead: Estimate
    plateau_fraction: Estimate
    concordance: Estimate | None
    moment: float | None


@dataclass(frozen=True)
class TimeNearReference:
    """Time nearest to one strategy.

    replicas: how many ever were; first: when, in samples, Kaplan-Meier over all; share: mean
    share of log samples.
    """

    replicas: int
    first: Estimate
    share: Estimate


@dataclass(frozen=True, repr=False)
class CellMetrics:
    """Everything SynthBench says about a cell; intervals are at 95%.

    transition_counts: number of transitions found by change points -> number of replicas.
    near: the time near each strategy that a score can tell from the others.
    """

    reached: TimesToTarget
    restricted_mean: Estimate
    regret: Estimate
    transitions: TransitionSummary
    transition_counts: Mapping[int, int]
    near: Mapping[str, TimeNearReference]
    random_search: RandomSearchTest | None
    probes: Mapping[str, ProbeMetrics]
    variance_split: VarianceSplit | None
    grokking: GrokkingSummary | None
    """Of a cell with a finite training set; None where every sample is fresh."""

    def __repr__(self) -> str:
        """One line per metric, under the name of its attribute."""
        return _text(self)


EFFICIENCY: tuple[Quantity[CellMetrics], ...] = (
    Quantity("restricted_mean", lambda cell: cell.restricted_mean, SAMPLES, "restricted\nmean"),
    Quantity("regret", lambda cell: cell.regret, "share", "regret"),
)
"""Beside the time to target, which is the summary's."""


def _text(metrics: CellMetrics) -> str:
    """One line per metric that was measured."""
    lines = [f"{name:<{WIDTH}}{text}".rstrip() for name, text in _lines(metrics)]
    return "\n".join(["CellMetrics: times in samples, intervals at 95%", *lines])


def _lines(metrics: CellMetrics) -> Iterator[tuple[str, str]]:
    reached, shape = metrics.reached, metrics.transitions
    yield "reached", f"{int(reached.solved.sum())}/{len(reached.solved)} replicas solved"
    for quantity in EFFICIENCY:
        yield quantity.name, " ".join(quantity.words(metrics)).rstrip()
    yield "transitions", f"{shape.completed} completed"
    for part in TRANSITIONS:
        yield f"  .{part.name}", " ".join(part.words(shape)).rstrip()
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
