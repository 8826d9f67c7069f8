"""Finished cells without training: two test sets, curves, any ceiling, at chosen times."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from synthbench.hashing import content_hash
from synthbench.metrics.arrow_columns import nullable_column
from synthbench.metrics.ranked_by import progress_of
from synthbench.metrics.summary import summarize
from synthbench.metrics.time_to_target import Target, times_to_target
from synthbench.metrics.trajectories import Trajectories
from synthbench.plan.schedule import evaluation_steps
from synthbench.records.content import parquet_bytes, record_bytes
from synthbench.records.schema import Compute, Environment, Record, ReplicaRecord
from synthbench.results.measured_cell import MeasuredCell

BATCH, BUDGET, PLACES = 32, 64_000, 6
FAR = "accuracy@length-80"
SPREAD = 0.15


@dataclass(frozen=True)
class Setting:
    """What a synthetic cell is; far: how many times later the far test set is learnt."""

    model: str = "mlp"
    ceiling: str = "optimal"
    far: float = 3.0
    replicas: int = 8
    speed: float = 1.0
    target_score: float | None = None
    until: str = "solved"
    score: str | None = None


def references(setting: Setting, replica: int) -> dict[str, dict[str, float | list[float]]]:
    """Trivial, one strategy between, and the ceiling, for each score."""
    shift = 0.002 * replica
    curve = np.linspace(0.2, 0.9, PLACES)
    found = {"trivial": (0.5, 0.5, 0.0), "unigram": (0.7, 0.6, 0.5), "ceiling": (1.0, 0.9, 1.0)}
    return {
        name if name != "ceiling" else setting.ceiling: {
            "accuracy": near + shift,
            "excess": [float(v) for v in curve * part],
            FAR: far + shift,
        }
        for name, (near, far, part) in found.items()
    }


def make_cell(folder: Path, setting: Setting = Setting()) -> MeasuredCell:
    """A folder with a record and its trajectories; replica r learns at about its own time."""
    folder.mkdir(parents=True)
    protocol = {
        "budget": BUDGET, "train_samples": None, "seeds": setting.replicas, "first_seed": 0,
        "initializations": None, "evaluation_samples": 256, "evaluation_batch": 128,
        "resolution": 0.05, "hold": 2, "until": setting.until, "precision": "32-true",
    }  # fmt: skip
    task: dict[str, Any] = {"name": "synthetic", "version": 1, "n": 10, "target": 0.96}
    if setting.target_score is not None:
        task["target_score"] = setting.target_score
    if setting.score is not None:
        protocol["score"] = setting.score
    model = {"name": setting.model, "version": 1, "recipe": {"batch_size": BATCH, "lr": 0.1}}
    plan = {
        "plan_version": 1, "task": task, "model": model, "protocol": protocol,
        "probes": [{"name": "fourier-spectrum"}],
    }  # fmt: skip
    if setting.ceiling != "optimal":
        plan["ceiling"] = setting.ceiling
    levels = [references(setting, r) for r in range(setting.replicas)]
    table = pa.concat_tables([_replica_table(setting, r, levels[r]) for r in range(len(levels))])
    trajectories = Trajectories.from_blocks([table], BATCH, 1000)
    target = Target(0.96, 2, BUDGET, setting.target_score)
    reached = times_to_target(trajectories, target)
    content = parquet_bytes(trajectories.table)
    record = Record(
        plan=plan, plan_hash=content_hash(plan), task="synthetic n=10", model=setting.model,
        suite=None, created="2026-01-01T00:00:00+00:00", environment=_environment(),
        compute=Compute(parameters=10, step_flops=1000, replicas_per_block=8, looped=None,
                        replica_steps=1, wall_seconds=1.0),
        replicas=tuple(
            ReplicaRecord(
                replica=r, seeds={"init": r}, data="0" * 64,
                outcome="solved" if reached.solved[r] else "censored",
                samples_to_target=int(reached.times[r]) if reached.solved[r] else None,
                references=levels[r],
            )
            for r in range(len(levels))
        ),
        summary=summarize(trajectories, target, batch_size=BATCH, step_flops=1000, diverged=0),
        files={"trajectories.parquet": hashlib.sha256(content).hexdigest()},
    )  # fmt: skip
    (folder / "trajectories.parquet").write_bytes(content)
    (folder / "record.json").write_bytes(record_bytes(record))
    return MeasuredCell(record, folder)


def _replica_table(setting: Setting, replica: int, levels: Mapping[str, Any]) -> pa.Table:
    points = np.array(evaluation_steps(BUDGET // BATCH, 0.05))
    rng = np.random.default_rng(replica)
    time = 4_000 / setting.speed * np.exp(SPREAD * rng.normal())
    near = _level(points * BATCH, time)
    far = _level(points * BATCH, time * setting.far)
    trivial, ceiling = levels["trivial"], levels[setting.ceiling]
    scores = {
        name: trivial[name] + level * (ceiling[name] - trivial[name])
        for name, level in (("accuracy", near), (FAR, far))
    }
    progress = {n: progress_of(s, trivial[n], ceiling[n]) for n, s in scores.items()}
    ranked = setting.score or "accuracy"
    met = progress[ranked] >= 0.96
    if setting.target_score is not None:
        met = scores[ranked] >= setting.target_score
    held = np.flatnonzero(met[:-1] & met[1:])
    stop = held[0] + 2 if len(held) and setting.until == "solved" else len(points)
    excess = near[:, None] * np.array(ceiling["excess"])
    excess[:, -1] = np.nan
    columns: dict[str, np.ndarray] = {"replica": np.full(len(points), replica), "step": points}
    columns |= {ranked: scores[ranked], **scores}
    columns |= {
        "excess": excess,
        "loss": 1 - near,
        "progress": progress[ranked],
        "loss@length-80": 1 - far,
        "progress@length-80": progress[FAR],
        "fourier-spectrum/entropy": 1 - near,
        "fourier-spectrum/power": near[:, None] * np.exp(-np.arange(PLACES)),
        "train_loss": np.where(points > 0, 1 - near, np.nan),
    }
    return pa.table({name: nullable_column(values[:stop]) for name, values in columns.items()})


def _level(samples: np.ndarray, time: float) -> np.ndarray:
    return 1 / (1 + (time / np.maximum(samples, 1)) ** 6)


def _environment() -> Environment:
    return Environment(
        synthbench="0", python="3", torch="2", pytorch_lightning="2", platform="x", device="cpu",
        device_name="x", threads=1, plugins=(),
    )  # fmt: skip


def make_cells(folder: Path, settings: Sequence[Setting]) -> list[MeasuredCell]:
    return [make_cell(folder / str(i), setting) for i, setting in enumerate(settings)]
