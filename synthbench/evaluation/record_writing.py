"""Turning the blocks of a finished cell into a record folder."""

from __future__ import annotations

import hashlib
import math
import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import save

from synthbench.engine.axis.way import Executor, Way
from synthbench.engine.data.fingerprints import data_fingerprints
from synthbench.engine.inspection.cell import CellFacts
from synthbench.engine.training.block_training import BlockResult, References
from synthbench.engine.training.joined_blocks import joined_blocks
from synthbench.evaluation.state_files import state_bytes
from synthbench.isolation.settings import changed_settings, in_tf32
from synthbench.metrics.ceiling import is_higher_better
from synthbench.metrics.cell_context import independent_replicas
from synthbench.metrics.summary import summarize
from synthbench.metrics.time_to_target import Target, TimesToTarget, times_to_target
from synthbench.metrics.trajectories import Trajectories
from synthbench.plan.cell import Cell
from synthbench.plan.suite_reference import SuiteReference
from synthbench.records.atomic import remove_file, write_atomically
from synthbench.records.content import parquet_bytes, record_bytes
from synthbench.records.reading import (
    CHECKPOINTS_FILE,
    RECORD_FILE,
    STATE_FILE,
    TRAJECTORIES_FILE,
    WEIGHTS_FILE,
)
from synthbench.records.schema import (
    Compute,
    Distribution,
    EarlierReplicas,
    Environment,
    Record,
    ReplicaRecord,
    earlier_below,
)

INSTRUCTIONS = {
    "MKL_ENABLE_INSTRUCTIONS": "",
    "MKL_CBWR": "AUTO",
    "ONEDNN_MAX_CPU_ISA": "",
    "DNNL_MAX_CPU_ISA": "",
}
"""What chooses the kernels of MKL and oneDNN, beside the CPU itself, and how SynthBench has it.

torch's own choice, `ATEN_CPU_CAPABILITY`, it says itself.
"""
LONGEST = 40
"""Characters of a variable that a record keeps."""


def describe_environment(
    device: torch.device, plugins: tuple[Distribution, ...], libraries: Sequence[str] = ()
) -> Environment:
    """The software and machine of this process; libraries: those that the task names."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _cpu_name()
    return Environment(
        synthbench=version("synthbench"),
        python=platform.python_version(),
        torch=torch.__version__,
        pytorch_lightning=version("pytorch-lightning"),
        platform=platform.platform(),
        device=device.type,
        device_name=name,
        libraries={library: version(library) for library in libraries},
        threads=torch.get_num_threads(),
        torch_settings=changed_settings(),
        tf32=in_tf32() if device.type == "cuda" else None,
        plugins=plugins,
    )


def _cpu_name() -> str:
    """Model and vector instructions of the CPU, on which the last bits depend."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.processor() or platform.machine()
    return f"{model} ({'; '.join([torch.backends.cpu.get_cpu_capability(), *_limits()])})"


def _limits() -> list[str]:
    """Variables that keep torch's libraries from instructions the CPU has, where they are set."""
    given = {name: os.environ.get(name, "").strip() for name in INSTRUCTIONS}
    return [
        f"{name}={re.sub(r'[^A-Za-z0-9_,.-]', '?', value)[:LONGEST]}"
        for name, value in given.items()
        if value not in ("", INSTRUCTIONS[name])
    ]


@dataclass(frozen=True)
class Provenance:
    """Where a result comes from: software and machine, suite, widest block.

    sources: hashes of the weights that the cell has taken over from others. way: how replicas
    were trained; looped: why one after the other, if they were. executor: of what was recorded.
    earlier: replicas that were trained elsewhere.
    """

    environment: Environment
    suite: SuiteReference | None
    widest: int
    sources: Mapping[str, str] = field(default_factory=dict)
    way: Way | None = None
    looped: str | None = None
    executor: Executor | None = None
    earlier: tuple[EarlierReplicas, ...] = ()


def target_of(cell: Cell, ranked: str, references: Sequence[References]) -> Target:
    """What counts as solved in this cell.

    ranked: the ranked score; references: what they score, for every replica.
    """
    task, protocol = cell.task, cell.protocol
    higher = is_higher_better(_ends(scores, ranked, task.ceiling) for scores in references)
    return Target(task.target, protocol.hold, protocol.budget, task.target_score, higher)


def _ends(references: References, ranked: str, ceiling: str) -> tuple[float, float]:
    """What the trivial reference and the ceiling score; NaN where that is undefined."""
    low, high = references["trivial"][ranked], references[ceiling][ranked]
    assert not isinstance(low, list) and not isinstance(high, list)
    return math.nan if low is None else low, math.nan if high is None else high


def write_record(
    folder: Path,
    cell: Cell,
    blocks: list[BlockResult],
    facts: CellFacts,
    provenance: Provenance,
) -> Record:
    """Write trajectories, then weights if the blocks hold any, then the record itself.

    The record comes last and names the hashes of the others: a folder with a record is a
    finished cell.
    """
    batch_size, whole = cell.batch_size, joined_blocks(blocks)
    trajectories = Trajectories.from_blocks([whole.table], batch_size, facts.step_flops)
    files = {TRAJECTORIES_FILE: parquet_bytes(trajectories.table)}
    files |= _weights_files(whole)
    target = target_of(cell, trajectories.ranked, whole.references)
    replicas = _replica_records(cell, whole, times_to_target(trajectories, target))
    record = Record(
        plan=cell.plan(),
        plan_hash=cell.plan_hash(),
        task=cell.task.label(),
        model=cell.label(),
        suite=provenance.suite,
        created=datetime.now(UTC).isoformat(timespec="milliseconds"),
        environment=provenance.environment,
        compute=Compute(
            parameters=facts.parameters,
            step_flops=facts.step_flops,
            replicas_per_block=provenance.widest,
            batch_size=batch_size if cell.model.recipe.batch_size == "full" else None,
            state_size=cell.model.state_size(cell.interface),
            looped=provenance.looped,
            way=provenance.way,
            executor=provenance.executor,
            cuda_graphs=whole.graphs,
            replica_steps=trajectories.replica_steps,
            wall_seconds=round(whole.seconds, 3),
        ),
        replicas=replicas,
        summary=summarize(
            trajectories,
            target,
            batch_size=batch_size,
            step_flops=facts.step_flops,
            diverged=sum(replica.outcome == "diverged" for replica in replicas),
            independent=independent_replicas(cell.protocol.seeds, cell.protocol.initializations),
        ),
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        sources=dict(provenance.sources),
        earlier=earlier_below(len(replicas), provenance.earlier),
    )
    # While a grown cell's files are exchanged it is unfinished, and its replicas lie in blocks.
    remove_file(folder / RECORD_FILE)
    for name, content in files.items():
        write_atomically(folder / name, content)
    write_atomically(folder / RECORD_FILE, record_bytes(record))
    return record


def _weights_files(whole: BlockResult) -> dict[str, bytes]:
    """Weights at the last evaluations and at those that are kept beside them, if there are any."""
    kept = {WEIGHTS_FILE: whole.weights, CHECKPOINTS_FILE: whole.snapshots}
    files = {file: save(state) for file, state in kept.items() if state}
    state = whole.state
    return files if state is None else {**files, STATE_FILE: state_bytes(state)}


def _replica_records(
    cell: Cell, whole: BlockResult, reached: TimesToTarget
) -> tuple[ReplicaRecord, ...]:
    seeds = cell.replica_seeds()
    fingerprints = data_fingerprints(cell, seeds)
    return tuple(
        ReplicaRecord(
            replica=r,
            seeds=vars(seeds[r]),
            data=fingerprints[r],
            outcome="solved"
            if reached.solved[r]
            else "diverged"
            if whole.diverged[r]
            else "censored",
            samples_to_target=int(reached.times[r]) if reached.solved[r] else None,
            references=whole.references[r],
        )
        for r in range(len(seeds))
    )


def _outcome(solved: bool, diverged: bool) -> Literal["solved", "censored", "diverged"]:
    if solved:
        return "solved"
    return "diverged" if diverged else "censored"
