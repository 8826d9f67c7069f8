"""Submissions without training: logistic transitions at chosen times, recorded as real ones are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from synthbench.engine.inspection.cell import CellFacts
from synthbench.engine.training.block_training import BlockResult
from synthbench.evaluation.planning import plan_suite
from synthbench.evaluation.record_writing import (
    Provenance,
    describe_environment,
    write_record,
)
from synthbench.leaderboard.submissions.expected import reference_names
from synthbench.leaderboard.submissions.packing import Wording, pack
from synthbench.leaderboard.submissions.reading import CheckedSubmission
from synthbench.plan.cell import Cell
from synthbench.plan.schedule import evaluation_steps
from synthbench.plan.suite import Suite
from synthbench.plan.suite_reference import SuiteReference
from synthbench.records.schema import Distribution
from synthbench.registry.kinds import MODEL, PROBE, TASK, Kind
from synthbench.registry.registry import installed
from synthbench.results.measured_cell import MeasuredCell


def make_submission(
    suite: Suite,
    folder: Path,
    name: str,
    times: np.ndarray,
    model: str | None = None,
    **words: object,
) -> CheckedSubmission:
    """A submission whose replicas cross the target near `times` (C, R) samples; inf: never."""
    runs = folder / ".runs" / name
    cells = []
    for index, cell in enumerate(plan_suite(suite, [model or suite.reference])):
        run = runs / str(index)
        run.mkdir(parents=True)
        cells.append(record_cell(cell, suite, run, times[index]))
    described = Wording(name, **{"title": name, "authors": ("Ada Lovelace",), **words})
    return pack(cells, suite, described, "fixed-recipe", [], folder)


def record_cell(
    cell: Cell, suite: Suite, folder: Path, times: np.ndarray, step_flops: int = 1000
) -> MeasuredCell:
    """A record of logistic transitions, written by the code that writes every record."""
    rng = np.random.default_rng(int(cell.plan_hash()[:8], 16))
    facts = CellFacts(parameters=100, step_flops=step_flops)
    plugins = {
        registry_plugin(kind, name)
        for kind, name in [
            (TASK, cell.task.name),
            (MODEL, cell.model.name),
            *((PROBE, probe.name) for probe in cell.probes),
        ]
    }
    environment = describe_environment(
        torch.device("cpu"),
        tuple(
            Distribution(plugin=p, distribution="synthbench", version="0") for p in sorted(plugins)
        ),
    )
    reference = SuiteReference(name=suite.name, version=suite.version, hash=suite.hash())
    block = fake_block(cell, times, rng)
    write_record(folder, cell, [block], facts, Provenance(environment, reference, len(times)))
    from synthbench.records import read_record

    return MeasuredCell(read_record(folder), folder)


def registry_plugin(kind: Kind, name: str) -> str:
    return installed().names(kind)[name].name


def fake_block(cell: Cell, times: np.ndarray, rng: np.random.Generator) -> BlockResult:
    """One block whose replica r crosses the target at about `times[r]` samples, inf for never."""
    points = np.array(evaluation_steps(cell.steps, cell.protocol.resolution))
    samples = points * cell.model.recipe.batch_size
    target = cell.task.target
    ranked = next(iter(dict.fromkeys(_score_names(cell))))
    columns: dict[str, list] = {}
    references = [_references(cell, 0.5 + rng.uniform(0, 1e-3)) for _ in times]
    for replica, time in enumerate(times):
        shift = np.log(np.maximum(samples, 1) / time) if np.isfinite(time) else -20.0
        level = 1 / (1 + np.exp(-12 * shift - np.log(target / (1 - target))))
        level = np.broadcast_to(level, samples.shape)
        trivial = references[replica]["trivial"][ranked]
        score = trivial + level * (1.0 - trivial)
        progress = (score - trivial) / (1.0 - trivial)
        above = progress >= target
        held = np.flatnonzero(above[:-1] & above[1:])
        stop = held[0] + 2 if len(held) and cell.protocol.until == "solved" else len(points)
        own = {"replica": np.full(stop, replica), "step": points[:stop]}
        own |= {name: score[:stop] for name in _score_names(cell)}
        own |= {"loss": 1 - score[:stop], "progress": progress[:stop]}
        for probe in cell.probes:
            own |= {f"{probe.name}/{name}": np.sqrt(points[:stop]) for name in ("linf", "l2")}
        own["train_loss"] = np.where(points[:stop] > 0, 1 - score[:stop], np.nan)
        for name, values in own.items():
            columns.setdefault(name, []).append(values)
    table = pa.table({n: pa.array(np.concatenate(v), from_pandas=True) for n, v in columns.items()})
    return BlockResult(table, references, [False] * len(times), {}, 1.0)


def _score_names(cell: Cell) -> list[str]:
    return reference_names(cell.task)["trivial"]


def _references(cell: Cell, trivial: float) -> dict[str, dict[str, float]]:
    """All strategies but the optimal one score like the trivial one."""
    return {
        name: dict.fromkeys(scores, 1.0 if name == "optimal" else trivial)
        for name, scores in reference_names(cell.task).items()
    }


def log_normal_times(suite: Suite, factor: float, seed: int, spread: float = 0.2) -> np.ndarray:
    """(C, R) times around a fifth of each budget times a factor; beyond the budget: inf."""
    rng = np.random.default_rng(seed)
    budgets = np.array([cell.budget for cell in suite.cells], float)[:, None]
    drawn = budgets * 0.2 * factor * np.exp(spread * rng.normal(size=(len(budgets), suite.seeds)))
    return np.where(drawn < budgets, drawn, np.inf)
