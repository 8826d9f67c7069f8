"""The KAN: its splines against SciPy's, its function written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline
from torch.nn.functional import silu

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench_kan.splines import b_splines


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize(("grid", "reach"), [(1, 1.0), (5, 1.0), (7, 2.5)])
def test_splines_are_scipys(order: int, grid: int, reach: float) -> None:
    spacing = 2 * reach / grid
    knots = spacing * np.arange(-order, grid + order + 1) - reach
    x = np.linspace(-2 * reach, 2 * reach, 401)
    found = b_splines(torch.from_numpy(x), grid, order, reach).numpy()
    assert found.shape == (401, grid + order)
    for index in range(grid + order):
        element = BSpline.basis_element(knots[index : index + order + 2], extrapolate=False)
        np.testing.assert_allclose(found[:, index], np.nan_to_num(element(x)), atol=1e-12)


def test_splines_sum_to_one_on_the_grid_with_its_ends_and_fade_beyond() -> None:
    x = torch.linspace(-1, 1, 101).double()
    torch.testing.assert_close(b_splines(x, 5, 3, 1.0).sum(-1), torch.ones(101).double())
    # The last spline ends three intervals of 0.4 after the grid.
    assert not b_splines(torch.tensor([-2.2, 2.2, 50.0]), 5, 3, 1.0).any()
    assert b_splines(torch.tensor([-2.1, 2.1]), 5, 3, 1.0).any()


@pytest.mark.parametrize("output", [sb.Margin(), sb.Value(2, 2), sb.ClassLogits(3)], ids=repr)
def test_every_edge_is_a_function_of_its_own(output: sb.Port) -> None:
    torch.manual_seed(0)
    model = installed().model("kan width=4 grid=3 order=2 reach=1.5")
    network = model.build(sb.Interface(sb.Reals(2, 3), output)).double()
    x = torch.rand(5, 2, 3, dtype=torch.float64) * 4 - 2
    h = x.flatten(1)
    for layer in network.layers:
        weights, coefficients = layer.base.weight, layer.coefficients.unflatten(1, (-1, 5))
        sums = torch.zeros(5, len(weights), dtype=torch.float64)
        for j in range(len(weights)):
            for i in range(h.shape[1]):
                spline = b_splines(h[:, i], 3, 2, 1.5) @ coefficients[j, i]
                sums[:, j] += weights[j, i] * silu(h[:, i]) + spline
        h = sums
    torch.testing.assert_close(network(x), h.reshape(5, *output.shape))


def test_depth_zero_adds_up_functions_of_one_input() -> None:
    network = installed().model("kan depth=0").build(sb.Interface(sb.Signs(4), sb.Margin()))
    x = torch.randn(6, 4)
    swapped = x.clone()
    swapped[:, 0] = 0.5
    rest = torch.roll(x, 1, 0)
    rest[:, 0] = x[:, 0]
    rest_swapped = rest.clone()
    rest_swapped[:, 0] = 0.5
    change, other = network(x) - network(swapped), network(rest) - network(rest_swapped)
    torch.testing.assert_close(change, other, rtol=1e-4, atol=1e-5)


def test_causal_outputs_are_refused() -> None:
    with pytest.raises(sb.InterfaceError, match="may not see later"):
        installed().model("kan").check_accepts(
            sb.Interface(sb.Signs(4), sb.Margins(4, causal=True))
        )


def test_it_learns_a_function_of_one_input(out, settings: sb.Settings) -> None:
    result = sb.evaluate(
        "sparse-parity n=6 k=1", "kan width=4 grid=3",
        protocol=sb.Protocol(seeds=2, budget=6_400), out=out, settings=settings,
    )  # fmt: skip
    assert result.record.summary.solved == 2
    assert not result.record.compute.looped
