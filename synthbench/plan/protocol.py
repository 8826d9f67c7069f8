"""The protocol: what may be spent on a cell, by how many replicas, and how it is watched."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synthbench.contracts.frozen import Frozen

Precision = Literal["32-true", "64-true", "bf16-true", "bf16-mixed"]


class Protocol(Frozen):
    """How a cell is measured: what may be spent, by how many replicas, how it is watched."""

    budget: int = Field(default=640_000, ge=1)
    """Training samples per replica."""
    train_samples: int | None = Field(default=None, ge=1)
    """Train on this many samples, reshuffled every epoch; none: on fresh ones at every step."""
    score: str | None = Field(default=None, exclude_if=lambda value: value is None)
    """The score that is ranked, such as accuracy@length-80; none: the task's first."""
    seeds: int = Field(default=32, ge=1)
    """Number of replicas."""
    first_seed: int = Field(default=0, ge=0)
    """Replica r has seed first_seed + r in every stream."""
    initializations: int | None = Field(default=None, ge=2)
    """Cross this many initializations with seeds / initializations data streams; the hidden
    truth and the held-out samples are then those of first_seed for every replica."""
    evaluation_samples: int = Field(default=1024, ge=1)
    """Held-out samples per replica, the same at every evaluation point."""
    evaluation_batch: int = Field(default=128, ge=1)
    """Held-out samples drawn at once; evaluation_samples must be a multiple of it."""
    resolution: float = Field(default=0.05, gt=0, le=1)
    """Largest relative gap between two evaluation points (never less than one step)."""
    hold: int = Field(default=2, ge=1)
    """Consecutive evaluations at or above the target that count as solved."""
    until: Literal["solved", "budget"] = "solved"
    """Whether a replica stops when it has solved the task, or spends its whole budget."""
    precision: Precision = "32-true"
    """Lightning's precision flag."""
