"""How long all metrics of a large suite take, against reading its trajectories from disk.

    python benchmarks/metrics_speed.py [--cells 50] [--replicas 256] [--repeats 3]

Every cell is synthetic: a noisy plateau, a rise at a log-normal time, some replicas that never
learn, one probe. About 200 evaluation points per replica.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthbench.metrics.cell_context import CellContext
from synthbench.metrics.measuring import measure_cell
from synthbench.metrics.time_to_target import Target
from synthbench.metrics.trajectories import Trajectories
from synthbench.plan.schedule import evaluation_steps

BATCH, STEPS, REFERENCE_GAP = 32, 70_000, 0.5


def make_cell(seed: int, replicas: int) -> tuple[Trajectories, CellContext]:
    """One cell of `replicas` x about 200 points."""
    generator = np.random.default_rng(seed)
    steps = np.array(evaluation_steps(STEPS, 0.05))
    logs = np.log10(np.maximum(steps * BATCH, 1))
    middle = generator.normal(4.8, 0.25, (replicas, 1))
    middle[: replicas // 10] = 9
    rise = 1 / (1 + np.exp(-(logs - middle) / 0.05))
    progress = rise + 0.02 * generator.standard_normal(rise.shape) * (rise < 0.99)
    columns = {
        "replica": np.repeat(np.arange(replicas), len(steps)),
        "step": np.tile(steps, replicas),
        "accuracy": (0.5 + REFERENCE_GAP * progress).flatten(),
        "progress": progress.flatten(),
        "weight-movement/linf": (logs / 6 + rise).flatten(),
    }
    budget = STEPS * BATCH
    setting = CellContext(
        Target(0.96, 2, budget), steps * float(BATCH), BATCH, [False] * replicas,
        [{"trivial": 0.5, "half": 0.75, "optimal": 1.0}] * replicas,
    )  # fmt: skip
    return Trajectories.from_blocks([pa.table(columns)], BATCH, 1000), setting


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("cells", 50), ("replicas", 256), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    made = [make_cell(seed, options.replicas) for seed in range(options.cells)]
    points = len(made[0][0].by_replica("step")[0])
    seconds, reading = [], []
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{index}.parquet" for index in range(len(made))]
        for path, (trajectories, _) in zip(paths, made, strict=True):
            pq.write_table(trajectories.table, path)
        for _ in range(options.repeats):
            start = time.perf_counter()
            read = [Trajectories.read(path) for path in paths]
            reading.append(time.perf_counter() - start)
            start = time.perf_counter()
            for trajectories, (_, setting) in zip(read, made, strict=True):
                measure_cell(trajectories, setting)
            seconds.append(time.perf_counter() - start)
    each = [f"{s:.1f}" for s in seconds]
    median = statistics.median(seconds)
    print(f"{options.cells} cells x {options.replicas} replicas x {points} points")
    print(f"all metrics: median {median:.1f} s of {', '.join(each)} s")
    print(f"{median / statistics.median(reading):.0f} times as long as reading the parquet files")


if __name__ == "__main__":
    main()
