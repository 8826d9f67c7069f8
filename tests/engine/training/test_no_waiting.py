"""Within a chunk of steps the host never waits for the device: tried with what would make it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

import synthbench as sb
from synthbench.engine.axis.way import Draws, Execution, Way
from synthbench.engine.optimizers.rates import Rates
from synthbench.engine.training import data_room, replica_training
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import TrainerOptions, train_block
from synthbench.engine.training.chunks import Chunk
from synthbench.engine.training.cuda_graphs import GraphCapture, Work
from synthbench.engine.training.inheritance import Inherited
from synthbench.engine.training.stepping import Stepping
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed
from tests.engine.training.waiting import HostWaits, NoWaiting
from tests.engine.wide_tasks import Rotated

WINDOW = 16
"""Steps whose batches are drawn at once: fewer than in use, so that few steps need a second."""
STEPS = 24
"""Into the second window of batches."""
PARITY = "sparse-parity n=8 k=2 noise=0.1"
CELLS = {
    "mlp": (PARITY, "mlp width=16 momentum=0.9 clip=1 schedule=cosine lr=0.1", {}),
    "dropout": (PARITY, "transformer positions=absolute layers=1 mlp=2 dropout=0.1", {}),
    "markov": ("markov symbols=3 length=12 last=4", "transformer layers=1 lr=0.01", {}),
    "stay or move": (
        "markov symbols=2 length=12 last=4 prior=doubly-stochastic",
        "transformer layers=1 lr=0.01",
        {},
    ),
    "order": ("markov symbols=2 length=12 last=4 order=2", "transformer layers=1 lr=0.01", {}),
    "induction": ("induction-copying symbols=4 length=12", "transformer layers=1 lr=0.01", {}),
    "finite": (PARITY, "mlp width=16 optimizer=adamw weight_decay=0.1", {"train_samples": 96}),
    "recurrent": ("markov symbols=2 length=3 last=1", "gru width=8", {}),
}


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Chunks that ran while nothing was allowed to wait; the first of a width sets things up."""
    seen: list[int] = []
    run: Callable[..., Tensor] = Stepping.run

    def watching(self: Stepping, chunk: Chunk, losses: Tensor) -> Tensor:
        if not vars(self).pop("is_new", False):
            seen.append(chunk.start)
            with NoWaiting():
                return run(self, chunk, losses)
        return run(self, chunk, losses)

    begin = Stepping.__init__

    def beginning(self: Stepping, *arguments: object) -> None:
        begin(self, *arguments)
        vars(self)["is_new"] = True

    monkeypatch.setattr(Stepping, "run", watching)
    monkeypatch.setattr(Stepping, "__init__", beginning)
    monkeypatch.setattr(data_room, "LONGEST_CHUNK", WINDOW)
    monkeypatch.setattr(Rates, "at", made_on_the_host(Rates.at))
    # As on a GPU, but for the capture itself.
    monkeypatch.setattr(replica_training, "graph_capture", lambda *_: AsItIs())
    return seen


def made_on_the_host(at: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Rates go to a device in a copy that is not waited for."""

    def made(*arguments: object) -> Tensor:
        with _disable_current_modes():
            return at(*arguments)

    return made


class AsItIs(GraphCapture):
    """Captures nothing."""

    def __call__(self, work: Work) -> Work:
        return work


def cell_of(task: sb.Task, model: str, **protocol: object) -> Cell:
    network = installed().model(model)
    batch = network.recipe.batch_size
    assert isinstance(batch, int)
    chosen = {
        "budget": STEPS * batch, "seeds": 3, "evaluation_samples": 128, "until": "budget",
        "resolution": 0.3,
    }  # fmt: skip
    return Cell(task, network, sb.Protocol(**{**chosen, **protocol}))


def train(cell: Cell, path: Path, inherited: Inherited | None = None) -> None:
    block = Block(0, tuple(cell.replica_seeds()), 3, inherited)
    execution = Execution(Way.TRACED, Draws(intercepted=True))
    train_block(cell, block, TrainerOptions("cpu"), execution, path / "checkpoint")


LONG = ("stay or move", "order", "induction")
"""Other samplers before the network of "markov"."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n in LONG else []) for n in CELLS]
)
def test_no_chunk_waits(name: str, tmp_path: Path, watched: list[int]) -> None:
    task, model, protocol = CELLS[name]
    train(cell_of(installed().task(task), model, **protocol), tmp_path)
    assert len(watched) > 5 and watched[-1] > WINDOW, "windows are drawn among them"


def test_no_chunk_of_a_curriculum_waits(tmp_path: Path, watched: list[int]) -> None:
    train(cell_of(Rotated(change=12), "mlp width=16"), tmp_path)
    assert len(watched) > 5


def test_no_chunk_waits_with_a_teacher_and_pruned_weights(
    tmp_path: Path, watched: list[int]
) -> None:
    source = cell_of(installed().task(PARITY), "mlp width=16")
    cell = replace(source, teacher=sb.Teacher(source, hard=0.5))
    module = source.model.build(source.interface)
    weights = {n: p.detach().expand(3, *p.shape).clone() for n, p in module.named_parameters()}
    pruned = {n: torch.rand(w.shape) < 0.5 for n, w in weights.items() if w.dim() == 3}
    train(cell, tmp_path, Inherited(pruned=pruned, teachers=(weights,)))
    assert len(watched) > 5


@pytest.mark.parametrize(
    "asking",
    [
        lambda x: x.sum().item(),
        lambda x: bool((x > 0).all()),
        lambda x: x.nonzero(),
        lambda x: x[x > 0],
        lambda x: x.masked_select(x > 0),
        lambda x: x.long().unique(),
        lambda x: x + torch.tensor([1.0, 2.0]),
        lambda x: x.index_put_((x > 0,), torch.ones(())),
    ],
)
def test_whatever_waits_is_noticed(asking: Callable[[Tensor], object]) -> None:
    x = torch.tensor([1.0, -1.0])
    with pytest.raises(HostWaits), NoWaiting():
        asking(x)
