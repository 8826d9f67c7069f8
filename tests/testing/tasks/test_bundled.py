"""Every bundled task keeps every law."""

from __future__ import annotations

import pytest

from synthbench.registry.kinds import TASK
from synthbench.registry.registry import installed
from synthbench.testing import check_task

TASKS = ["markov length=16", "induction-copying length=16", "sparse-parity n=10 k=2"]


def test_the_list_covers_every_bundled_task() -> None:
    bundled = {name for name, plugin in installed().names(TASK).items() if plugin.is_bundled}
    assert bundled == {reference.split()[0] for reference in TASKS}


@pytest.mark.parametrize("reference", TASKS)
def test_bundled_tasks_keep_every_law(reference: str) -> None:
    check_task(installed().task(reference))
