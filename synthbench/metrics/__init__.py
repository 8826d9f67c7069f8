"""Metrics: pure functions from trajectories to estimates with intervals."""

from synthbench.metrics.estimate import Estimate
from synthbench.metrics.proportion import success_rate
from synthbench.metrics.summary import Summary, summarize
from synthbench.metrics.survival import kaplan_meier_median
from synthbench.metrics.time_to_target import Target, TimesToTarget, times_to_target

__all__ = [
    "Estimate",
    "Summary",
    "Target",
    "TimesToTarget",
    "kaplan_meier_median",
    "success_rate",
    "summarize",
    "times_to_target",
]
