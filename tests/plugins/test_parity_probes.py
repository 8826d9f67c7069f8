"""Probes of hidden progress on parity, against enumeration and closed forms."""

from __future__ import annotations

from math import comb

import pytest
import torch

from synthbench_parity.fourier import found_by_size
from tests.plugins.probing import measure, view_of


def majority_coefficient(n: int, j: int) -> float:
    """|Fourier coefficient| of the majority of n signs at degree j (n and j odd)."""
    half = (n - 1) // 2
    return comb(half, (j - 1) // 2) / comb(n - 1, j - 1) * comb(n - 1, half) / 2 ** (n - 1)


@pytest.mark.parametrize(
    ("n", "j", "known"), [(9, 1, 0.273438), (9, 3, 0.039062), (9, 5, 0.023438)]
)
def test_the_closed_form_has_the_known_values(n: int, j: int, known: float) -> None:
    assert majority_coefficient(n, j) == pytest.approx(known, abs=1e-6)


@pytest.mark.parametrize(
    ("n", "k", "on", "off"),
    [(9, 2, 0.136719, 0.019531), (9, 4, 0.019531, 0.011719), (11, 4, 0.013672, 0.005859)],
)
def test_the_gap_at_sign_weights_is_that_of_the_majority(
    n: int, k: int, on: float, off: float
) -> None:
    """f = ReLU(w.x) under the correlation loss: half a majority coefficient on S and off it."""
    signs = torch.randint(0, 2, (1, n), generator=torch.Generator().manual_seed(n)) * 2.0 - 1
    view = view_of(
        f"sparse-parity n={n} k={k}",
        "mlp width=1 bias=false loss=correlation",
        {"hidden.0.weight": signs, "readout.weight": torch.ones(1, 1)},
    )
    found = measure("fourier-gap", view)
    assert on == pytest.approx(majority_coefficient(n, k - 1) / 2, abs=1e-6)
    assert off == pytest.approx(majority_coefficient(n, k + 1) / 2, abs=1e-6)
    assert found["gap"] == pytest.approx(on - off, abs=1e-6)
    assert found["share"] == 1.0
    assert found["mass"] == pytest.approx(k * on**2 / (k * on**2 + (n - k) * off**2), abs=1e-4)


def test_odd_degrees_without_a_bias_have_no_gradient() -> None:
    signs = torch.ones(1, 9)
    view = view_of(
        "sparse-parity n=9 k=3",
        "mlp width=1 bias=false loss=correlation",
        {"hidden.0.weight": signs, "readout.weight": torch.ones(1, 1)},
    )
    assert measure("fourier-gap", view)["gap"] == pytest.approx(0, abs=1e-7)


def test_a_network_s_gradient_against_a_loop_over_all_inputs() -> None:
    view = view_of("sparse-parity n=6 k=3", "mlp width=5 loss=square")
    weight = view.parameters["hidden.0.weight"].clone().requires_grad_()
    total = torch.zeros(())
    for number in range(2**6):
        x = torch.tensor([[1.0 - 2 * (number >> i & 1) for i in range(6)]])
        output = view.forward({**view.parameters, "hidden.0.weight": weight}, x)
        total = total + (x[:, view.world].prod(1) - output).square().sum() / 2**6
    (gradient,) = torch.autograd.grad(total, weight)
    sizes = gradient.abs()
    off = [i for i in range(6) if i not in view.world.tolist()]
    gaps = sizes[:, view.world].amin(1) - sizes[:, off].amax(1)
    found = measure("fourier-gap", view)
    assert found["gap"] == pytest.approx(float(gaps.mean()), abs=1e-6)
    assert found["share"] == pytest.approx(float((gaps > 0).float().mean()))


def test_sampling_approaches_enumeration() -> None:
    view = view_of("sparse-parity n=11 k=2", "mlp width=20 loss=correlation")
    exact = measure("fourier-gap samples=2048", view)
    sampled = measure("fourier-gap samples=2047", view)
    many = measure("fourier-gap samples=2048", view_of(
        "sparse-parity n=12 k=2", "mlp width=20 loss=correlation"))  # fmt: skip
    assert exact["mass"] > sampled["mass"] > 2 / 11, "scatter lies off the support too"
    assert abs(exact["gap"] - sampled["gap"]) < 0.02
    assert many["gap"] != exact["gap"]


@pytest.mark.parametrize(("n", "k"), [(9, 2), (9, 4), (11, 4)])
def test_the_gradient_at_sign_weights_shows_the_support_to_every_neuron(n: int, k: int) -> None:
    """Theorem: for even k, every sign vector has a Fourier gap."""
    signs = torch.randint(0, 2, (5, n), generator=torch.Generator().manual_seed(n)) * 2.0 - 1
    view = view_of(
        f"sparse-parity n={n} k={k}",
        "mlp width=5 bias=false loss=correlation",
        {"hidden.0.weight": signs, "readout.weight": torch.tensor([[1.0, -1.0, 2.0, 1.0, -2.0]])},
    )
    assert measure("gradient-support", view) == {"pooled": 1.0, "single": 1.0}


@pytest.mark.parametrize("seed", range(4))
def test_the_coordinates_found_against_a_loop_over_all_inputs(seed: int) -> None:
    n, k = 6, 3
    view = view_of(f"sparse-parity n={n} k={k}", "mlp width=4 loss=correlation", seed=seed)
    weight, bias = view.parameters["hidden.0.weight"], view.parameters["hidden.0.bias"]
    out = view.parameters["readout.weight"][0]
    gradient = torch.zeros(4, n)
    for number in range(2**n):
        x = torch.tensor([1.0 - 2 * (number >> i & 1) for i in range(n)])
        gate = (weight @ x + bias > 0).float()
        gradient -= x[view.world].prod() * (out * gate)[:, None] * x / 2**n
    found = measure("gradient-support", view)
    truth = set(view.world.tolist())

    def found_in(row: torch.Tensor) -> float:
        sizes = sorted(((abs(value), i) for i, value in enumerate(row.tolist())), reverse=True)
        beyond = sizes[k][0]
        return len({i for size, i in sizes[:k] if size > beyond + 1e-6} & truth) / k

    expected = sum(found_in(row) for row in gradient) / 4
    assert found["single"] == pytest.approx(expected)
    assert found["pooled"] == pytest.approx(found_in(gradient.norm(dim=0)))


def test_what_is_found_of_gradients_made_by_hand() -> None:
    """Support 0, 3: both, one, none since three are as large, and none since all are 0."""
    rows = torch.tensor(
        [[3.0, 1, 1, 2, 0], [3.0, 1, 2.5, 2, 0], [2.0, 2, 0, 2, 0], [0.0, 0, 0, 0, 0]]
    )
    found = found_by_size(torch.tensor([0, 3]), rows)
    assert found.tolist() == [1.0, 0.5, 0.0, 0.0]


def test_a_gradient_that_is_zero_shows_nothing() -> None:
    view = view_of("sparse-parity n=9 k=3", "mlp", {"readout.weight": torch.zeros(1, 100)})
    assert measure("gradient-support", view) == {"pooled": 0.0, "single": 0.0}


def test_few_samples_show_less_of_the_support_than_many() -> None:
    """Over networks: two samples cannot rank eleven coordinates by a single neuron."""
    few, many = [], []
    for seed in range(8):
        view = view_of("sparse-parity n=11 k=2", "mlp width=20 loss=correlation", seed=seed)
        few.append(measure("gradient-support samples=2", view)["single"])
        many.append(measure("gradient-support samples=2048", view)["single"])
    assert sum(few) / 8 < 2 / 11 < 0.6 < sum(many) / 8


def test_support_mass_and_overlap_at_known_weights() -> None:
    task = "sparse-parity n=10 k=3"
    support = view_of(task, "mlp width=4").world
    aligned = torch.zeros(4, 10)
    aligned[:, support] = torch.tensor([2.0, -2.0, 2.0])
    flat = torch.ones(4, 10)
    for weights, mass, best in ((aligned, 1.0, 1.0), (flat, 0.3, 0.3**0.5)):
        view = view_of(task, "mlp width=4", {"hidden.0.weight": weights})
        assert measure("support-mass", view)["weights"] == pytest.approx(mass)
        found = measure("feature-overlap", view)
        assert found["best"] == pytest.approx(best) == found["mean"]
    one = flat.clone()
    one[2] = aligned[2]
    found = measure("feature-overlap", view_of(task, "mlp width=4", {"hidden.0.weight": one}))
    assert found["best"] == pytest.approx(1.0)
    assert found["mean"] == pytest.approx((1 + 3 * 0.3**0.5) / 4)


def test_movement_counts_only_the_change() -> None:
    task = "sparse-parity n=10 k=3"
    start = view_of(task, "mlp width=4")
    weights = start.initial["hidden.0.weight"].clone()
    weights[0, start.world[0]] += 1.0
    outside = next(i for i in range(10) if i not in start.world.tolist())
    weights[1, outside] += 2.0
    view = view_of(task, "mlp width=4", {"hidden.0.weight": weights})
    assert measure("support-mass", view)["movement"] == pytest.approx(1 / 5, abs=1e-5)


@pytest.mark.parametrize(
    "probe", ["support-mass", "feature-overlap", "fourier-gap", "gradient-support"]
)
def test_other_tasks_and_networks_are_refused(probe: str) -> None:
    with pytest.raises(ValueError, match="markov has none"):
        measure(probe, view_of("markov length=10", "transformer"))
    for model in ("transformer", "transformer width=10", "transformer width=10 heads=2 mlp=1"):
        with pytest.raises(ValueError, match="no parameter"):
            measure(probe, view_of("sparse-parity n=10 k=3", model))


@pytest.mark.parametrize("model", ["mlp", "polynet", "polynet disjoint=true", "sine-neuron"])
def test_the_first_layer_is_found(model: str) -> None:
    found = measure("support-mass", view_of("sparse-parity n=12 k=3", model))
    assert 0 < found["weights"] < 1
