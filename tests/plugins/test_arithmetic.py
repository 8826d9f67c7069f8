"""Modular arithmetic against plain Python over all pairs; references against counting."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch import nn

import synthbench as sb
from synthbench.errors import ConfigurationError
from synthbench.registry.registry import installed
from synthbench.testing import check_task
from synthbench_arithmetic.modular import ModularArithmetic
from tests.plugins.drawing import world_of

OPERATIONS = {
    "add": lambda a, b, p: (a + b) % p,
    "subtract": lambda a, b, p: (a - b) % p,
    "multiply": lambda a, b, p: a * b % p,
    # The one c whose product with b is a.
    "divide": lambda a, b, p: next(c for c in range(p) if c * b % p == a),
    "quadratic": lambda a, b, p: (a**2 + a * b + b**2) % p,
}


def sides(task: ModularArithmetic, seed: int = 0) -> tuple[sb.Batch, sb.Batch]:
    world = world_of(task, seed)
    return task.train_set(world), task.test_sets()["held-out"].whole(world)


def pairs(task: ModularArithmetic, batch: sb.Batch) -> list[tuple[int, int]]:
    a, b = task.operands(batch.x)
    return list(zip(a.tolist(), b.tolist(), strict=True))


def scored(task: ModularArithmetic, world: object, batch: sb.Batch) -> dict[str, float]:
    outputs = task.references(world, batch)
    return {n: float(task.score(o, batch)["accuracy"].values.mean()) for n, o in outputs.items()}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("written", [(False, False), (True, False), (False, True), (True, True)])
def test_both_sides_are_all_pairs_and_every_label_is_right(operation: str, written) -> None:
    operator, equals = written
    task = ModularArithmetic(p=7, operation=operation, operator=operator, equals=equals)
    trained, held_out = sides(task)
    every = [(a, b) for a, b in product(range(7), repeat=2) if b or operation != "divide"]
    assert sorted(pairs(task, trained) + pairs(task, held_out)) == every
    assert len(trained.x) == round(len(every) / 2) == task.trained
    for batch in (trained, held_out):
        for (a, b), tokens, y in zip(
            pairs(task, batch), batch.x.tolist(), batch.y.tolist(), strict=True
        ):
            assert y == OPERATIONS[operation](a, b, 7)
            assert tokens == [a, *[7] * operator, b, *[7 + operator] * equals]
    assert task.interface.input == sb.Tokens(7 + sum(written), 2 + sum(written))


def test_every_replica_has_a_split_of_its_own() -> None:
    task = ModularArithmetic(p=5, operation="divide", share=0.3)
    splits = {frozenset(pairs(task, sides(task, seed)[0])) for seed in range(5)}
    assert len(splits) == 5 and {len(split) for split in splits} == {6}


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"operation": "add"}, ["trivial", "commutes", "optimal"]),
        ({"operation": "subtract"}, ["trivial", "optimal"]),
        ({"operation": "divide"}, ["trivial", "optimal"]),
        ({"operation": "multiply"}, ["trivial", "most-frequent", "commutes", "optimal"]),
        ({"operation": "quadratic"}, ["trivial", "most-frequent", "commutes", "optimal"]),
        ({"operation": "multiply", "p": 6}, ["trivial", "most-frequent", "commutes", "optimal"]),
    ],
)
def test_references_by_counting_and_exact_scores_over_many_splits(fields, names) -> None:
    task = ModularArithmetic(**{"p": 5, "share": 0.4, **fields})
    answer, p = OPERATIONS[task.operation], task.p
    every = pairs(task, task.examples(torch.arange(task.pairs)))
    counts = Counter(answer(a, b, p) for a, b in every)
    favourite = min(c for c in counts if counts[c] == max(counts.values()))
    found = []
    for seed in range(60):
        world = world_of(task, seed)
        known, held_out = set(pairs(task, task.examples(world[0]))), task.examples(world[1])
        scores = scored(task, world, held_out)
        assert list(scores) == names
        asked = pairs(task, held_out)
        by_hand = {
            "trivial": 1 / p,
            "most-frequent": sum(answer(a, b, p) == favourite for a, b in asked) / len(asked),
            "commutes": sum(1 if (b, a) in known else 1 / p for a, b in asked) / len(asked),
            "optimal": 1.0,
        }
        assert scores == pytest.approx({name: by_hand[name] for name in names})
        found.append(list(scores.values()))
    spread, mean = torch.tensor(found).std(dim=0), torch.tensor(found).mean(dim=0)
    exact = task.exact_scores()
    assert set(exact) == set(names)
    for name, each, width in zip(names, mean.tolist(), spread.tolist(), strict=True):
        assert each == pytest.approx(exact[name], abs=4 * width / 60**0.5 + 1e-6), name


def test_published_losses_of_knowing_nothing() -> None:
    """ln 97 = 4.5747, ln 113 = 4.7274 (Power et al. 2022; Nanda et al. 2023)."""
    for p, loss in ((97, 4.5747), (113, 4.7274)):
        task = ModularArithmetic(p=p, share=0.3)
        world = world_of(task)
        batch = task.examples(world[1])
        outputs = task.references(world, batch)
        found = {n: float(task.score(o, batch)["cross-entropy"]) for n, o in outputs.items()}
        assert found["trivial"] == pytest.approx(loss, abs=5e-5)
        assert found["optimal"] < 1e-9
        # Nanda et al. train on 3,830 of the 12,769 pairs: 30%, rounded down.
        assert p != 113 or task.trained == 3831


def test_a_memorizer_that_commutes_at_the_published_sizes() -> None:
    """f (p - 1) / p, plus 1 / p of what is left, to the 1 / p^2 that the pair itself takes."""
    for p, share in ((97, 0.5), (113, 0.3)):
        known = share * (p - 1) / p
        expected = known + (1 - known) / p
        found = ModularArithmetic(p=p, share=share).exact_scores()["commutes"]
        assert found == pytest.approx(expected, abs=2 / p**2)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("p=15 operation=divide", "needs a prime p, got 15"),
        ("p=3 share=0.01", "leaves nothing on one side of the 9 pairs"),
        ("p=3 operation=divide share=0.95", "leaves nothing on one side of the 6 pairs"),
        ("operation=power", "operation"),
        ("share=1.0", "share"),
    ],
)
def test_what_makes_no_task_is_refused(fields: str, message: str) -> None:
    with pytest.raises((ConfigurationError, ValidationError), match=message):
        installed().task(f"modular-arithmetic {fields}")


class Both(nn.Module):
    """One hidden layer over the indicators of both residues."""

    def __init__(self, interface: sb.Interface) -> None:
        super().__init__()
        self.symbols = interface.input.vocabulary
        self.hidden = nn.Linear(2 * self.symbols, 64)
        self.readout = nn.Linear(64, self.symbols)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = sb.one_hot(x, self.symbols, self.hidden.weight.dtype).flatten(1)
        return self.readout(self.hidden(rows).relu())


def test_accuracies_are_over_all_pairs_of_either_side(tmp_path: Path) -> None:
    """From the kept weights, pair by pair; batches of 8 leave a last one of one pair."""
    task = ModularArithmetic(p=7)
    recipe = sb.Recipe(optimizer="adam", lr=0.01, batch_size="full")
    result = sb.evaluate(
        task,
        sb.as_model(Both, recipe),
        protocol=sb.Protocol(
            seeds=2, budget=24 * 60, until="budget", evaluation_samples=64, evaluation_batch=8
        ),
        out=tmp_path,
        settings=sb.Settings(
            sb.TrainerOptions(accelerator="cpu"), replicas_per_block=2, keep_weights="all"
        ),
    )
    # A full batch is the training set, once a step.
    assert result.record.steps == 60
    for replica in range(2):
        network = result.network(replica)
        known = set(pairs(task, sides(task, replica)[0]))
        hits: dict[bool, list[bool]] = {True: [], False: []}
        for a, b in product(range(7), repeat=2):
            guess = network(torch.tensor([[a, b]])).argmax(-1).item()
            hits[(a, b) in known].append(guess == (a + b) % 7)
        row = [row for row in result.trajectories if row["replica"] == replica][-1]
        assert row["accuracy"] == pytest.approx(sum(hits[False]) / 25)
        assert row["train_accuracy"] == pytest.approx(sum(hits[True]) / 24)
        assert row["train_accuracy"] > 0.9 > row["accuracy"]


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_law(operation: str) -> None:
    check_task(ModularArithmetic(p=7, operation=operation, operator=True, equals=True))


def test_entropy_of_the_uniform_answer() -> None:
    task = ModularArithmetic(p=11, operation="divide")
    world = world_of(task)
    batch = task.examples(world[1])
    trivial = task.references(world, batch)["trivial"]
    assert float(task.score(trivial, batch)["cross-entropy"]) == pytest.approx(math.log(11))
