"""Weight decay makes a network that has memorized a table find its rule.

Power et al. 2022, Nanda et al. 2023; the network is that of Gromov 2023. pytest -m slow tests/paper
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import synthbench as sb
from synthbench.registry.registry import installed

pytestmark = pytest.mark.slow
SEEDS = 16
SMALL = installed().task("modular-arithmetic small")


def trained(out: Path, changes: str = "", probes: tuple[str, ...] = ()) -> sb.CellResult:
    """Replicas of the preset's baseline, all to the end of its budget."""
    preset = type(SMALL).presets["small"]
    return sb.evaluate(
        SMALL,
        f"{preset.model} {changes}",
        protocol=sb.Protocol(seeds=SEEDS, budget=preset.budget, until="budget"),
        probes=probes,
        out=out,
        settings=sb.Settings(sb.TrainerOptions(accelerator="cpu")),
    )


def ends(result: sb.CellResult, column: str) -> tuple[np.ndarray, np.ndarray]:
    """A value of every replica before the first step, and after the last."""
    rows = {(row["replica"], row["step"]): row[column] for row in result.trajectories}
    last = max(step for _, step in rows)
    return tuple(np.array([rows[i, step] for i in range(SEEDS)]) for step in (0, last))


def test_memorized_first_generalized_later(out: Path) -> None:
    """All of 16 seeds at 3 to 30 times the steps of memorization, in a first run: 14 must."""
    result = trained(out)
    found = result.metrics.grokking
    print(found)
    assert found.memorized.value * 3 < found.generalized.value
    assert found.ratio.value > 3 and found.never <= 2


def test_not_without_weight_decay_in_the_same_budget(out: Path) -> None:
    """It memorizes as soon, and no seed gets 96% of the held-out pairs right."""
    result = trained(out, "weight_decay=0")
    print(result.metrics.grokking)
    assert (ends(result, "train_accuracy")[1] > 0.99).all()
    assert result.record.summary.solved == 0
    assert np.median(ends(result, "accuracy")[1]) < 0.8


def test_embeddings_and_logits_are_sparse_in_fourier_space_after_not_before(out: Path) -> None:
    """At random, the top 5 of 15 frequencies hold little more than a third of the power."""
    result = trained(out, probes=("fourier-spectrum", "restricted-loss"))
    for values in ("embedding", "logits"):
        before, after = ends(result, f"fourier-spectrum/{values}-gini")
        print(values, before.round(2), after.round(2))
        assert (after > before + 0.2).mean() > 0.8
    left = ends(result, "restricted-loss/excluded-train")[1]
    whole = ends(result, "restricted-loss/network")[1]
    print(whole.round(2), left.round(2))
    assert (left > whole).all()
