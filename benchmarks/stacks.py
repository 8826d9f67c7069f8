"""Steps of one stack as a training runs them, without evaluations; and what a step moves."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from synthbench.engine.axis.replicas import stacked_replicas
from synthbench.engine.axis.way import Way
from synthbench.engine.data.sampling import batch_at, batch_bytes, draw_worlds
from synthbench.engine.data.training_data import training_data
from synthbench.engine.inspection.flops import count_flops
from synthbench.engine.optimizers.build import build_optimizer
from synthbench.engine.optimizers.elementwise import ElementwiseOptimizer
from synthbench.engine.training.captured_steps import LENGTHS
from synthbench.engine.training.cell_functions import stacked_functions
from synthbench.engine.training.chunks import Chunk
from synthbench.engine.training.cuda_graphs import graph_capture
from synthbench.engine.training.data_room import LONGEST_CHUNK, steps_at_once
from synthbench.engine.training.drawn_steps import DrawnSteps
from synthbench.engine.training.step import Trained
from synthbench.engine.training.stepping import Stepping
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of, noise_keys


@dataclass(frozen=True)
class Speed:
    """Of one stack: seconds of a step, replica-steps per second, memory at its highest.

    graphs: whether steps were CUDA graphs; why: why not, where they should have been.
    """

    replicas: int
    graphs: bool
    why: str | None
    step_seconds: float
    first_seconds: float
    gib: float

    @property
    def rate(self) -> float:
        return self.replicas / self.step_seconds


class Stack:
    """R copies of a cell's first replica, each with its own data."""

    @torch.no_grad()
    def __init__(self, cell: Cell, replicas: int, device: torch.device) -> None:
        self.cell, self.replicas, self.device = cell, replicas, device
        one = stacked_replicas(cell.model, cell.interface, [cell.replica_seeds()[0].init])
        self.parameters = {n: nn.Parameter(self._tiled(p)) for n, p in one.parameters.items()}
        self.buffers = {n: self._tiled(b) for n, b in one.buffers.items()}
        self.keys = keys_of(list(range(replicas))).to(device)
        data = training_data(cell, draw_worlds(cell.task, self.keys), self.keys)
        size = cell.batch_size
        length = steps_at_once(batch_bytes(data.batches(range(1), size)), device)
        self.drawn = DrawnSteps(
            lambda steps: data.batches(steps, size),
            lambda steps: noise_keys(self.keys, steps),
            length,
        )
        self.functions = stacked_functions(cell, Way.TRACED)
        optimizer = build_optimizer(cell.model.recipe, self.parameters, steps=cell.steps)
        assert isinstance(optimizer, ElementwiseOptimizer)
        self.optimizer = optimizer

    def _tiled(self, tensor: Tensor) -> Tensor:
        own = tensor.detach().to(self.device)
        return own.expand(self.replicas, *own.shape[1:]).contiguous()

    def speed(self, seconds: float, graphs: bool = True) -> Speed:
        """Run steps for about so long, after those that set everything up."""
        capture = graph_capture(self.device, Way.TRACED) if graphs else None
        tensors = (self.parameters, self.buffers, {})
        stepping = Stepping(
            self.cell, self.functions, self.optimizer, self.drawn, tensors, capture=capture
        )
        losses = torch.zeros(self.replicas, dtype=torch.float64, device=self.device)
        began = time.perf_counter()
        # Of every length of a run.
        stepping.run(Chunk(0, 1), losses)
        stepping.run(Chunk(LONGEST_CHUNK, LONGEST_CHUNK + 22), losses)
        wait(self.device)
        first, at = time.perf_counter() - began, 2 * LONGEST_CHUNK
        reset_peak(self.device)
        began = time.perf_counter()
        stepping.run(Chunk(at, at + LENGTHS[0]), losses)
        wait(self.device)
        # Nothing is waited for in between, as between two evaluations.
        chunk = LENGTHS[0] if time.perf_counter() - began > seconds / 4 else LONGEST_CHUNK
        count = max(int(seconds / (time.perf_counter() - began) * LENGTHS[0] / chunk), 1)
        at, began = at + LONGEST_CHUNK, time.perf_counter()
        for _ in range(count):
            stepping.run(Chunk(at, at + chunk), losses)
            at += chunk
        wait(self.device)
        spent = (time.perf_counter() - began) / (count * chunk)
        captured = capture is not None and capture.captured > 0
        why = None if capture is None else capture.failure
        return Speed(self.replicas, captured, why, spent, first, peak_gib(self.device))

    def traffic(self) -> tuple[int, int]:
        """FLOPs of a step's products, and bytes that its kernels read and write one by one."""
        assert self.functions.step is not None
        step, moments = self.functions.step, self.optimizer.moments
        trained = Trained(self.parameters, self.buffers, moments, {})
        batches, noise = self.drawn.between(range(1))
        dtype = next(iter(self.parameters.values())).dtype
        rates = self.optimizer.rates.at(range(1), dtype, self.device)[0]

        def once() -> None:
            step(trained, batch_at(batches, 0), noise[0], rates)

        once()
        flops = count_flops(once)
        with Traffic() as counted:
            once()
        return flops, counted.bytes


class Traffic(TorchDispatchMode):
    """Counts the bytes of what operations read and write; views move nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        read = _tensors((args, kwargs))
        made = _tensors(result)
        lies = {t.untyped_storage().data_ptr() for t in read}
        is_view = made and all(t.untyped_storage().data_ptr() in lies for t in made)
        if func._schema.is_mutable or not is_view:
            self.bytes += sum(t.numel() * t.element_size() for t in (*read, *made))
        return result


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def reset_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()


def peak_gib(device: torch.device) -> float:
    return torch.cuda.max_memory_reserved() / 2**30 if device.type == "cuda" else 0.0


def peaks(device: torch.device) -> tuple[float, float]:
    """FLOP/s of a large float32 product and bytes/s of a large copy, measured here."""
    size = 8192 if device.type == "cuda" else 512
    a = torch.randn(size, size, device=device)
    out = torch.empty_like(a)
    product = _repeated(lambda: torch.mm(a, a, out=out), device)
    source = torch.zeros(2**28 if device.type == "cuda" else 2**22, device=device)
    target = torch.empty_like(source)
    copy = _repeated(lambda: target.copy_(source), device)
    return 2 * size**3 / product, 2 * source.numel() * 4 / copy


def _repeated(run: Any, device: torch.device, times: int = 5) -> float:
    run()
    wait(device)
    began = time.perf_counter()
    for _ in range(times):
        run()
    wait(device)
    return (time.perf_counter() - began) / times
