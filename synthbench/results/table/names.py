"""Names of the columns that are measured: no field of a configuration is called so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synthbench.metrics.cell_metrics import EFFICIENCY
from synthbench.metrics.quantity import Quantity
from synthbench.metrics.summary import FINAL_SCORE, TO_TARGET
from synthbench.metrics.trajectories import INDEX
from synthbench.metrics.transitions import TRANSITIONS
from synthbench.records.schema import Record

LABELS = ("task", "model")
COUNTS = ("replicas", "solved", "diverged")
SIZES = ("parameters", "state_size", "flops_per_sample")
RANDOM_SEARCH = ("random_search_cv", "random_search_p")
QUANTITIES: tuple[Sequence[Quantity[Any]], ...] = (
    TO_TARGET,
    EFFICIENCY,
    TRANSITIONS,
    (FINAL_SCORE,),
)
COMPARISON = ("ratio_of_medians", "superiority")
P_VALUE = "p_value"
REPLICA = ("replica", "outcome", "time", "censored")
LOSSES = ("loss", "progress", "train_loss")
LOW, HIGH = "_low", "_high"
"""What is behind an estimate's name in the columns of its interval."""


def measured_names(records: Sequence[Record]) -> set[str]:
    """Every column of the three tables that is no field, as far as it could be one's name."""
    quantities = {each.name for group in QUANTITIES for each in group}
    estimates = {name + end for name in (*quantities, *COMPARISON) for end in ("", LOW, HIGH)}
    scores = {name for record in records for name in record.replicas[0].references["trivial"]}
    own = {*LABELS, *COUNTS, *SIZES, *RANDOM_SEARCH, P_VALUE, *REPLICA, *INDEX, *LOSSES}
    return own | estimates | scores
