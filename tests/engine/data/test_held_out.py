"""The test sets of a task: samplers with numbers of their own, finite sets scored whole."""

import torch

import synthbench as sb
from synthbench.engine.data.fingerprints import data_fingerprints
from synthbench.engine.data.held_out import held_out_sets
from synthbench.engine.data.sampling import draw_batch, draw_worlds
from synthbench.plan.cell import Cell, ReplicaSeeds
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, keys_of
from tests.engine.wide_tasks import ModularSum, Pairs, RunningParity

KEYS = keys_of([3, 4])


def test_the_default_set_is_what_it_always_was() -> None:
    task = installed().task("sparse-parity n=9 k=2")
    worlds = draw_worlds(task, KEYS)
    (only,) = held_out_sets(task)
    found = list(only.batches(worlds, KEYS, sb.Protocol(evaluation_samples=256)))
    assert only.name == "" and len(found) == 2
    for index, batch in enumerate(found):
        expected = draw_batch(task, worlds, KEYS, Purpose.EVAL, index, 128)
        assert torch.equal(batch.x, expected.x) and torch.equal(batch.y, expected.y)


def test_a_finite_set_is_given_whole_and_has_no_training_row() -> None:
    task = ModularSum(p=7)
    worlds = draw_worlds(task, KEYS)
    held_out, every = held_out_sets(task)
    assert (held_out.name, every.name) == ("", "all")
    batches = list(held_out.batches(worlds, KEYS, sb.Protocol(evaluation_batch=10)))
    assert [batch.x.shape[1] for batch in batches] == [10, 10, 5]
    for r in range(2):
        tested = {tuple(x) for batch in batches for x in batch.x[r].tolist()}
        trained = {tuple(x) for x in task.pairs(worlds[0][r]).x.tolist()}
        assert len(tested) == 25 and len(trained) == 24 and not tested & trained
        assert len(tested | trained) == 49


def test_samplers_of_one_task_do_not_repeat_each_others_numbers() -> None:
    sets = held_out_sets(RunningParity(length=12, longer=(11,)))
    worlds = draw_worlds(sets[0].task, KEYS)
    first, second = (next(each.batches(worlds, KEYS, sb.Protocol())) for each in sets)
    same = first.x[0].flatten()[:64] == second.x[0].flatten()[:64]
    assert 10 < int(same.sum()) < 54


def test_each_set_has_its_own_length() -> None:
    task = RunningParity(length=6, longer=(9, 12))
    worlds = draw_worlds(task, KEYS)
    found = [next(each.batches(worlds, KEYS, sb.Protocol())).x.shape[-1]
             for each in held_out_sets(task)]  # fmt: skip
    assert found == [6, 9, 12]


def test_data_fingerprints_tell_splits_apart_but_not_blocks() -> None:
    cell = Cell(ModularSum(p=7), sb.as_model(Pairs, sb.Recipe(batch_size="full")), sb.Protocol())
    seeds = [ReplicaSeeds.same(seed) for seed in range(3)]
    together = data_fingerprints(cell, seeds)
    assert len(set(together)) == 3
    assert data_fingerprints(cell, seeds[1:2]) == together[1:2]
