"""A replica's trajectory does not depend on which others it was batched with, to the bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest
import pytorch_lightning as pl
import torch

import synthbench as sb
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.way import Draws, Execution, Way
from synthbench.engine.inspection.cell import inspect_cell
from synthbench.engine.training.block import Block, split_blocks
from synthbench.engine.training.block_training import BlockResult, TrainerOptions, train_block
from synthbench.engine.training.lightning import lightning_alone
from synthbench.engine.training.replica_training import ReplicaTraining
from synthbench.plan.cell import Cell, ReplicaSeeds
from synthbench.registry.registry import installed
from tests.engine.authored import (
    Branching,
    Exploding,
    Frozen,
    Fussy,
    NaNProbe,
    Normalized,
    Plain,
    Scaled,
)


def train(
    cell: Cell, seeds: list[int], width: int, folder: Path, way: Way = Way.TRACED, **draws: bool
) -> BlockResult:
    block = Block(0, tuple(ReplicaSeeds.same(seed) for seed in seeds), width)
    execution = Execution(way, Draws(**draws))
    return train_block(cell, block, TrainerOptions("cpu"), execution, folder / "checkpoint")


def rows(result: BlockResult, replica: int) -> object:
    table = result.table
    return table.filter(pc.equal(table["replica"], replica)).drop_columns(["replica"])


@pytest.fixture(scope="module")
def brief(small_cell: Cell) -> Cell:
    """The small cell without its end: bits that differ do so in the first steps."""
    changes = {"budget": 1_280, "resolution": 0.3, "until": "budget"}
    return replace(small_cell, protocol=small_cell.protocol.model_copy(update=changes))


@pytest.fixture(scope="module")
def everyone(brief: Cell, tmp_path_factory: pytest.TempPathFactory) -> BlockResult:
    """Six replicas in one block."""
    return train(brief, list(range(6)), 6, tmp_path_factory.mktemp("everyone"))


@pytest.mark.parametrize(
    ("company", "width"), [([3], 2), ([3, 4], 2), ([9, 3, 1, 8, 12], 5), ([3, 5, 7], 8)]
)
def test_trajectories_are_equal_to_the_bit(
    brief: Cell, everyone: BlockResult, company: list[int], width: int, tmp_path: Path
) -> None:
    some = train(brief, company, width, tmp_path)
    for name in everyone.weights:
        assert torch.equal(everyone.weights[name][3], some.weights[name][company.index(3)])
    assert rows(everyone, 3).equals(rows(some, company.index(3)))


@pytest.fixture(scope="module")
def odd_cell() -> Cell:
    """Rows of 3 numbers are not aligned alike in every place of a stack."""
    registry = installed()
    protocol = sb.Protocol(budget=1_600, seeds=5, evaluation_samples=128, resolution=0.3)
    return Cell(registry.task("sparse-parity n=30 k=3"), registry.model("mlp width=3"), protocol)


@pytest.fixture(scope="module")
def odd_alone(odd_cell: Cell, tmp_path_factory: pytest.TempPathFactory) -> BlockResult:
    """Seed 7, first of two."""
    return train(odd_cell, [7, 8], 2, tmp_path_factory.mktemp("alone"))


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_odd_sizes_are_equal_to_the_bit_wherever_they_lie_in_memory(
    place: int, odd_cell: Cell, odd_alone: BlockResult, tmp_path: Path
) -> None:
    company = [8, 9, 6, 5]
    company.insert(place, 7)
    together = train(odd_cell, company, 5, tmp_path)
    assert rows(together, place).equals(rows(odd_alone, 0))


def test_a_block_size_that_does_not_divide_the_seeds_changes_nothing(
    brief: Cell, out: Path, settings: sb.Settings
) -> None:
    whole, parts = (
        sb.evaluate_cells([brief], out / str(width), replace(settings, replicas_per_block=width))[0]
        for width in (6, 4)
    )
    assert whole.record.compute.replicas_per_block == 6
    assert whole.measured.trajectories.table.equals(parts.measured.trajectories.table)


def test_chunks_of_another_length_change_nothing(
    brief: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = train(brief, [0, 1, 2], 3, tmp_path)
    monkeypatch.setattr("synthbench.engine.training.data_room.LONGEST_CHUNK", 3)
    short = train(brief, [0, 1, 2], 3, tmp_path)
    assert long.table.equals(short.table)


def test_blocks_are_balanced_and_padded() -> None:
    seeds = [ReplicaSeeds.same(seed) for seed in range(32)]
    blocks = split_blocks(seeds, 12)
    assert [(b.first, len(b.seeds), b.width) for b in blocks] == [
        (0, 11, 11),
        (11, 11, 11),
        (22, 10, 11),
    ]
    assert [s.init for s in blocks[2].padded()] == [*range(22, 32), 31]


@pytest.fixture(scope="module")
def good(brief: Cell, tmp_path_factory: pytest.TempPathFactory) -> BlockResult:
    """The network that may explode, where it does not."""
    cell = replace(brief, model=Exploding(factor=1))
    return train(cell, list(range(8)), 8, tmp_path_factory.mktemp("good"))


@pytest.mark.parametrize("factor", [1e37, 1e39])
def test_a_diverging_replica_is_marked_and_its_neighbours_do_not_notice(
    brief: Cell, good: BlockResult, factor: float, tmp_path: Path
) -> None:
    seeds = list(range(8))
    bad = train(replace(brief, model=Exploding(factor=factor)), seeds, 8, tmp_path)
    assert 0 < sum(bad.diverged) < 8 and not any(good.diverged)
    for r in seeds:
        if bad.diverged[r]:
            values = rows(bad, r).to_pandas().drop(columns="train_loss")
            assert np.isfinite(values[1:].to_numpy()).all()
            assert len(values) < len(rows(good, r)) / 2
        else:
            assert rows(bad, r).equals(rows(good, r))


def test_a_diverged_replica_is_recorded_and_censored_at_the_budget(
    small_cell: Cell, out: Path, settings: sb.Settings
) -> None:
    coarse = small_cell.protocol.model_copy(update={"resolution": 0.2})
    cell = replace(small_cell, model=Exploding(), protocol=coarse)
    record = sb.evaluate_cells([cell], out, settings)[0].record
    outcomes = [replica.outcome for replica in record.replicas]
    assert outcomes.count("diverged") == record.summary.diverged > 0
    assert record.summary.solved == outcomes.count("solved") > 0
    assert all(r.samples_to_target is None for r in record.replicas if r.outcome != "solved")


def test_plain_replicas_score_as_stacked_ones(small_cell: Cell, tmp_path: Path) -> None:
    cell = replace(small_cell, protocol=small_cell.protocol.model_copy(update={"budget": 640}))
    stacked = train(replace(cell, model=Plain()), [0, 1, 2], 3, tmp_path)
    plain = train(replace(cell, model=Branching()), [0, 1, 2], 3, tmp_path, way=Way.PLAIN)
    for name in stacked.weights:
        torch.testing.assert_close(stacked.weights[name], plain.weights[name], rtol=1e-4, atol=1e-6)
    assert stacked.table["step"].equals(plain.table["step"])
    np.testing.assert_allclose(stacked.table["loss"], plain.table["loss"], rtol=1e-4, atol=1e-6)


def test_buffers_belong_to_their_replica(brief: Cell, tmp_path: Path) -> None:
    cell = replace(brief, model=Normalized())
    together = train(cell, [0, 1, 2], 3, tmp_path)
    alone = train(cell, [1], 2, tmp_path)
    assert rows(together, 1).equals(rows(alone, 0))


def test_initialization_leaves_the_global_generator_alone(brief: Cell, tmp_path: Path) -> None:
    before = torch.random.get_rng_state()
    train(brief, [0, 1], 2, tmp_path)
    assert torch.equal(before, torch.random.get_rng_state())


def test_frozen_parameters_stay_and_are_not_counted(small_cell: Cell, tmp_path: Path) -> None:
    cell = replace(small_cell, model=Frozen())
    module = ReplicaTraining(cell, Block(0, tuple(ReplicaSeeds.same(s) for s in range(3)), 3))
    assert sorted(module.parameters_by_name) == ["second.bias", "second.weight"]
    before = {name: tensor.clone() for name, tensor in module.buffers_by_name.items()}
    assert sorted(before) == ["first.bias", "first.weight"]
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=5, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, inference_mode=False,
    )  # fmt: skip
    with lightning_alone():
        trainer.fit(module)
    assert all(torch.equal(module.buffers_by_name[name], before[name]) for name in before)
    assert inspect_cell(cell).parameters == 17


def test_a_plain_replica_that_raises_on_nan_does_not_stop_its_neighbours(
    small_cell: Cell, tmp_path: Path
) -> None:
    protocol = small_cell.protocol.model_copy(update={"budget": 480})
    cell = replace(small_cell, protocol=protocol)
    seeds = list(range(6))
    fussy = train(replace(cell, model=Fussy()), seeds, 6, tmp_path, way=Way.PLAIN)
    calm = train(replace(cell, model=Fussy(factor=1)), seeds, 6, tmp_path, way=Way.PLAIN)
    assert 0 < sum(fussy.diverged) < 6
    for r in seeds:
        assert fussy.diverged[r] or rows(fussy, r).equals(rows(calm, r))


def test_a_probe_cannot_change_the_training(brief: Cell, tmp_path: Path) -> None:
    without = train(brief, [0, 1], 2, tmp_path)
    with_probe = train(replace(brief, probes=(NaNProbe(),)), [0, 1], 2, tmp_path)
    assert with_probe.table["nan/value"].null_count == len(with_probe.table)
    assert with_probe.table.drop_columns(["nan/value"]).equals(without.table)


@pytest.mark.parametrize("optimizer", ["sgd", "muon"])
def test_a_scalar_parameter_is_trained_and_clipped(
    optimizer: str, brief: Cell, out: Path, settings: sb.Settings
) -> None:
    chosen = installed().optimizer(optimizer) if optimizer == "muon" else optimizer
    recipe = Scaled().recipe.model_copy(update={"optimizer": chosen})
    cell = replace(brief, model=Scaled(recipe=recipe))
    result = sb.evaluate_cells([cell], out, replace(settings, keep_weights=True))[0]
    network = result.network(0)
    assert float(network.scale.detach()) != 1.0


def test_everything_diverging_at_once_still_makes_a_record(
    small_cell: Cell, out: Path, settings: sb.Settings
) -> None:
    cell = replace(small_cell, model=Plain(recipe=sb.Recipe(lr=1e30)))
    record = sb.evaluate_cells([cell], out, settings)[0].record
    assert record.summary.diverged == 6 and record.summary.solved == 0


def test_a_looped_replica_that_failed_before_does_not_end_its_neighbours() -> None:
    """As after a resumption, when the first call already meets the broken replica."""

    def fussy(x: torch.Tensor) -> dict[str, torch.Tensor]:
        if not torch.isfinite(x).all():
            raise ValueError("not finite")
        return {"double": 2 * x}

    looped = over_replicas(fussy, looped=True)
    found = looped(torch.tensor([float("nan"), 3.0, float("nan")]))["double"]
    assert torch.isnan(found[[0, 2]]).all() and found[1] == 6
    assert torch.isnan(looped(torch.tensor([float("nan")] * 2))["double"]).all()
    with pytest.raises(ValueError, match="not finite"):
        over_replicas(fussy, looped=True)(torch.tensor([float("nan")] * 2))


def test_a_looped_count_is_an_integer_and_undefined_where_its_replica_failed() -> None:
    def count(x: torch.Tensor) -> dict[str, torch.Tensor]:
        if not torch.isfinite(x).all():
            raise ValueError("not finite")
        return {"positive": (x > 0).sum()}

    looped = over_replicas(count, looped=True)
    found = looped(torch.tensor([[1.0, 2.0], [-1.0, 3.0]]))["positive"]
    assert found.tolist() == [2, 1] and not found.is_floating_point()
    found = looped(torch.tensor([[1.0, 2.0], [float("nan"), 3.0]]))["positive"]
    assert found[0] == 2 and found[1].isnan()
