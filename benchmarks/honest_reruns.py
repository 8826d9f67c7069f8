"""Trainings that differ by rounding alone, kept for `benchmarks/verification.py`.

    python benchmarks/honest_reruns.py [--out build/reruns] [--cell NAME ...] [--rounding NAME ...]
                                       [--seeds 32]

Every cell is trained as `synthbench eval` trains it, and again as `synthbench leaderboard verify`
does, once for each rounding: with other instruction sets of PyTorch and of MKL, with two threads,
with compiled steps, one replica at a time, on a GPU where there is one, and with weights whose
last bits are changed. What is in the folder already is not trained again, so that a folder that
was begun on another machine may be filled on this one: `here` is a rerun on this one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
import torch


@dataclass(frozen=True)
class Trained:
    """One cell: task, model, samples, replicas, held-out samples."""

    task: str
    model: str
    budget: int
    seeds: int = 16
    evaluation_samples: int = 512
    train_samples: int | None = None


CELLS = {
    "parity": Trained("sparse-parity n=30 k=3", "mlp width=100", 320_000, 32),
    "large-rate": Trained("sparse-parity n=20 k=3", "mlp width=50 lr=0.6", 96_000),
    "adam": Trained("sparse-parity n=20 k=3", "mlp width=50 optimizer=adam lr=0.03", 96_000),
    "narrow": Trained("sparse-parity n=20 k=3", "mlp width=3", 64_000),
    "transformer": Trained(
        "markov symbols=2 length=10 last=4 target=0.7", "transformer lr=0.01", 16_000, 8, 256
    ),
    "gru": Trained(
        "automaton machine=flip-flop length=6", "gru layers=1 width=16 mlp=0 lr=0.01", 16_000, 8
    ),
    "deltanet": Trained(
        "mqar pairs=2 symbols=8 length=12", "deltanet layers=1 width=16 mlp=0 lr=0.01", 16_000, 8
    ),
    "muon": Trained("sparse-parity n=20 k=3", "mlp width=30 optimizer=muon lr=0.02", 48_000),
    "grokking": Trained(
        "sparse-parity n=20 k=2",
        "mlp width=64 loss=square optimizer=adamw lr=0.005 weight_decay=1 batch_size=full",
        100_000,
        train_samples=200,
    ),
}


@dataclass(frozen=True)
class Rounding:
    """How a rerun rounds: environment variables, threads, executor, a seed of last bits, device.

    width: most replicas trained at once; None: as many as in the record.
    """

    variables: dict[str, str] = field(default_factory=dict)
    threads: int = 1
    executor: str = "replayed"
    nudge: int | None = None
    accelerator: str = "cpu"
    width: int | None = None


ROUNDINGS = {
    "here": Rounding(),
    **{f"nudge-{number}": Rounding(nudge=number) for number in range(1, 9)},
    "compiled": Rounding(executor="compiled"),
    "both-avx2": Rounding({"ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}),
    "both-oldest": Rounding(
        {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"}
    ),
    "threads-2": Rounding(threads=2),
    "alone": Rounding(width=1),
    "gpu": Rounding(accelerator="gpu"),
}


def train(name: str, folder: Path, seeds: int | None = None) -> None:
    """The cell's record, with the settings of a submission."""
    import synthbench as sb

    cell = CELLS[name]
    protocol = sb.Protocol(
        budget=cell.budget,
        seeds=seeds or cell.seeds,
        evaluation_samples=cell.evaluation_samples,
        train_samples=cell.train_samples,
    )
    settings = sb.Settings(
        replicas_per_block=min(protocol.seeds, 16), compile="never", workers=0, pictures=False
    )
    sb.evaluate(
        cell.task, cell.model, protocol=protocol, probes=["weight-movement"], out=folder,
        settings=settings,
    )  # fmt: skip


def retrain(name: str, folder: Path, rounding: str) -> None:
    """A table of all replicas, trained as `verify` does."""
    import synthbench as sb
    from synthbench.evaluation.planning import resolve_model, resolve_probe, resolve_task
    from synthbench.leaderboard.verification.rerun import rerun_replicas
    from synthbench.listeners.listener import Silent
    from synthbench.plan.cell import Cell

    own = ROUNDINGS[rounding]
    record = sb.read_results(folder)[0].measured.record
    cell = Cell(
        resolve_task(CELLS[name].task),
        resolve_model(CELLS[name].model),
        sb.Protocol(**record.protocol),
        (resolve_probe("weight-movement"),),
    )
    compute = {"executor": own.executor}
    if own.width is not None:
        compute["replicas_per_block"] = own.width
    environment = record.environment.model_copy(update={"threads": own.threads})
    asked = record.model_copy(
        update={
            "environment": environment, "compute": record.compute.model_copy(update=compute)
        }
    )  # fmt: skip
    replicas = range(cell.protocol.seeds)
    rerun = rerun_replicas(cell, replicas, own.accelerator, Silent(), asked, own.nudge)
    if rerun.executor == own.executor:
        pq.write_table(rerun.trajectories.table, table_of(folder, rounding))


def table_of(folder: Path, rounding: str) -> Path:
    """Where a rerun is kept."""
    return folder / f"{rounding}.parquet"


def main() -> None:
    """Train what is missing, each rounding in a process of its own, whose environment decides."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("build/reruns"))
    parser.add_argument("--cell", nargs="+", choices=CELLS, default=list(CELLS))
    parser.add_argument("--rounding", nargs="+", choices=ROUNDINGS, default=list(ROUNDINGS))
    parser.add_argument("--seeds", type=int, help="of each cell; default: its own")
    parser.add_argument("--here", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if not torch.cuda.is_available():
        given.rounding = [name for name in given.rounding if name != "gpu"]
    if given.here is not None:
        for name in given.cell:
            for rounding in given.here:
                _train_missing(name, given.out / name, rounding, given.seeds)
        return
    own = [] if given.seeds is None else ["--seeds", str(given.seeds)]
    _here(given.out, given.cell, ["record"], {}, own)
    alike: dict[str, list[str]] = {}
    for rounding in given.rounding:
        alike.setdefault(json.dumps(ROUNDINGS[rounding].variables), []).append(rounding)
    for variables, roundings in alike.items():
        _here(given.out, given.cell, roundings, json.loads(variables), own)


def _train_missing(name: str, folder: Path, rounding: str, seeds: int | None) -> None:
    begun = time.process_time()
    if rounding == "record":
        train(name, folder, seeds)
    elif not table_of(folder, rounding).exists():
        retrain(name, folder, rounding)
    print(f"{rounding} {name}: {time.process_time() - begun:.0f} s of CPU", flush=True)


def _here(
    out: Path, cells: list[str], roundings: list[str], variables: dict[str, str], own: list[str]
) -> None:
    """In a process with these environment variables, which PyTorch reads when it starts."""
    command = [sys.executable, __file__, "--out", str(out), "--here", *roundings, "--cell", *cells]
    command += own
    subprocess.run(command, check=True, env={**os.environ, **variables})


if __name__ == "__main__":
    main()
