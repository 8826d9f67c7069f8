"""What is reported of a task and not judged."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

import synthbench as sb
from synthbench.testing import check_task
from tests.testing.tasks.sound import Dictator
from tests.testing.tasks.wider import Divided, Regression


class KnowsTheNoise(Dictator):
    """An optimum that reads which labels were flipped; with 40 coordinates no input repeats."""

    name: ClassVar[str] = "knows-the-noise"

    n: int = 40

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        x, flipped = rng.signs((size, self.n)), rng.bernoulli(self.noise, (size,))
        y = x[:, world][:, 0]
        return sb.Batch(x, torch.where(flipped, -y, y), {"flipped": flipped})

    def references(self, world: Tensor, batch: sb.Batch) -> dict[str, Tensor]:
        y = batch.x[:, world][:, 0]
        known = torch.where(batch.latents["flipped"], -y, y)
        return {"trivial": torch.zeros_like(y), "optimal": known}

    def exact_scores(self) -> dict[str, float]:
        return {"trivial": 0.5, "optimal": 1.0}


def test_an_optimum_that_reads_latents_is_pointed_out_where_it_cannot_be_judged() -> None:
    assert "optimal reads latents" in check_task(KnowsTheNoise()).facts
    facts = check_task(Dictator(n=40)).facts
    assert "optimal reads latents" not in facts and facts["sampling"].endswith("samples/s")


def test_labels_that_differ_in_their_last_bits_are_reported() -> None:
    facts = check_task(Regression()).facts
    assert any("float64" in said for name, said in facts.items() if name.startswith("last bits"))
    assert not any(name.startswith("last bits") for name in check_task(Dictator()).facts)


def test_sizes_of_finite_sets_and_small_populations_are_reported() -> None:
    facts = check_task(Divided()).facts
    assert facts["the training set"] == "64 rows"
    assert facts['training examples in the test set "train"'] == "100%"
    assert "give a train_set" in check_task(Dictator()).facts["small population"]
    assert "small population" not in check_task(Dictator(n=40)).facts
