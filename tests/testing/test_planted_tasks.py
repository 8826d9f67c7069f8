"""A fault planted in a task is found by the law it breaks, and by no other."""

from __future__ import annotations

import pytest

import synthbench as sb
from synthbench.testing import TASK_LAWS, ConformanceError, check_task, examine_task
from tests.testing import planted_tasks
from tests.testing.planted_tasks import PLANTED
from tests.testing.sound import Dictator, Successor


@pytest.mark.parametrize(("fault", "law"), PLANTED.items(), ids=[f.__name__ for f in PLANTED])
def test_a_faulty_task_breaks_one_law(fault: type[sb.Task], law: str) -> None:
    found = examine_task(fault()).findings
    assert {finding.law for finding in found} == {law}, [f.describe() for f in found]


def test_every_law_but_the_one_that_is_not_judged_has_a_fault() -> None:
    """The rate of sampling is reported, and what cannot be sampled breaks an earlier law."""
    assert {law.name for law in TASK_LAWS} - set(PLANTED.values()) == {"sampling-is-timed"}


def test_every_fault_is_listed() -> None:
    """A fault that is written and not listed would never be examined."""
    written = {
        found
        for found in vars(planted_tasks).values()
        if isinstance(found, type)
        and issubclass(found, sb.Task)
        and found.__module__ == planted_tasks.__name__
    }
    assert written == set(PLANTED)


@pytest.mark.parametrize("task", [Dictator(), Successor()], ids=["dictator", "successor"])
def test_sound_tasks_keep_every_law(task: sb.Task) -> None:
    check_task(task)


def test_the_error_says_the_law_what_was_seen_and_what_to_change() -> None:
    law = next(law for law in TASK_LAWS if law.name == "references-ignore-labels")
    with pytest.raises(ConformanceError) as caught:
        check_task(planted_tasks.ReadsLabels())
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("breaks 1 law")
    assert lines[2].startswith(f"{law.name}: {law.statement[:30]}")
    assert any(line.startswith("  seen: ") and "labels" in line for line in lines)
    assert any(line.startswith(f"  change: {law.advice[:30]}") for line in lines)
    assert max(map(len, lines[1:])) <= 80
