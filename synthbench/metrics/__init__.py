"""Metrics: pure functions from trajectories to estimates with intervals."""

from synthbench.metrics.estimate import Estimate
from synthbench.metrics.proportion import success_rate
from synthbench.metrics.summary import Summary, summarize
from synthbench.metrics.survival import (
    kaplan_meier_median,
    kaplan_meier_quantile,
    restricted_mean,
)
from synthbench.metrics.time_to_target import Target, TimesToTarget, times_to_target
from synthbench.metrics.transition import Transition, find_transition

__all__ = [
    "Estimate",
    "Summary",
    "Target",
    "TimesToTarget",
    "Transition",
    "find_transition",
    "kaplan_meier_median",
    "kaplan_meier_quantile",
    "restricted_mean",
    "success_rate",
    "summarize",
    "times_to_target",
]
