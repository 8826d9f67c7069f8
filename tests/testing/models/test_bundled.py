"""Every bundled task and model keeps every law."""

from __future__ import annotations

import pytest

from synthbench.registry.kinds import MODEL, TASK, Kind
from synthbench.registry.registry import installed
from synthbench.testing import check_model, check_task

TASKS = ["markov length=16", "induction-copying length=16", "sparse-parity n=10 k=2"]
MODELS = [
    "mlp width=8",
    "polynet",
    "sine-neuron",
    "transformer width=8",
    "transformer layers=1 width=4 mlp=1 dropout=0.1 positions=absolute",
    "simplified-transformer",
]


@pytest.mark.parametrize(("kind", "listed"), [(TASK, TASKS), (MODEL, MODELS)])
def test_the_lists_cover_all_that_is_bundled(kind: Kind, listed: list[str]) -> None:
    bundled = {name for name, plugin in installed().names(kind).items() if plugin.is_bundled}
    assert bundled == {reference.split()[0] for reference in listed}


@pytest.mark.parametrize("reference", TASKS)
def test_bundled_tasks_keep_every_law(reference: str) -> None:
    check_task(installed().task(reference))


@pytest.mark.parametrize("reference", MODELS)
def test_bundled_models_keep_every_law(reference: str) -> None:
    check_model(installed().model(reference))
