"""The overlap of first-layer weights with hidden directions, on networks made by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthbench.testing import check_probe
from synthbench_index_models.direction_overlap import DirectionOverlap
from tests.plugins.probing import measure, view_of

TASK = "index-model d=6 link=z1+z1*z2"


def test_overlaps_by_hand() -> None:
    first, second = view_of(TASK, "mlp width=4 loss=square").world.float()
    outside = torch.linalg.svd(torch.stack([first, second]))[2][-1]
    weights = torch.stack([2 * first, 3 * first - 4 * second, first + outside, 5 * outside])
    found = measure(
        "direction-overlap", view_of(TASK, "mlp width=4 loss=square", {"hidden.0.weight": weights})
    )
    assert found["best"] == pytest.approx(1)
    assert found["mean"] == pytest.approx((1 + 1 + 0.5**0.5 + 0) / 4, abs=1e-5)
    assert found["mass"] == pytest.approx((4 + 25 + 1) / (4 + 25 + 2 + 25), abs=1e-5)
    assert found["direction-1"] == pytest.approx(1)
    assert found["direction-2"] == pytest.approx(4 / 5)


def test_random_weights_read_the_span_by_chance() -> None:
    """r of d dimensions: a share of r/d, by 2,000 neurons."""
    found = measure("direction-overlap", view_of(TASK, "mlp width=2000 init=gaussian loss=square"))
    assert found["mass"] == pytest.approx(2 / 6, abs=0.02)
    assert 0 < found["mean"] < found["best"] < 1


def test_overlaps_do_not_depend_on_the_basis_of_the_span() -> None:
    view = view_of(TASK, "mlp width=8 loss=square")
    weights, directions = view.parameters["hidden.0.weight"].numpy(), view.world.numpy()
    # The projection onto the span, by another basis of it.
    basis = np.linalg.qr((np.array([[1.0, 2.0], [-3.0, 1.0]]) @ directions).T)[0]
    inside = np.linalg.norm(weights @ basis, axis=1) / np.linalg.norm(weights, axis=1)
    found = measure("direction-overlap", view)
    assert found["best"] == pytest.approx(inside.max(), rel=1e-5)
    assert found["mean"] == pytest.approx(inside.mean(), rel=1e-5)


def test_a_network_without_weights_overlaps_with_nothing() -> None:
    view = view_of(TASK, "mlp width=3 loss=square", {"hidden.0.weight": torch.zeros(3, 6)})
    assert set(measure("direction-overlap", view).values()) == {0.0}


def test_other_tasks_and_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="sparse-parity has none"):
        measure("direction-overlap", view_of("sparse-parity n=6 k=2", "mlp width=3"))
    with pytest.raises(ValueError, match="no parameter of the model has a last axis of d=6"):
        measure("direction-overlap", view_of(TASK, "kan width=3"))


def test_every_law() -> None:
    check_probe(DirectionOverlap(), task="index-model d=6", model="mlp width=8 loss=square")
