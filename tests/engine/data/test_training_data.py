"""Where training batches come from: fresh, finite, whole, or under a curriculum."""

import pytest
import torch

import synthbench as sb
from synthbench.engine.data.sampling import batch_at, draw_worlds
from synthbench.engine.data.training_data import training_data
from synthbench.errors import TaskError
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of
from tests.engine.wide_tasks import ModularSum, Pairs, Rotated

KEYS = keys_of([3, 4, 5])


def data_of(task, batch_size, builder=Pairs, **protocol):
    model = sb.as_model(builder, sb.Recipe(batch_size=batch_size))
    cell = Cell(task, model, sb.Protocol(**protocol))
    return cell, training_data(cell, draw_worlds(task, KEYS), KEYS)


def test_an_epoch_visits_every_row_of_a_training_set_once() -> None:
    cell, data = data_of(ModularSum(p=6), 6)
    assert cell.train_rows == 18 and cell.batch_size == 6
    batches = data.batches(range(3), 6)
    for r in range(3):
        seen = {tuple(pair) for pair in batches.x[:, r].reshape(-1, 2).tolist()}
        own = {tuple(pair) for pair in data.samples_at(0).x[r].tolist()}
        assert seen == own and len(seen) == 18
    assert torch.equal(batches.y, batches.x.sum(-1) % 6)


def test_a_full_batch_is_the_whole_training_set_at_every_step() -> None:
    cell, data = data_of(ModularSum(p=6), "full", budget=180)
    assert cell.batch_size == 18 and cell.steps == 10
    batches = data.batches(range(2), cell.batch_size)
    for step in range(2):
        assert torch.equal(batch_at(batches, step).x, data.samples_at(0).x)


def test_fewer_rows_of_a_training_set_may_be_asked_for() -> None:
    cell, data = data_of(ModularSum(p=6), "full", train_samples=5)
    _, whole = data_of(ModularSum(p=6), "full")
    assert cell.batch_size == 5
    assert torch.equal(data.samples_at(0).x, whole.samples_at(0).x[:, :5])


def test_a_curriculum_on_fresh_samples_follows_the_step() -> None:
    _, data = data_of(Rotated(change=3), 64)
    batches = data.batches(range(1, 5), 64)
    for index, step in enumerate(range(1, 5)):
        x, y = batches.x[index], batches.y[index]
        expected = x[..., 0] if step < 3 else x[..., 0] * x[..., 1]
        assert torch.equal(y, expected)
    # However steps are cut into chunks.
    assert torch.equal(data.batches(range(4, 5), 64).x[0], batches.x[3])


def test_a_curriculum_on_a_finite_set_shows_the_same_samples_at_every_step() -> None:
    _, data = data_of(Rotated(change=3), 8, train_samples=16)
    before, after = data.samples_at(0), data.samples_at(3)
    assert torch.equal(before.x, after.x)
    assert torch.equal(before.y, before.x[..., 0])
    assert torch.equal(after.y, after.x[..., 0] * after.x[..., 1])
    batches = data.batches(range(6), 8)
    for r in range(3):
        known = before.x[r].tolist()
        for epoch in range(3):
            seen = batches.x[2 * epoch : 2 * epoch + 2, r].reshape(-1, 4).tolist()
            assert sorted(seen) == sorted(known)
    for step in range(6):
        x, y = batches.x[step], batches.y[step]
        assert torch.equal(y, x[..., 0] if step < 3 else x[..., 0] * x[..., 1])


def test_a_full_batch_under_a_curriculum() -> None:
    _, data = data_of(Rotated(change=1), "full", train_samples=5)
    batches = data.batches(range(2), 5)
    for step in range(2):
        assert torch.equal(batches.y[step], data.samples_at(step).y)


def test_a_training_set_and_a_curriculum_do_not_go_together() -> None:
    class Both(ModularSum):
        name = "both"

        def sample_at(self, world, rng, size, step):
            return self.pairs(world[0])

    with pytest.raises(TaskError, match="leave one of them out"):
        Cell(Both(), sb.as_model(Pairs), sb.Protocol()).check()
