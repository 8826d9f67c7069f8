"""Held-out accuracy is over all remaining pairs, to the last one."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from exact import last_row, reference_scores, world_of
from small_network import SmallNetwork
from synthbench_field.modular_addition import ModularAddition

import synthbench as sb

TASK = ModularAddition(p=7, share=0.5)


def pairs(batch: sb.Batch) -> set[tuple[int, ...]]:
    return {tuple(row) for row in batch.x.tolist()}


def test_the_two_sides_are_a_partition_of_all_pairs() -> None:
    splits = set()
    for seed in range(3):
        world = world_of(TASK, seed)
        trained = TASK.train_set(world)
        held_out = TASK.test_sets()["held-out"].whole(world)
        assert len(trained.x) == 24 and len(held_out.x) == 25
        assert pairs(trained) | pairs(held_out) == set(product(range(7), repeat=2))
        for batch in (trained, held_out):
            assert all((a + b) % 7 == y for (a, b), y in zip(batch.x, batch.y, strict=True))
        splits.add(frozenset(pairs(trained)))
    assert len(splits) == 3


def test_references_over_many_splits() -> None:
    """The mean over splits of what the exact scores say, and each split by a plain count."""
    found = []
    for seed in range(400):
        world = world_of(TASK, seed)
        held_out = TASK.examples(world[1])
        scores = reference_scores(TASK, world, held_out)
        known = pairs(TASK.examples(world[0]))
        mirrored = [(b, a) in known for a, b in held_out.x.tolist()]
        assert scores["commutes"] == pytest.approx(
            sum(1 if m else 1 / 7 for m in mirrored) / len(mirrored)
        )
        found.append(scores["commutes"])
    spread = 6 * 0.09 / len(found) ** 0.5
    assert sum(found) / len(found) == pytest.approx(TASK.exact_scores()["commutes"], abs=spread)
    assert scores["trivial"] == pytest.approx(1 / 7) and scores["optimal"] == 1


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> sb.CellResult:
    recipe = sb.Recipe(optimizer="adam", lr=0.01, batch_size="full")
    settings = sb.Settings(
        sb.TrainerOptions(accelerator="cpu"), replicas_per_block=2, keep_weights="all"
    )
    # Batches of 8 leave a last one of one pair.
    protocol = sb.Protocol(
        seeds=2, budget=24 * 60, until="budget", evaluation_samples=64, evaluation_batch=8
    )
    out: Path = tmp_path_factory.mktemp("modular")
    model = sb.as_model(SmallNetwork, recipe)
    return sb.evaluate(TASK, model, protocol=protocol, out=out, settings=settings)


def test_held_out_and_training_accuracy_from_the_kept_weights(trained: sb.CellResult) -> None:
    for replica in range(2):
        network = trained.network(replica)
        world = world_of(TASK, replica)
        known = pairs(TASK.examples(world[0]))
        hits: dict[bool, list[bool]] = {True: [], False: []}
        for pair in product(range(7), repeat=2):
            (guess,) = network(TASK.examples(world[0]).x.new_tensor([pair])).argmax(-1).tolist()
            hits[pair in known].append(guess == sum(pair) % 7)
        row = last_row(trained, replica)
        assert row["accuracy"] == sum(hits[False]) / 25
        assert row["train_accuracy"] == sum(hits[True]) / 24
        assert row["train_accuracy"] > 0.9 > row["accuracy"]


def test_a_full_batch_is_the_training_set(trained: sb.CellResult) -> None:
    assert trained.record.steps == 60
    assert last_row(trained, 0)["samples"] == 24 * 60
