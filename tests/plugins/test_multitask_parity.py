"""Multitask parity against the published numbers and plain Python loops."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.testing import check_task
from tests.plugins.drawing import world_of


def multitask(fields: str) -> sb.Task:
    return installed().task(f"multitask-parity {fields}")


def label(task: sb.Task, supports: list[list[int]], x: list[float]) -> tuple[int, int]:
    """An input's subtask and parity, from the definition."""
    control, bits = x[: task.tasks], x[task.tasks :]
    assert sorted(control) == [0.0] * (task.tasks - 1) + [1.0]
    subtask = control.index(1.0)
    return subtask, sum(int(bits[i]) for i in supports[subtask]) % 2


@pytest.mark.parametrize(
    ("exponent", "known"),
    [(0.4, {1: 0.673, 10: 0.868, 100: 0.968}), (1, {1: 0.804, 10: 0.972, 100: 0.998})],
)
def test_the_most_frequent_of_500_are_worth_what_is_published(
    exponent: float, known: dict[int, float]
) -> None:
    exact = multitask(f"exponent={exponent}").exact_scores()
    for solved, score in known.items():
        assert exact[f"first-{solved}"] == pytest.approx(score, abs=5e-4)
        shares = np.arange(1, 501) ** -(1.0 + exponent)
        shares /= shares.sum()
        assert exact[f"first-{solved}"] == pytest.approx(0.5 + shares[:solved].sum() / 2)


def test_labels_and_frequencies() -> None:
    task = multitask("tasks=5 n=12 k=3 exponent=0.4")
    world = world_of(task)
    supports = world[0].tolist()
    assert all(len(set(support)) == 3 and max(support) < 12 for support in supports)
    batch = task.sample(world, sb.Stream.from_seed(2, sb.Purpose.TRAIN), 10_000)
    latents = batch.latents["subtask"].tolist()
    for x, y, subtask in zip(batch.x.tolist(), batch.y.tolist(), latents, strict=True):
        assert label(task, supports, x) == (subtask, y)
    shares = np.arange(1, 6) ** -1.4
    expected = 10_000 * shares / shares.sum()
    assert stats.chisquare(np.bincount(latents), expected).pvalue > 1e-3
    assert abs(float(batch.x[:, 5:].mean()) - 0.5) < 0.01
    assert bool((batch.latents["weight"] == 1).all())


def test_supports_are_distinct_and_uniform() -> None:
    task = multitask("tasks=6 n=6 k=2")
    counts: dict[tuple[int, int, int], int] = {}
    for seed in range(400):
        supports = world_of(task, seed)[0].tolist()
        assert len({tuple(support) for support in supports}) == 6
        # Which support the first, and which the last, subtask has.
        for place in (0, 5):
            key = (place, *supports[place])
            counts[key] = counts.get(key, 0) + 1
    assert len(counts) == 2 * 15 and stats.chisquare(list(counts.values())).pvalue > 1e-3
    assert sorted(world_of(multitask("tasks=15 n=6 k=2"))[0].tolist()) == [
        list(pair) for pair in combinations(range(6), 2)
    ]
    many = world_of(multitask("tasks=500 n=100 k=4"))[0]
    assert bool((many.diff(dim=1) > 0).all()) and len(torch.unique(many, dim=0)) > 495


def test_the_test_set_holds_every_subtask_alike_and_weighs_it() -> None:
    task = multitask("tasks=12 n=10 k=2 tests=8 exponent=1")
    world = world_of(task)
    batch = task.test_sets()[""].whole(world)
    assert len(batch.y) == 12 * 8
    shares = np.arange(1, 13) ** -2.0
    shares /= shares.sum()
    total = float(batch.latents["weight"].sum())
    for x, y, weight in zip(
        batch.x.tolist(), batch.y.tolist(), batch.latents["weight"].tolist(), strict=True
    ):
        subtask, parity = label(task, world[0].tolist(), x)
        assert y == parity and weight / total == pytest.approx(shares[subtask] / 8)
    assert torch.bincount(batch.latents["subtask"]).tolist() == [8] * 12


def test_scores_of_references_on_the_test_set_are_exact() -> None:
    task = multitask("tasks=12 n=10 k=2 tests=8 exponent=1")
    for seed in range(3):
        world = world_of(task, seed)
        batch = task.test_sets()[""].whole(world)
        for name, output in task.references(world, batch).items():
            found = {
                score: (mean.values * mean.weights).sum(0) / mean.weights.sum(0)
                for score, mean in task.score(output, batch).items()
            }
            scores = task.aggregate(found)
            assert float(scores["accuracy"]) == pytest.approx(task.exact_scores()[name])
            solved = {"trivial": 0, "first-1": 1, "first-10": 10, "optimal": 12}[name]
            assert scores["by-subtask"].tolist() == [1.0] * solved + [0.5] * (12 - solved)
            assert float(scores["solved"]) == pytest.approx(solved / 12)


def test_accuracies_by_hand() -> None:
    """Three subtasks in batches of different make: hits of each, whatever its share of them."""
    task = multitask("tasks=3 n=3 k=1")
    logits = torch.tensor([[2.0, 1], [2, 1], [0, 0], [1, 2], [1, 2], [1, 2]])
    y, subtask = torch.tensor([0, 1, 1, 1, 0, 0]), torch.tensor([0, 0, 0, 2, 2, 2])
    weight = torch.tensor([3.0, 3, 3, 1, 1, 1])
    latents = {"subtask": subtask, "weight": weight}
    found = task.score(logits, sb.Batch(torch.zeros(6, 6), y, latents))
    mean = (found["accuracy"].values * weight).sum() / weight.sum()
    assert float(mean) == pytest.approx((3 * (1 + 0 + 0.5) + 1) / 12)
    assert found["by-subtask"].values.tolist() == [pytest.approx([0.5, 0, 1 / 3])]
    assert found["by-subtask"].weights.tolist() == [[3, 0, 3]]


def test_frequent_subtasks_come_first(tmp_path: Path) -> None:
    """Two parities of two bits, one asked 128 times as often: it is solved, the other not."""
    protocol = sb.Protocol(seeds=3, budget=12_800, until="budget")
    result = sb.evaluate(
        "multitask-parity tasks=2 n=10 k=2 exponent=6 tests=256",
        "mlp optimizer=adam lr=0.01 batch_size=64",
        protocol=protocol,
        out=tmp_path,
    )
    last = [row for row in result.trajectories if row["samples"] == 12_800]
    for row in last:
        assert row["by-subtask"][0] > 0.97 > 0.8 > row["by-subtask"][1]
        assert row["solved"] == 0.5
        mean = (128 * row["by-subtask"][0] + row["by-subtask"][1]) / 129
        assert row["accuracy"] == pytest.approx(mean, abs=1e-5)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(sb.SynthbenchError, match="k must be at most n=2, got 3"):
        multitask("n=2 k=3")
    with pytest.raises(sb.SynthbenchError, match="tasks must be at most C\\(n, k\\) = 15, got 16"):
        multitask("tasks=16 n=6 k=2")


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize(
    "fields",
    ["tasks=4 n=16 k=2", pytest.param("tasks=12 n=20 k=3 exponent=1", marks=pytest.mark.slow)],
)
def test_every_law(fields: str) -> None:
    check_task(multitask(fields))
