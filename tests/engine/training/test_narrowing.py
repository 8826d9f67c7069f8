"""A stack that is narrowed as replicas stop gives each the bits of one that is not.

`pytest -m slow` adds attention with dropout, and muon, which is looped as another is by default.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import pytorch_lightning as pl
import torch
from torch import nn

import synthbench as sb
from synthbench.engine.axis.way import Draws, Execution, Way
from synthbench.engine.training import replica_training
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import BlockResult, TrainerOptions, train_block
from synthbench.engine.training.narrowing import narrower
from synthbench.engine.training.replica_training import ReplicaTraining
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed
from tests.engine.authored import Normalized, Plain
from tests.engine.optimizing import Normalized as NormalizedSteps
from tests.engine.optimizing import Reading

MODELS = {
    "sgd": "mlp width=16 momentum=0.9 clip=1 schedule=cosine lr=0.1",
    "adamw": "mlp width=3 optimizer=adamw lr=0.02 weight_decay=0.1 warmup=20",
    "muon": "mlp width=16 optimizer=muon lr=0.02",
    "attention with dropout": "transformer positions=absolute layers=1 mlp=2 dropout=0.1 lr=0.01",
}

LONG = {"budget": 25_600, "evaluation_samples": 256, "resolution": 0.1}
"""With attention, until some solve the task and others do not."""


@pytest.mark.parametrize(
    ("running", "places"),
    [
        ("11111111", None),
        ("11111000", None),
        ("11110000", [0, 1, 2, 3]),
        ("00101100", [0, 2, 4, 5]),
        ("00000001", [0, 7]),
        ("01", None),
        ("000001001010", [0, 5, 8, 10]),
        ("111110000000", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("00000000", None),
    ],
)
def test_widths_are_powers_of_two_and_never_below_the_narrowest(
    running: str, places: list[int] | None
) -> None:
    assert narrower([each == "1" for each in running]) == places


def test_a_width_that_costs_much_is_taken_for_a_larger_step_alone() -> None:
    assert narrower([True] * 3 + [False] * 5, factor=4) is None
    assert narrower([True] * 2 + [False] * 6, factor=4) == [0, 1]


class Dropping(Plain):
    """A network with masks, which are the replica's wherever it stands in the stack."""

    name: ClassVar[str] = "dropping"

    def build(self, interface: sb.Interface) -> nn.Module:
        (n,) = interface.input.shape
        return nn.Sequential(
            nn.Linear(n, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 1), nn.Flatten(0)
        )


def cell_of(model: sb.Model, **changes: object) -> Cell:
    chosen = {"budget": 5_120, "evaluation_samples": 128, "resolution": 0.3, **changes}
    protocol = sb.Protocol(seeds=9, hold=1, **chosen)
    return Cell(installed().task("sparse-parity n=8 k=2"), model, protocol)


def model_of(name: str) -> sb.Model:
    if name == "buffers":
        return Normalized()
    if name == "dropout":
        return Dropping()
    if name == "vmapped":
        return Plain(recipe=sb.Recipe(optimizer=NormalizedSteps(), lr=0.03))
    if name == "looped":
        return Plain(recipe=sb.Recipe(optimizer=Reading(), lr=0.03))
    return installed().model(MODELS[name])


@pytest.fixture
def widths(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The widths to which stacks are narrowed."""
    seen: list[int] = []

    def noting(running: list[bool], factor: int) -> list[int] | None:
        places = narrower(running, factor)
        if places is not None:
            seen.append(len(places))
        return places

    monkeypatch.setattr(replica_training, "narrower", noting)
    yield seen


def train(
    cell: Cell, path: Path, options: TrainerOptions | None = None, width: int = 9
) -> BlockResult:
    block = Block(0, tuple(cell.replica_seeds()), width, kept_steps=(100,))
    execution = Execution(Way.TRACED, Draws(intercepted=True))
    path.mkdir(exist_ok=True)
    chosen = options or TrainerOptions("cpu")
    return train_block(cell, block, chosen, execution, path / "checkpoint")


class Interrupt(pl.Callback):
    """Ctrl-C once the stack is narrower."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert isinstance(pl_module, ReplicaTraining)
        if pl_module.width == 4:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "name",
    [
        *("sgd", "adamw", "looped", "dropout", "buffers", "vmapped"),
        # Minutes, for what the small network with dropout shows.
        pytest.param("attention with dropout", marks=pytest.mark.slow),
        pytest.param("muon", marks=pytest.mark.slow),
    ],
)
def test_narrowed_or_not_or_resumed_the_bits_are_the_same(
    name: str, widths: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = cell_of(model_of(name), **(LONG if name == "attention with dropout" else {}))
    narrowed = train(cell, tmp_path / "narrowed")
    assert {8, 4}.intersection(widths), "some solve earlier than others"
    often = TrainerOptions("cpu", callbacks=(Interrupt(),), checkpoint_seconds=0)
    try:
        train(cell, tmp_path / "resumed", often)
    except KeyboardInterrupt:
        assert (tmp_path / "resumed" / "checkpoint").exists()
    resumed = train(cell, tmp_path / "resumed")
    monkeypatch.setattr(replica_training, "narrower", lambda running, factor: None)
    whole = train(cell, tmp_path / "whole", width=12)
    for other in (resumed, whole):
        assert other.table.equals(narrowed.table)
        for key, weights in narrowed.weights.items():
            assert torch.equal(weights, other.weights[key]), key
        for key, weights in narrowed.snapshots.items():
            assert torch.equal(weights, other.snapshots[key]), key


def test_what_is_logged_of_replicas_that_left_the_stack_is_their_last(
    tmp_path: Path, widths: list[int]
) -> None:
    seen: list[tuple[int, float, float]] = []

    class Watch(pl.Callback):
        def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            assert isinstance(pl_module, ReplicaTraining)
            logged = trainer.callback_metrics
            seen.append(
                (
                    pl_module.width,
                    float(logged["replicas_solved"]),
                    float(logged["median/accuracy"]),
                )
            )

    result = train(cell_of(model_of("sgd")), tmp_path, TrainerOptions("cpu", callbacks=(Watch(),)))
    assert widths and seen[-1][0] < 9
    last = result.table.to_pandas().groupby("replica").last()["accuracy"]
    assert seen[-1][2] == pytest.approx(last.median(), abs=1e-6)
