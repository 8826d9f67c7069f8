"""Time of a compiled gradient step as a share of a replayed one, and what compiling takes.

Processor time of one thread. Cold: with an empty cache of torch's compiler (the first of all also
compiles its headers). Cached: in another process, with what the first has left.

    python benchmarks/compiled_step.py
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time

CELLS = [
    ("sparse-parity n=40 k=4", "mlp", 2),
    ("sparse-parity n=40 k=4", "mlp", 32),
    ("sparse-parity n=40 k=4", "mlp", 256),
    ("markov length=50", "transformer", 2),
    ("markov length=50", "transformer", 16),
]
SECONDS = 1.0
ROUNDS = 3


def measure(task: str, model: str, width: int) -> tuple[float, float]:
    """Seconds of compiling, and the ratio: the smallest of a few, taken in turn."""
    import torch

    import synthbench as sb
    from synthbench.engine.axis.compiling import Compiler
    from synthbench.engine.axis.tracing import Execute, replayed
    from synthbench.engine.axis.way import Way
    from synthbench.engine.training.block_size import _training_step
    from synthbench.engine.training.cell_functions import stacked_functions
    from synthbench.plan.cell import Cell
    from synthbench.registry.registry import installed

    torch.set_num_threads(1)
    registry = installed()
    cell = Cell(registry.task(task), registry.model(model), sb.Protocol(seeds=width))
    compiler = Compiler()
    kinds: list[Execute] = [replayed, compiler]
    steps = [
        _training_step(
            cell,
            width,
            torch.device("cpu"),
            stacked_functions(cell, Way.TRACED, execute).gradients,
        )
        for execute in kinds
    ]
    for step in steps:
        step()
    fastest = [float("inf")] * 2
    for _ in range(ROUNDS):
        for index, step in enumerate(steps):
            start, count = time.process_time(), 0
            while time.process_time() - start < SECONDS:
                step()
                count += 1
            fastest[index] = min(fastest[index], (time.process_time() - start) / count)
    return compiler.seconds, fastest[1] / fastest[0]


def elsewhere(number: int, cache: str) -> tuple[float, float]:
    """The same in a process of its own."""
    own = {**os.environ, "OMP_NUM_THREADS": "1", "TORCHINDUCTOR_CACHE_DIR": cache}
    command = [sys.executable, __file__, "--cell", str(number)]
    found = subprocess.run(command, env=own, capture_output=True, text=True, check=True)
    seconds, ratio = map(float, found.stdout.split())
    return seconds, ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cell", type=int, help="measure this one alone, in this process")
    number = parser.parse_args().cell
    if number is not None:
        print(*measure(*CELLS[number]))
        return
    print(platform.processor() or platform.machine())
    print(f"{'cell':45} {'replicas':>8} {'ratio':>6} {'cold':>7} {'cached':>7}")
    with tempfile.TemporaryDirectory() as cache:
        for index, (task, model, width) in enumerate(CELLS):
            cold, ratio = elsewhere(index, cache)
            cached, _ = elsewhere(index, cache)
            print(f"{task + ', ' + model:45} {width:8} {ratio:6.2f} {cold:5.1f} s {cached:5.1f} s")


if __name__ == "__main__":
    main()
