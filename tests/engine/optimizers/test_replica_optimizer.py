"""A plugin's optimizer on stacked parameters is each replica's own optimizer."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import synthbench as sb
from synthbench.engine.axis.way import BY_DEFAULT
from synthbench.engine.optimizers.needs import LOOPED, VMAPPED
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import TrainerOptions, train_block
from synthbench.listeners.listener import Silent
from synthbench.plan.cell import Cell, ReplicaSeeds
from synthbench.registry.kinds import MODEL
from synthbench.registry.registry import installed
from tests.engine.optimizers.stepping import MUON, RECIPE, REPLICAS, Named, draws, part, stepped
from tests.engine.optimizing import (
    Normalized,
    NormalizedStep,
    StepCountingStep,
    WhiteningStep,
    torch_optimizer,
    with_optimizer,
)


@pytest.mark.parametrize("looped", [True, False], ids=["looped", "vmapped"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_diverged_replica_turns_to_nan_and_its_neighbours_keep_every_bit(
    looped: bool, bad: float
) -> None:
    """The decomposition raises for a whole batch when one matrix of it has a NaN."""
    start, gradients = draws(3)
    chosen = torch_optimizer(WhiteningStep)
    healthy = stepped(chosen, start, gradients, looped)
    gradients[2]["first.weight"][4, 0, 0] = bad
    found = stepped(chosen, start, gradients, looped)
    others = [r for r in range(REPLICAS) if r != 4]
    for name, tensor in found.items():
        assert tensor[4].isnan().all()
        assert torch.equal(tensor[others], healthy[name][others])


@pytest.mark.parametrize("looped", [True, False], ids=["looped", "vmapped"])
@pytest.mark.parametrize(
    "chosen",
    [MUON, Normalized(), torch_optimizer(torch.optim.Adam), torch_optimizer(StepCountingStep)],
    ids=["muon", "normalized", "adam", "counting"],
)
def test_a_checkpoint_continues_to_the_same_bits(chosen: sb.Optimizer, looped: bool) -> None:
    start, gradients = draws(4)
    needs = LOOPED if looped else VMAPPED
    through = stepped(chosen, start, gradients, looped)

    def advance(stepper: ReplicaOptimizer, stacked: Named, steps: list[Named]) -> None:
        for step in steps:
            for name, tensor in stacked.items():
                tensor.grad = step[name].clone()
            stepper.step()

    stacked = {name: tensor.clone() for name, tensor in start.items()}
    first = ReplicaOptimizer(chosen, RECIPE, stacked, needs)
    advance(first, stacked, gradients[:3])
    file = io.BytesIO()
    torch.save({"weights": stacked, "optimizer": first.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    second = ReplicaOptimizer(chosen, RECIPE, saved["weights"], needs)
    second.load_state_dict(saved["optimizer"])
    advance(second, saved["weights"], gradients[3:])
    for name, tensor in through.items():
        assert torch.equal(saved["weights"][name], tensor), name
    fresh = ReplicaOptimizer(chosen, RECIPE, part(stacked, slice(None)), needs)
    advance(fresh, stacked, gradients[3:])
    assert not torch.equal(stacked["first.weight"], through["first.weight"]), "state matters"


@pytest.mark.parametrize("chosen", [MUON, Normalized()], ids=["looped muon", "vmapped"])
def test_trajectories_are_equal_to_the_bit_in_any_company(
    chosen: sb.Optimizer, small_cell: Cell, tmp_path: Path
) -> None:
    cell = with_optimizer(small_cell, chosen, lr=0.02, schedule="cosine", warmup=5, clip=1.0)
    changes = {"budget": 640, "until": "budget", "resolution": 0.5}
    cell = replace(cell, protocol=cell.protocol.model_copy(update=changes))

    def weights(seeds: list[int], width: int) -> Named:
        block = Block(0, tuple(ReplicaSeeds.same(seed) for seed in seeds), width)
        options = TrainerOptions("cpu")
        return train_block(cell, block, options, BY_DEFAULT, tmp_path / "checkpoint").weights

    everyone, some = weights([0, 1, 2, 3, 4], 5), weights([3, 1], 2)
    for name, tensor in everyone.items():
        assert torch.equal(tensor[3], some[name][0]) and torch.equal(tensor[1], some[name][1])
        assert tensor.isfinite().all()


def test_a_plain_loop_with_the_same_optimizer_ends_at_the_same_weights(
    small_cell: Cell, tmp_path: Path
) -> None:
    """In double precision; everything but data and initial weights is plain PyTorch."""
    from tests.engine.test_against_plain_loop import BATCH, STEPS, train_by_hand

    cell = with_optimizer(small_cell, Normalized(decay=0.5), lr=0.01)
    protocol = sb.Protocol(
        budget=STEPS * BATCH, seeds=2, until="budget", precision="64-true",
        evaluation_samples=128, resolution=0.5,
    )  # fmt: skip
    cell = replace(cell, protocol=protocol)
    block = Block(0, tuple(cell.replica_seeds()), 2)
    result = train_block(cell, block, TrainerOptions("cpu"), BY_DEFAULT, tmp_path / "checkpoint")
    for seed in range(2):
        expected = train_by_hand(
            cell.model, cell.task, seed, lambda p: NormalizedStep(list(p), 0.01, 0.5)
        )
        for name, tensor in expected.items():
            torch.testing.assert_close(result.weights[name][seed], tensor, rtol=1e-9, atol=1e-11)


def test_an_evaluation_names_the_optimizer_and_says_that_it_is_looped(
    small_cell: Cell, out: Path, settings: sb.Settings
) -> None:
    coarse = small_cell.protocol.model_copy(update={"seeds": 3, "resolution": 0.3})
    muon = installed().model("mlp width=16 optimizer=muon lr=0.02")
    cell = replace(small_cell, model=muon, protocol=coarse)

    class Notes(Silent):
        def __init__(self) -> None:
            self.heard: list[str] = []

        def note(self, text: str) -> None:
            self.heard.append(text)

    notes = Notes()
    result = sb.evaluate_cells([cell], out, replace(settings, listener=notes))[0]
    assert result.record.summary.solved == 3
    assert result.record.model == "mlp width=16 optimizer=muon lr=0.02"
    assert installed().rebuild(MODEL, result.record.plan["model"]) == cell.model
    assert [note for note in notes.heard if "one replica at a time" in note]
    assert "muon" in {plugin.plugin for plugin in result.record.environment.plugins}
