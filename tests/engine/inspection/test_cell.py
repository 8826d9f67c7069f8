"""What is found out, and refused, before anything trains."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import synthbench as sb
from synthbench.engine.inspection.cell import inspect_cell
from synthbench.engine.inspection.task import check_task
from synthbench.errors import ConfigurationError, InterfaceError, ModelError, TaskError
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed
from tests.engine.authored import (
    Averaged,
    Branching,
    BrokenProbe,
    Counting,
    Forgetful,
    Inner,
    Plain,
    Projected,
    Random,
    Scaled,
    Seeding,
    Tied,
    WrongShape,
)


def test_flops_and_parameters_of_a_two_layer_network(small_cell: Cell) -> None:
    facts = inspect_cell(small_cell)
    batch, n, width = 32, 10, 16
    forward = 2 * batch * (n * width + width)
    # Backward: weight gradients of both layers, and the input gradient of the second only.
    backward = 2 * batch * (n * width + 2 * width)
    assert facts.step_flops == forward + backward
    assert facts.parameters == n * width + width + width + 1
    assert facts.loop_reason is None


def test_a_module_that_vmap_cannot_take_says_why(small_cell: Cell) -> None:
    reason = inspect_cell(replace(small_cell, model=Branching())).loop_reason
    assert reason is not None and "item" in reason


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Random(), "draws random numbers in its forward pass"),
        (Counting(), "two results for the same parameters and input"),
        (WrongShape(), r"must return shape \(32,\) for signs \(n=10\) -> margin, got \(32, 1\)"),
        (Plain(recipe=sb.Recipe(loss="hing")), 'no loss "hing"'),
        (Projected(), "changes when its replicas are stacked; keep tensors in parameters"),
        (Averaged(), "changes when its replicas are stacked; keep tensors in parameters"),
        (Plain(recipe=sb.Recipe(batch_size=10**13)), "do not fit into memory"),
        (Inner(), "cannot be stacked: .*; define the class outside build"),
        (Forgetful(), "cannot be trained: KeyError: 'width'"),
        (Scaled(complex=True), 'has the complex parameter "scale"'),
        (Seeding(), "leave out torch.manual_seed"),
        (Seeding(late=False), "leave out torch.manual_seed"),
        (Forgetful(where="built"), r"cannot be built for signs \(n=10\) -> margin: KeyError: "),
    ],
)
def test_bad_models_are_refused(small_cell: Cell, model: sb.Model, message: str) -> None:
    before = torch.random.get_rng_state()
    protocol = small_cell.protocol.model_copy(
        update={"budget": max(12_800, model.recipe.batch_size)}
    )
    with pytest.raises((ModelError, ConfigurationError), match=message):
        inspect_cell(replace(small_cell, model=model, protocol=protocol))
    assert torch.equal(before, torch.random.get_rng_state())


class Tokens(sb.Port):
    """An input the MLP does not take."""

    @property
    def shape(self) -> tuple[int, ...]:
        return (5,)

    def describe(self) -> str:
        return "tokens (T=5)"


def test_a_model_that_cannot_take_the_task_is_refused() -> None:
    model = installed().model("mlp")
    with pytest.raises(InterfaceError, match=r"its input must be signs, the task's is tokens"):
        model.check_accepts(sb.Interface(Tokens(), sb.Margin()))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budget": 31}, "budget = 31 samples is below one batch of 32"),
        ({"evaluation_samples": 100}, "must be a multiple of evaluation_batch = 128"),
        ({"budget": 2**40}, "at most 2\\^32 - 1 steps"),
    ],
)
def test_protocols_that_cannot_be_run_are_refused(
    small_cell: Cell, changes: dict, message: str
) -> None:
    protocol = small_cell.protocol.model_copy(update=changes)
    with pytest.raises(ConfigurationError, match=message):
        replace(small_cell, protocol=protocol).check()


def test_a_broken_probe_is_refused(small_cell: Cell) -> None:
    with pytest.raises(ModelError, match='probe "broken" cannot be evaluated'):
        inspect_cell(replace(small_cell, probes=(BrokenProbe(),)))


def test_tied_weights_stay_tied(small_cell: Cell) -> None:
    facts = inspect_cell(replace(small_cell, model=Tied()))
    assert facts.loop_reason is None and facts.parameters == 10 * 10 + 10 + 10 + 10 + 1


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
