"""What is reported of a task and not judged."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

import synthbench as sb
from synthbench.testing.report import Status
from synthbench.testing.tasks.check import task_examination
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


def facts_of(task: sb.Task, law: str) -> dict[str, str]:
    """What is reported where that law is judged, which it keeps, and those it needs."""
    examination = task_examination(task)
    verdict = examination.verdict(law)
    assert verdict.status in (Status.ok, Status.not_applicable), verdict.seen
    return dict(examination.trial.facts)


def test_an_optimum_that_reads_latents_is_pointed_out_where_it_cannot_be_judged() -> None:
    assert "optimal reads latents" in facts_of(KnowsTheNoise(), "optimal-is-achievable")
    assert "optimal reads latents" not in facts_of(Dictator(n=40), "optimal-is-achievable")


def test_the_sampling_rate_is_reported() -> None:
    assert facts_of(Dictator(n=40), "sampling-is-timed")["sampling"].endswith("samples/s")


def test_labels_that_differ_in_their_last_bits_are_reported() -> None:
    facts = facts_of(Regression(), "vmapped-equals-looped")
    assert any("float64" in said for name, said in facts.items() if name.startswith("last bits"))
    facts = facts_of(Dictator(), "vmapped-equals-looped")
    assert not any(name.startswith("last bits") for name in facts)


def test_sizes_of_finite_sets_and_small_populations_are_reported() -> None:
    facts = facts_of(Divided(), "train-and-eval-disjoint")
    assert facts["the training set"] == "64 rows"
    assert facts['training examples in the test set "train"'] == "100%"
    small = facts_of(Dictator(), "train-and-eval-disjoint")["small population"]
    assert "give a train_set" in small
    assert "small population" not in facts_of(Dictator(n=40), "train-and-eval-disjoint")
