"""Groups, the worst of them, and the score without the correlation, by enumeration."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
import torch
from exact import last_row, reference_scores, world_of
from small_network import SmallNetwork
from synthbench_field.spurious_parity import SpuriousParity

import synthbench as sb

TASK = SpuriousParity(n=8, core=3, spurious=1, agreement=0.9)


def test_labels_and_references_over_every_input() -> None:
    core, spurious = world = world_of(TASK)
    assert len({*core.tolist(), *spurious.tolist()}) == 4
    batch = TASK.test_sets()["decorrelated"].whole(world)
    assert {tuple(row) for row in batch.x.tolist()} == set(product((-1.0, 1.0), repeat=8))
    for x, y in zip(batch.x.tolist(), batch.y.tolist(), strict=True):
        signs = [x[place] for place in core.tolist()]
        assert y == signs[0] * signs[1] * signs[2]
    exact = TASK.exact_scores()
    for name, score in reference_scores(TASK, world, batch).items():
        assert score == exact[f"{name}@decorrelated"]


def test_the_agreement_and_that_inputs_are_uniform_but_for_it() -> None:
    world = world_of(TASK)
    batch = TASK.sample(world, sb.Stream.from_seed(0, sb.Purpose.TRAIN), 20_000)
    agrees = (batch.y == batch.latents["spurious"]).float().mean()
    assert float(agrees) == pytest.approx(0.9, abs=0.01)
    assert batch.x.mean(dim=0).abs().max() < 0.04 and batch.y.mean().abs() < 0.04


def test_group_accuracies_of_a_trained_network(tmp_path: Path, settings: sb.Settings) -> None:
    recipe = sb.Recipe(optimizer="adam", lr=0.01, loss="hinge")
    protocol = sb.Protocol(
        seeds=2, budget=32 * 40, until="budget", evaluation_samples=256, evaluation_batch=48 + 80
    )
    model = sb.as_model(SmallNetwork, recipe)
    result = sb.evaluate(TASK, model, protocol=protocol, out=tmp_path, settings=settings)
    for replica in range(2):
        network, (core, spurious) = result.network(replica), world_of(TASK, replica)
        groups: dict[tuple[float, bool], list[bool]] = {}
        for x in product((-1.0, 1.0), repeat=8):
            y = x[core[0]] * x[core[1]] * x[core[2]]
            right = network(torch.tensor([x])).item() * y > 0
            groups.setdefault((y, x[spurious[0]] == y), []).append(right)
        shares = {group: sum(hits) / len(hits) for group, hits in groups.items()}
        row = last_row(result, replica)
        for (sign, agrees), share in shares.items():
            name = f"{'plus' if sign > 0 else 'minus'}-{'agrees' if agrees else 'differs'}"
            assert row[f"{name}@decorrelated"] == share
        assert row["worst-group@decorrelated"] == min(shares.values())
        assert row["accuracy@decorrelated"] == sum(sum(h) for h in groups.values()) / 256
        # The shortcut: right where it agrees, wrong elsewhere.
        assert row["accuracy"] > 0.8 and row["worst-group@decorrelated"] < 0.4
    worst = [last_row(result, replica)["worst-group@decorrelated"] for replica in range(2)]
    ranked = result.scored_by("worst-group@decorrelated").table().iloc[0]
    assert ranked["final_score"] == pytest.approx(sum(worst) / 2)
