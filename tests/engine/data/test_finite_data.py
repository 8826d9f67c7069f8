"""A finite training set: every sample once an epoch, the same bits whatever the company."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import synthbench as sb
from synthbench.engine.data.finite_data import FiniteData, Shuffle, drawn_samples
from synthbench.engine.data.sampling import draw_worlds
from synthbench.errors import ConfigurationError
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed
from synthbench.streams import keys_of
from tests.engine.test_replica_independence import rows, train


def finite(samples: int, seeds: tuple[int, ...] = (0, 1, 2), n: int = 40) -> FiniteData:
    task, keys = installed().task(f"sparse-parity n={n}"), keys_of(list(seeds))
    return FiniteData(drawn_samples(task, draw_worlds(task, keys), keys, samples), keys)


@pytest.fixture
def finite_cell(small_cell: Cell) -> Cell:
    protocol = small_cell.protocol.model_copy(
        update={"budget": 1_600, "train_samples": 50, "resolution": 0.3}
    )
    return replace(small_cell, protocol=protocol)


@pytest.mark.parametrize(("samples", "size", "steps"), [(10, 4, 5), (7, 7, 3), (100, 32, 25)])
def test_an_epoch_visits_every_sample_once(samples: int, size: int, steps: int) -> None:
    data = finite(samples)
    seen = data.batches(range(steps), size).x
    assert seen.shape == (steps, 3, size, 40)
    places = steps * size
    for r in range(3):
        order = [tuple(row) for row in seen[:, r].reshape(-1, 40).tolist()]
        for start in range(0, places - samples + 1, samples):
            assert len(set(order[start : start + samples])) == samples
        assert set(order) == {tuple(row) for row in data.samples.x[r].tolist()}
        assert max(Counter(order).values()) == -(-places // samples)


def test_epochs_and_replicas_have_orders_of_their_own() -> None:
    order = Shuffle(keys_of([0, 1, 2]), 64)
    orders = order.places(range(3), 64).reshape(9, 64)
    assert len({tuple(order.tolist()) for order in orders}) == 9
    assert torch.equal(orders.sort(dim=1).values, torch.arange(64).expand(9, 64))


def test_steps_may_be_asked_for_one_by_one_and_labels_stay_with_their_samples() -> None:
    data = finite(50)
    together = data.batches(range(3, 9), 16)
    for index, step in enumerate(range(3, 9)):
        alone = data.batches(range(step, step + 1), 16)
        assert torch.equal(alone.x[0], together.x[index])
        assert torch.equal(alone.y[0], together.y[index])
    task = installed().task("sparse-parity n=40")
    supports = draw_worlds(task, keys_of([0, 1, 2]))
    for r in range(3):
        assert torch.equal(together.x[:, r][..., supports[r]].prod(-1), together.y[:, r])


def test_the_samples_are_the_exported_training_split() -> None:
    found = finite(1100, seeds=(5, 6)).samples
    exported = installed().task("sparse-parity n=40").dataset({"train": 1100}, seed=6)["train"]
    assert np.array_equal(found.x[1].numpy(), np.array(exported["x"]))


def test_a_replica_does_not_depend_on_its_company(finite_cell: Cell, tmp_path: Path) -> None:
    everyone = train(finite_cell, list(range(6)), 6, tmp_path)
    some = train(finite_cell, [9, 3], 2, tmp_path)
    assert rows(everyone, 3).equals(rows(some, 1))


def test_few_samples_are_memorized_and_nothing_is_learnt(tmp_path: Path, small_cell: Cell) -> None:
    protocol = sb.Protocol(
        seeds=4, budget=32_000, train_samples=64, evaluation_samples=512, resolution=0.3
    )
    result = sb.evaluate(
        "sparse-parity n=30 k=4", "mlp width=100", protocol=protocol, out=tmp_path,
        settings=sb.Settings(sb.TrainerOptions(accelerator="cpu"), replicas_per_block=4),
    )  # fmt: skip
    last = result.measured.trajectories.to_pandas().groupby("replica").last()
    assert (last["train_accuracy"] == 1).all() and (last["train_progress"] > 0.95).all()
    assert (last["accuracy"] < 0.6).all()
    assert result.record.summary.solved == 0


def test_fresh_samples_have_no_training_columns(small_cell: Cell, tmp_path: Path) -> None:
    assert "train_progress" not in train(small_cell, [0, 1], 2, tmp_path).table.column_names


def test_less_than_a_batch_is_refused(small_cell: Cell) -> None:
    protocol = small_cell.protocol.model_copy(update={"train_samples": 31})
    with pytest.raises(ConfigurationError, match="train_samples = 31 is below one batch of 32"):
        replace(small_cell, protocol=protocol).check()
