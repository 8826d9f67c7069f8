"""Steps on a device that holds shapes and no numbers: whatever asks for a number fails there.

torch's `meta` device refuses to be read, copied to the host or mixed with tensors of the host, as
a GPU within a chunk must not be. `pytest -m slow` adds both ways of stepping for every cell.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import synthbench as sb
from synthbench.engine.axis.replicas import stacked_replicas
from synthbench.engine.axis.way import Way
from synthbench.engine.data.sampling import draw_worlds
from synthbench.engine.data.training_data import training_data
from synthbench.engine.optimizers.build import build_optimizer
from synthbench.engine.training.cell_functions import CellFunctions, stacked_functions
from synthbench.engine.training.chunks import Chunk
from synthbench.engine.training.drawn_steps import DrawnSteps
from synthbench.engine.training.stepping import Stepping
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed
from synthbench.streams import noise_keys

NOWHERE = torch.device("meta")
REPLICAS = 3
CELLS = {
    "mlp": ("sparse-parity n=8 k=2 noise=0.1", "mlp width=16 momentum=0.9 clip=1", {}),
    "finite": ("sparse-parity n=8 k=2", "mlp width=16 optimizer=adamw", {"train_samples": 96}),
    "transformer": ("markov symbols=3 length=6 last=4", "transformer layers=1", {}),
    "dropout": (
        "sparse-parity n=8 k=2",
        "transformer positions=absolute layers=1 mlp=2 dropout=0.1",
        {},
    ),
    "induction": ("induction-copying symbols=4 length=12", "transformer layers=1", {}),
}


@pytest.fixture(autouse=True)
def known_to_autocast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Autocast has no word for that device; it is off in these steps."""
    for name in ("is_autocast_enabled", "get_autocast_dtype", "autocast"):
        monkeypatch.setattr(torch, name, _on_cpu(getattr(torch, name)))


def _on_cpu(real: Callable[..., Any]) -> Callable[..., Any]:
    def called(kind: str, *rest: Any, **named: Any) -> Any:
        return real("cpu" if kind == "meta" else kind, *rest, **named)

    return called


class Crossings(TorchDispatchMode):
    """Keeps the operations that take tensors of one device to another."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        leaves = tree_leaves((args, kwargs, result))
        if len({leaf.device for leaf in leaves if isinstance(leaf, torch.Tensor)}) > 1:
            self.seen.append(str(func))
        return result


@cache
def functions_of(name: str) -> tuple[Cell, CellFunctions]:
    """A cell and its functions, which are recorded once for both ways of stepping."""
    task, model, protocol = CELLS[name]
    chosen = sb.Protocol(budget=64_000, seeds=2, until="budget", **protocol)
    cell = Cell(installed().task(task), installed().model(model), chosen)
    return cell, stacked_functions(cell, Way.TRACED)


def stepping_of(name: str, captured: bool) -> Stepping:
    cell, functions = functions_of(name)
    one = stacked_replicas(cell.model, cell.interface, [cell.replica_seeds()[0].init])
    parameters = {
        name: nn.Parameter(torch.empty(REPLICAS, *p.shape[1:], device=NOWHERE))
        for name, p in one.parameters.items()
    }
    keys = torch.empty(REPLICAS, 2, dtype=torch.int64, device=NOWHERE)
    data = training_data(cell, draw_worlds(cell.task, keys), keys)
    drawn = DrawnSteps(
        lambda steps: data.batches(steps, cell.batch_size),
        lambda steps: noise_keys(keys, steps),
        length=4,
    )
    optimizer = build_optimizer(cell.model.recipe, parameters, steps=cell.steps)
    capture = (lambda work: work) if captured else None
    return Stepping(cell, functions, optimizer, drawn, (parameters, {}, {}), capture=capture)


BRIEF = [
    ("mlp", True),
    ("mlp", False),
    ("finite", False),
    ("transformer", False),
    ("dropout", True),
]
"""Each of the cells once, and one in both ways. "induction" has the network of "transformer"."""


@pytest.mark.parametrize(
    ("name", "captured"),
    [
        pytest.param(name, captured, marks=[] if (name, captured) in BRIEF else [pytest.mark.slow])
        for name in CELLS
        for captured in (True, False)
    ],
)
def test_a_chunk_takes_one_copy_to_the_device_and_none_back(name: str, captured: bool) -> None:
    stepping = stepping_of(name, captured)
    losses = torch.zeros(REPLICAS, dtype=torch.float64, device=NOWHERE)
    stepping.run(Chunk(0, 1), losses)
    with Crossings() as crossings:
        # From within a window over a whole one.
        found = stepping.run(Chunk(1, 8), losses)
    assert found.device == NOWHERE and found.shape == (REPLICAS,)
    assert crossings.seen == ["aten._to_copy.default"], "the rates of all steps"
