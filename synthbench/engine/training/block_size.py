"""In which way to train, and how many replicas at once: measured, because it cannot be guessed.

On a GPU wide blocks win until memory ends; on a CPU a block that leaves the cache can be
slower than a narrow one, and a stack slower than plain modules one after the other.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch
from synthbench.engine.axis.building import build_modules
from synthbench.engine.axis.memory import free_gpu_memory, is_out_of_memory
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.axis.replicas import stacked_replicas, true_dtype
from synthbench.engine.axis.state import State
from synthbench.engine.axis.way import Draws, Way
from synthbench.engine.data.sampling import batch_at, cast_batch, draw_worlds
from synthbench.engine.data.training_data import training_data
from synthbench.engine.optimizers.build import build_optimizer
from synthbench.engine.optimizers.elementwise import ElementwiseOptimizer
from synthbench.engine.training.block import NARROWEST
from synthbench.engine.training.cell_functions import CellFunctions, functions_of
from synthbench.engine.training.cuda_graphs import GraphCapture
from synthbench.engine.training.step import Trained
from synthbench.isolation.threads import threads
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of, noise_keys

TIMING_SECONDS = 0.06
"""Time spent on each candidate, beyond a first step that warms up."""
WORTH_IT = 1.02
"""A wider block must be at least this much faster per replica; ties go to the narrow one."""
FEW = 8
"""So many replicas are tried at once first: where that takes no time, nothing else is tried."""
SHORT_SECONDS = 1.0
"""A training that takes no longer than this is not worth measuring."""
BLOCK_SECONDS = 0.25
"""About what a block costs beside its steps: Lightning's set-up, references, its result."""
TURNS = 2
THREADS_WORTH_IT = 1.2
"""So much faster several threads must be than one, which leaves the rest of the machine free."""
PLAIN_WORTH_IT = 1.1
"""So much faster plain modules must be than a stack: a tie must not decide on last bits."""
YOUNG = 1
"""Generations that hold what was just made; to look through all that is imported takes 0.2 s."""
PLAIN_BYTES = 256 * 2**20
"""Largest size of the parameters of plain modules in one block."""


@dataclass(frozen=True)
class Stacks:
    """What was measured of stacks: their widths with replica-steps per second.

    steps, seeds: of the training to come.
    """

    rates: dict[int, float]
    short: bool
    steps: int
    seeds: int

    @property
    def best(self) -> float:
        """Replica-steps per second of the fastest."""
        return max(self.rates.values(), default=0.0)

    @property
    def left(self) -> float:
        """Seconds of all steps to come, at that width; 0 where nothing could be measured."""
        rate = self.rates.get(self.width)
        return self.steps * self.seeds / rate if rate else 0.0

    @property
    def width(self) -> int:
        """The narrowest that is done as soon as any."""
        seconds = {
            width: self.steps * self.seeds / rate + BLOCK_SECONDS * -(-self.seeds // width)
            for width, rate in self.rates.items()
        }
        soonest = min(seconds.values(), default=0.0)
        return min((w for w, s in seconds.items() if s <= soonest * WORTH_IT), default=NARROWEST)


def plain_width(cell: Cell, parameters: int) -> int:
    """How many plain modules a block holds; parameters: numbers of one."""
    return min(cell.protocol.seeds, max(PLAIN_BYTES // (4 * parameters), 1))


def plain_is_faster(cell: Cell, device: torch.device, stacks: Stacks, draws: Draws) -> bool:
    """Whether plain modules, one after the other, are clearly faster than the best stack."""
    if stacks.short:
        return False
    step = _plain_step(cell, device, draws)
    return NARROWEST * _steps_per_second(step, device) > PLAIN_WORTH_IT * stacks.best


def measure_stacks(cell: Cell, device: torch.device, functions: CellFunctions) -> Stacks:
    """Replica-steps per second of stacks of several widths.

    functions: the cell's; what is traced here need not be traced again. On a CPU tries widths 8,
    32, ... and all replicas, stopping when throughput no longer grows or memory ends, and 2 where
    wider brings nothing. A short training of few replicas takes all of them at once. On a GPU the
    widest that fits is taken.
    """
    if device.type == "cuda":
        return _widest_that_fits(cell, device, functions)
    rates: dict[int, float] = {}
    short = False
    for width in _candidates(cell.protocol.seeds):
        if rates:
            gc.collect(YOUNG)  # What the last candidate held.
        rate = _rate(cell, width, device, functions)
        if rate is None:
            break
        gains = rate > WORTH_IT * max(rates.values(), default=0.0)
        rates[width] = rate
        short = cell.steps * cell.protocol.seeds / rate <= SHORT_SECONDS
        if (short and width >= cell.protocol.seeds) or not gains:
            break
    gc.collect(YOUNG)
    first = rates[min(rates)] if rates else 0.0
    if NARROWEST not in rates and not short and first * WORTH_IT >= max(rates.values(), default=0):
        rate = _rate(cell, NARROWEST, device, functions)
        rates |= {} if rate is None else {NARROWEST: rate}
    return Stacks(rates, short, cell.steps, cell.protocol.seeds)


def _widest_that_fits(cell: Cell, device: torch.device, functions: CellFunctions) -> Stacks:
    """Until a GPU is full, more replicas take no longer; then each takes what it took."""
    seeds = cell.protocol.seeds
    width = max(seeds, NARROWEST)
    while (rate := _rate(cell, width, device, functions)) is None and width > NARROWEST:
        width = max(width // 2, NARROWEST)
    free_gpu_memory()
    short = rate is not None and cell.steps * seeds / rate <= SHORT_SECONDS
    return Stacks({} if rate is None else {width: rate}, short, cell.steps, seeds)


def _rate(cell: Cell, width: int, device: torch.device, functions: CellFunctions) -> float | None:
    """Replica-steps per second of a stack; None where it does not fit into memory."""
    try:
        step = _training_step(cell, width, device, functions)
        return width * _steps_per_second(step, device)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    gc.collect()
    free_gpu_memory()
    return None


def step_seconds(cell: Cell, width: int, device: torch.device, functions: CellFunctions) -> float:
    """Of one training step of a stack, measured."""
    return 1 / _steps_per_second(_training_step(cell, width, device, functions), device)


def more_threads_are_faster(
    cell: Cell, device: torch.device, width: int, functions: CellFunctions, available: int
) -> bool:
    """Whether all available threads take a step of a stack in clearly less time than one.

    In turns, and the slower of each counts: what a busy machine gives now it may not give later.
    """
    step = _training_step(cell, width, device, functions)
    one, all_of_them = [], []
    for _ in range(TURNS):
        one.append(_steps_per_second(step, device))
        with threads(available):
            all_of_them.append(_steps_per_second(step, device))
    return min(all_of_them) > THREADS_WORTH_IT * max(one)


def _candidates(replicas: int) -> Iterator[int]:
    widest, width = max(replicas, NARROWEST), FEW
    while width < widest:
        yield width
        width *= 4
    yield widest


def _steps_per_second(step: Callable[[], None], device: torch.device) -> float:
    step()
    _wait_for(device)
    if device.type == "cuda":
        # As they will run: one by one, launching a step's kernels takes longer than they do.
        step = GraphCapture()(step)
    start, steps = time.perf_counter(), 0
    while steps < 1 or time.perf_counter() - start < TIMING_SECONDS:
        step()
        _wait_for(device)
        steps += 1
    return steps / (time.perf_counter() - start)


def _training_step(
    cell: Cell, width: int, device: torch.device, functions: CellFunctions
) -> Callable[[], None]:
    """A scratch copy of the training step over `width` copies of the first replica."""
    dtype = true_dtype(cell.protocol.precision)
    one = stacked_replicas(cell.model, cell.interface, [cell.replica_seeds()[0].init])
    moved = one.with_state(
        {n: p.to(device) for n, p in one.parameters.items()},
        {n: b.to(device) for n, b in one.buffers.items()},
    )
    replicas = moved.to(dtype).tile(width)
    example = _example(cell, width, device)
    return _step(cell, functions, replicas.parameters, replicas.buffers, example)


def _plain_step(cell: Cell, device: torch.device, draws: Draws) -> Callable[[], None]:
    """The same of plain modules."""
    dtype = true_dtype(cell.protocol.precision)
    modules = build_modules(cell.model, cell.interface, [cell.replica_seeds()[0].init] * NARROWEST)
    replicas = PlainReplicas.of(cell.model, modules, cell.interface, draws, dtype)
    replicas.adopt(
        {n: p.to(device) for n, p in replicas.parameters.items()},
        {n: b.to(device) for n, b in replicas.buffers.items()},
    )
    functions = functions_of(replace(cell, teacher=None), replicas, Way.PLAIN)
    example = _example(cell, NARROWEST, device)
    return _step(cell, functions, replicas.parameters, replicas.buffers, example)


def _example(cell: Cell, width: int, device: torch.device) -> tuple[Batch, Tensor]:
    """The first batch of the first replica, and the keys of what it draws, `width` times."""
    seeds = cell.replica_seeds()[0]
    with torch.no_grad():
        worlds = draw_worlds(cell.task, keys_of([seeds.world] * width).to(device))
        keys = keys_of([seeds.train] * width).to(device)
        drawn = training_data(cell, worlds, keys).batches(range(1), cell.batch_size)
        batch = cast_batch(batch_at(drawn, 0), true_dtype(cell.protocol.precision))
        return batch, noise_keys(keys, range(1))[0]


def _step(
    cell: Cell,
    functions: CellFunctions,
    parameters: State,
    buffers: State,
    example: tuple[Batch, Tensor],
) -> Callable[[], None]:
    optimizer = build_optimizer(cell.model.recipe, parameters)
    batch, noise = example
    device = noise.device
    autocast = torch.autocast(
        device.type, torch.bfloat16, enabled=cell.protocol.precision == "bf16-mixed"
    )
    if functions.step is not None and isinstance(optimizer, ElementwiseOptimizer):
        whole, trained = functions.step, Trained(parameters, buffers, optimizer.moments, {})
        rates = optimizer.rates.at(range(1), next(iter(parameters.values())).dtype)[0].to(device)

        def step() -> None:
            with autocast:
                whole(trained, batch, noise, rates)

        return step

    def step_of_plugin() -> None:
        with autocast:
            gradients = functions.gradients(parameters, buffers, batch, noise)[0]
        for name, parameter in parameters.items():
            parameter.grad = gradients[name]
        optimizer.step()

    return step_of_plugin


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
