"""Which tasks are refused before anything trains.

`pytest -m slow` adds two hundred choices of seeds, of which the default tests have the unluckiest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from torch import Tensor

import synthbench as sb
from synthbench.engine.inspection.cell import inspect_cell
from synthbench.engine.inspection.task import check_task
from synthbench.errors import ConfigurationError, TaskError
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed
from tests.engine.wide_tasks import ModularSum, Pairs


@pytest.mark.parametrize(
    ("noise", "fine"), [(0.0, True), (0.3, True), (0.45, False), (0.49, False)]
)
def test_references_must_be_told_apart_on_the_samples(
    small_cell: Cell, noise: float, fine: bool
) -> None:
    protocol = small_cell.protocol.model_copy(update={"evaluation_samples": 1024})
    cell = replace(
        small_cell, task=small_cell.task.model_copy(update={"noise": noise}), protocol=protocol
    )
    if fine:
        inspect_cell(cell)
    else:
        with pytest.raises(ConfigurationError, match="raise evaluation_samples"):
            inspect_cell(cell)
        more = protocol.model_copy(update={"evaluation_samples": 128 * 1000})
        if noise == 0.45:
            inspect_cell(replace(cell, protocol=more))


def test_worlds_may_differ_in_what_there_is_to_learn() -> None:
    """Fixed chains differ by their entropy; on the samples of one all references are clear."""
    registry = installed()
    task = registry.task("markov prior=fixed length=20")
    check_task(Cell(task, registry.model("transformer"), sb.Protocol()))


@pytest.mark.parametrize(
    "first_seeds",
    [
        # Of the others these are more than 3.3 standard errors off.
        (784, 1648, 2832, 2944),
        pytest.param(range(0, 16 * 200, 16), marks=pytest.mark.slow),
    ],
    ids=["unlucky", "all"],
)
def test_exact_scores_are_refused_by_no_choice_of_seeds(first_seeds: Sequence[int]) -> None:
    """A mean over splits of a small table, of which each choice of seeds has a few."""
    registry = installed()
    task = registry.task("modular-arithmetic p=13 operation=multiply share=0.5")
    model = registry.model("mlp width=4")
    for first_seed in first_seeds:
        check_task(Cell(task, model, sb.Protocol(first_seed=first_seed)))


PARITY = type(installed().task("sparse-parity"))


class TallLabels(PARITY):
    """Labels that would broadcast against the output."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        return sb.Batch(batch.x, batch.y[:, None])


class Swapped(PARITY):
    """References that contradict the exact scores."""

    def references(self, world, batch):
        found = super().references(world, batch)
        return {**found, "trivial": found["optimal"], "optimal": found["trivial"]}


class Impatient(PARITY):
    """Draws from torch instead of its stream."""

    def sample(self, world, rng, size):
        return sb.Batch(torch.randn(size, self.n), torch.ones(size))


class Forgetful(PARITY):
    """Has no optimum."""

    def references(self, world, batch):
        return {"trivial": torch.zeros_like(batch.y)}


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (TallLabels, r"must have shape \(128,\), got \(128, 1\); is y of the same"),
        (Swapped, 'reference "trivial" scores 1 on samples, exact_scores says 0.5'),
        (Impatient, "draw from rng, not from torch"),
        (Forgetful, "has no reference called optimal"),
    ],
)
def test_bad_tasks_are_refused(small_cell: Cell, task: type, message: str) -> None:
    with pytest.raises(TaskError, match=message):
        inspect_cell(replace(small_cell, task=task(n=10, k=2)))


class ForgetsTheIgnored(PARITY):
    """A loss that looks a label up and finds none."""

    def losses(self):
        table = torch.tensor([0.0, 1.0])
        return {"looked-up": lambda out, batch: (table[batch.y.long() + 5] * out).mean()}


class CurveOfLosses(PARITY):
    """A loss for each example."""

    def losses(self):
        return {"each": lambda out, batch: torch.relu(1 - batch.y * out)}


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (ForgetsTheIgnored, 'loss "looked-up" of task "sparse-parity .*" fails: IndexError'),
        (CurveOfLosses, 'loss "each" of task .* must be a scalar, got shape'),
    ],
)
def test_a_loss_that_fails_is_blamed_on_the_task(
    small_cell: Cell, fault: type[sb.Task], message: str
) -> None:
    model = small_cell.model.model_copy(
        update={"recipe": small_cell.model.recipe.model_copy(update={"loss": None})}
    )
    task = fault(**dict(small_cell.task))
    with pytest.raises(TaskError, match=message):
        inspect_cell(replace(small_cell, task=task, model=model))


class Stepwise(PARITY):
    """Python's `if` on the step, which is a tensor."""

    name = "stepwise"

    def sample_at(self, world, rng, size, step):
        return self.sample(world, rng, 2 * size if step < 5 else size)


class Unwrapped(PARITY):
    """A test set that is a bare function."""

    name = "unwrapped"

    def test_sets(self):
        return {"held-out": self.sample}


class OtherLength(PARITY):
    """Longer test examples, of which the interface says nothing."""

    name = "other-length"

    def test_sets(self):
        def longer(world, rng, size):
            x = rng.signs((size, self.n + 2))
            return sb.Batch(x, x[:, world].prod(dim=1))

        return {"near": sb.TestSet(self.sample), "far": sb.TestSet(longer)}


class NoCeiling(PARITY):
    """A ceiling that is none of the references."""

    name = "no-ceiling"
    ceiling = "bayes"


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (Stepwise(), "fails in sample_at: .*choose with torch.where"),
        (Unwrapped(), r'test set "held-out" of "unwrapped.*" is a method; .*TestSet\(sample=...\)'),
        (OtherLength(), r'in test set "far" must sample x of shape .*interface of its own\?'),
        (NoCeiling(), r"no reference called bayes \(references: trivial, .*optimal\)"),
    ],
)
def test_mistakes_of_the_wider_contract_are_named(small_cell: Cell, task, said: str) -> None:
    with pytest.raises(TaskError, match=said):
        inspect_cell(replace(small_cell, task=task))


def refused(task: sb.Task) -> str:
    model = sb.as_model(Pairs, sb.Recipe(optimizer="adam", batch_size=8))
    with pytest.raises(TaskError) as caught:
        inspect_cell(Cell(task, model, sb.Protocol(budget=320, seeds=2)))
    return str(caught.value)


@pytest.mark.parametrize("name", ["step", "loss", "progress", "train_accuracy", "a@all", "a/b"])
def test_a_score_may_not_have_the_name_of_another_column(name: str) -> None:
    class Misnamed(ModularSum):
        name: ClassVar[str] = "misnamed"

        def score(self, output: Tensor, batch: sb.Batch) -> dict[str, sb.Mean]:
            found = sb.accuracy(output, batch.y)
            return {"accuracy": found, wrong: found}

    wrong = name
    assert f"calls a score '{name}'" in refused(Misnamed())


def test_a_training_set_whose_rows_depend_on_the_world_is_refused() -> None:
    class Ragged(ModularSum):
        name: ClassVar[str] = "ragged"

        def train_set(self, world: tuple[Tensor, Tensor]) -> sb.Batch:
            return self.pairs(world[0][world[0] % 2 == 0])

    assert "the same number of rows in every world" in refused(Ragged())


def test_a_test_set_without_rows_is_refused() -> None:
    class Nothing(ModularSum):
        name: ClassVar[str] = "nothing"

        def test_sets(self) -> dict[str, sb.TestSet]:
            none = sb.TestSet(whole=lambda world: self.pairs(world[1][:0]))
            return {**super().test_sets(), "none": none}

    assert "has no rows" in refused(Nothing())
