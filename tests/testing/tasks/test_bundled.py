"""Every bundled task keeps every law: the first three here, the others where they are tested.

`pytest -m slow tests/testing/tasks` examines all of them, at the size of their preset `small` and
at full length.
"""

from __future__ import annotations

import pytest

from synthbench.registry.kinds import TASK
from synthbench.registry.registry import installed
from synthbench.testing import check_task
from tests.docs.pages import ROOT
from tests.testing.tasks.brief import briefly

__all__ = ["briefly"]

TASKS = installed().bundled(TASK)

CONSTANT = {
    "automaton", "fuzzy-recall", "induction-copying", "markov", "mqar", "noisy-recall",
    "selective-copying",
}  # fmt: skip
"""Tasks that hide nothing from one sequence to the next."""


@pytest.mark.parametrize("name", TASKS)
def test_bundled_tasks_have_a_small_preset_with_a_baseline_and_a_page(name: str) -> None:
    preset = installed().find(TASK, name).presets["small"]
    assert preset.model is not None and preset.budget is not None
    assert (ROOT / "docs" / "tasks" / f"{name}.md").exists()


@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize(
    "reference", ["markov length=12", "induction-copying length=9", "sparse-parity n=10 k=2"]
)
def test_bundled_tasks_keep_every_law(reference: str) -> None:
    check_task(installed().task(reference))


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_small_presets_keep_every_law(name: str) -> None:
    check_task(installed().task(f"{name} small"), constant_world=name in CONSTANT)
