"""The probe of the first layer's shares, at weights known in advance."""

from __future__ import annotations

import pytest
import torch

from synthbench.registry.registry import installed
from synthbench.testing import check_probe
from tests.plugins.probing import measure, view_of

TASK = "spurious-features n=10 core=3 spurious=2"


def test_shares_at_known_weights() -> None:
    core, spurious = view_of(TASK, "mlp width=4").world
    others = [i for i in range(10) if i not in {*core.tolist(), *spurious.tolist()}]
    weights = torch.zeros(4, 10)
    weights[0, core] = torch.tensor([1.0, -2.0, 0.0])
    weights[1, spurious[1]] = 3.0
    weights[3, others[0]] = -6.0
    found = measure("feature-weight", view_of(TASK, "mlp width=4", {"hidden.0.weight": weights}))
    assert found == pytest.approx({"core": 5 / 50, "spurious": 9 / 50})
    flat = {"hidden.0.weight": torch.ones(4, 10)}
    found = measure("feature-weight", view_of(TASK, "mlp width=4", flat))
    assert found == pytest.approx({"core": 0.3, "spurious": 0.2})


def test_every_weight_that_reads_the_coordinates_counts() -> None:
    model = "moe-mlp experts=2 width=3"
    core, spurious = view_of(TASK, model).world
    router, experts = torch.zeros(2, 10), torch.zeros(6, 10)
    router[0, core[0]] = 1.0
    experts[5, spurious[0]] = 2.0
    weights = {"router.scores.weight": router, "experts.hidden.0.weight": experts}
    found = measure("feature-weight", view_of(TASK, model, weights))
    assert found == pytest.approx({"core": 1 / 5, "spurious": 4 / 5})


@pytest.mark.parametrize("model", ["mlp", "residual-mlp", "polynet", "sine-neuron"])
def test_the_first_layer_is_found(model: str) -> None:
    found = measure("feature-weight", view_of(TASK, model))
    assert 0 < found["core"] < 1 and 0 < found["spurious"] < 1


def test_other_tasks_and_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="sparse-parity has none"):
        measure("feature-weight", view_of("sparse-parity n=10 k=3", "mlp"))
    for model in ("kan", "transformer width=10"):
        with pytest.raises(ValueError, match="no parameter of the model"):
            measure("feature-weight", view_of(TASK, model))


def test_every_law() -> None:
    check_probe(installed().probe("feature-weight"), task=installed().task(TASK))
