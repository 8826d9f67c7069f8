"""A fault planted in a task is found by the law it breaks, and by no other.

`pytest -m slow` judges every fault by the costly laws and the later ones too, and trains the law's
own network at full length on every task.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import pytest
import torch
import torch.nn.functional as F

import synthbench as sb
from synthbench.testing import TASK_LAWS, ConformanceError, check_task, examine_task
from synthbench.testing.tasks.check import task_examination
from tests.testing.planted_law import broken_up_to
from tests.testing.tasks import planted
from tests.testing.tasks.brief import briefly
from tests.testing.tasks.planted import PLANTED
from tests.testing.tasks.planted.reference_faults import ReadsLabels
from tests.testing.tasks.sound import Dictator, Successor
from tests.testing.tasks.wider import WIDER

__all__ = ["briefly"]

FAULTS = pytest.mark.parametrize(
    ("fault", "law"), PLANTED.items(), ids=[f.__name__ for f in PLANTED]
)
COSTLY = {
    "device-agnostic",
    "nothing-beats-optimal",
    "sample-ignores-purpose",
    "sampling-is-timed",
    "size-changes-nothing",
    "traced-equals-called",
    "train-and-eval-disjoint",
    "vmapped-equals-looped",
}
"""Laws that take longer than all others; that no sound task breaks them is asked of each."""


@FAULTS
def test_a_faulty_task_breaks_one_law(
    fault: type[sb.Task], law: str, request: pytest.FixtureRequest
) -> None:
    if law != "nothing-beats-optimal":
        request.getfixturevalue("briefly")
    broken = broken_up_to(law, task_examination(fault()), COSTLY)
    assert set(broken) == {law}, broken


@pytest.mark.slow
@FAULTS
def test_a_faulty_task_breaks_one_law_at_full_length(fault: type[sb.Task], law: str) -> None:
    found = examine_task(fault()).findings
    assert {finding.law for finding in found} == {law}, [f.describe() for f in found]


def test_every_law_but_the_one_that_is_not_judged_has_a_fault() -> None:
    """The rate of sampling is reported, and what cannot be sampled breaks an earlier law."""
    assert {law.name for law in TASK_LAWS} - set(PLANTED.values()) == {"sampling-is-timed"}


def test_every_fault_is_listed() -> None:
    """A fault that is written and not listed would never be examined."""
    found = iter_modules(planted.__path__, f"{planted.__name__}.")
    modules = [import_module(module.name) for module in found]
    written = {
        fault
        for module in modules
        for fault in vars(module).values()
        if isinstance(fault, type)
        and issubclass(fault, sb.Task)
        and fault.__module__ == module.__name__
    }
    assert written == set(PLANTED)


@pytest.mark.parametrize(
    "task", [Dictator(), pytest.param(Successor(), marks=pytest.mark.slow)], ids=lambda t: t.name
)
def test_sound_tasks_keep_every_law(task: sb.Task) -> None:
    """At full length."""
    check_task(task)


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize("task", [Successor(), *WIDER], ids=lambda task: task.name)
def test_sound_tasks_of_other_kinds_keep_every_law(task: sb.Task) -> None:
    check_task(task)


@pytest.mark.slow
@pytest.mark.parametrize("task", WIDER, ids=lambda task: task.name)
def test_sound_tasks_of_other_kinds_keep_every_law_at_full_length(task: sb.Task) -> None:
    check_task(task)


def test_the_error_says_the_law_what_was_seen_and_what_to_change() -> None:
    law = next(law for law in TASK_LAWS if law.name == "references-ignore-labels")
    with pytest.raises(ConformanceError) as caught:
        check_task(ReadsLabels())
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("breaks 1 law")
    assert lines[2].startswith(f"{law.name}: {law.statement[:30]}")
    assert any(line.startswith("  seen: ") and "labels" in line for line in lines)
    assert any(line.startswith(f"  change: {law.advice[:30]}") for line in lines)
    assert max(map(len, lines[1:])) <= 80


class Labelled(Dictator):
    """Labels 0 and 1, integers, and losses of its own that say nothing where all is well."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        return sb.Batch(batch.x, (batch.y > 0).long())

    def losses(self):
        return {
            "perceptron": lambda out, batch: torch.relu((1 - 2 * batch.y) * out).mean(),
            "cross-entropy": lambda out, batch: F.binary_cross_entropy_with_logits(
                out, batch.y.to(out.dtype)
            ),
        }

    def score(self, output, batch):
        return super().score(output, sb.Batch(batch.x, 2.0 * batch.y - 1))

    def references(self, world, batch):
        return super().references(world, batch._replace(y=2.0 * batch.y - 1))


class SomeUnlabelled(Dictator):
    """A quarter of the labels is 0: not known."""

    noise: float = 0.0

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        known = rng.bernoulli(0.75, (size,))
        return sb.Batch(batch.x, torch.where(known, batch.y, 0.0))

    def exact_scores(self):
        return {"trivial": 0.5, "optimal": 0.75 + 0.125}


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize("task", [Labelled(), SomeUnlabelled()], ids=lambda t: type(t).__name__)
def test_a_task_may_have_labels_and_losses_of_its_own(task: sb.Task) -> None:
    found = {finding.law: finding.seen for finding in examine_task(task).findings}
    assert not found.keys() & {"samples-fit-interface", "every-example-has-a-gradient"}, found
