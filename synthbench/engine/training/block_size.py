"""How many replicas to train at once: measured, because it cannot be guessed.

On a GPU wide blocks win until memory ends; on a CPU a block that leaves the cache can be
slower than a narrow one.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator

import torch

from synthbench.engine.axis.gradients import Gradients
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.replicas import build_modules, stack_modules, true_dtype
from synthbench.engine.data.sampling import batch_at, cast_batch, draw_worlds
from synthbench.engine.data.training_data import training_data
from synthbench.engine.optimizers.build import build_optimizer
from synthbench.engine.training.block import NARROWEST
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of

TIMING_SECONDS = 0.1
"""Time spent on each candidate, beyond a first step that warms up."""
WORTH_IT = 1.02
"""A wider block must be at least this much faster per replica; ties go to the narrow one."""
FEW = 8
"""So many replicas are tried at once first: where that takes no time, nothing else is tried."""
SHORT_SECONDS = 1.0
"""A training that takes no longer than this is not worth measuring."""


def measure_block_size(cell: Cell, device: torch.device, gradients: Gradients) -> int:
    """The number of replicas per block with the highest replica-steps per second.

    gradients: the cell's; what is traced here need not be traced again. Tries widths 2, 8,
    32, ... and all replicas, stopping when throughput falls clearly or memory ends. A short
    training of few replicas takes all of them at once.
    """
    rates: dict[int, float] = {}
    for width in _candidates(cell.protocol.seeds):
        if rates:
            gc.collect()  # What the last candidate held.
        try:
            step = _training_step(cell, width, device, gradients)
            rate = width * _steps_per_second(step, device)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            gc.collect()
            break
        rates[width] = rate
        short = cell.steps * cell.protocol.seeds / rate <= SHORT_SECONDS
        if (short and width >= cell.protocol.seeds) or rate < 0.8 * max(rates.values()):
            break
    if len(rates) > 1:
        gc.collect()
    best = max(rates.values(), default=0.0)
    return min((w for w, rate in rates.items() if rate * WORTH_IT >= best), default=NARROWEST)


def _candidates(replicas: int) -> Iterator[int]:
    widest = max(replicas, NARROWEST)
    if widest <= FEW:
        yield widest
    width = NARROWEST
    while width < widest:
        yield width
        width *= 4
    if widest > FEW:
        yield widest


def _steps_per_second(step: Callable[[], None], device: torch.device) -> float:
    step()
    _wait_for(device)
    start, steps = time.perf_counter(), 0
    while steps < 2 or time.perf_counter() - start < TIMING_SECONDS:
        step()
        _wait_for(device)
        steps += 1
    return steps / (time.perf_counter() - start)


def _training_step(
    cell: Cell, width: int, device: torch.device, gradients_of: Gradients
) -> Callable[[], None]:
    """A scratch copy of the training step over `width` copies of the first replica."""
    seeds = cell.replica_seeds()[0]
    dtype = true_dtype(cell.protocol.precision)
    modules = build_modules(cell.model, cell.interface, [seeds.init])
    replicas = stack_modules(cell.model, modules).to(dtype).tile(width)
    parameters = {n: p.to(device) for n, p in replicas.parameters.items()}
    buffers = {n: b.to(device) for n, b in replicas.buffers.items()}
    optimizer = build_optimizer(cell.model.recipe, parameters)
    with torch.no_grad():
        worlds = draw_worlds(cell.task, keys_of([seeds.world] * width).to(device))
        keys = keys_of([seeds.train] * width).to(device)
        drawn = training_data(cell, worlds, keys).batches(range(1), cell.batch_size)
        batch = cast_batch(batch_at(drawn, 0), dtype)
    autocast = torch.autocast(
        device.type, torch.bfloat16, enabled=cell.protocol.precision == "bf16-mixed"
    )

    def step() -> None:
        with autocast:
            gradients, _ = gradients_of(parameters, buffers, batch)
        for name, parameter in parameters.items():
            parameter.grad = gradients[name]
        optimizer.step()

    return step


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
