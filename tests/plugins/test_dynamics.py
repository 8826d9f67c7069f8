"""Probes of weights, gradients and curvature, against autograd and full Hessians."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.nn.utils import parameters_to_vector

import synthbench as sb
from synthbench.streams import Purpose, Stream
from tests.plugins.probing import measure, view_of


def test_weight_norm_of_the_parts_and_the_whole() -> None:
    view = view_of("sparse-parity n=6 k=2", "mlp width=4")
    found = measure("weight-norm", view)
    flat = parameters_to_vector(view.parameters.values())
    assert found["total"] == pytest.approx(float(flat.norm()), rel=1e-6)
    bias = view.parameters["hidden.0.bias"]
    assert found["hidden.0.bias"] == pytest.approx(float(bias.norm()), rel=1e-6)
    assert len(found) == 1 + len(view.parameters)


def test_gradient_against_autograd_batch_by_batch() -> None:
    view = view_of("sparse-parity n=6 k=2", "mlp width=4")
    rng = Stream.from_seed(3, Purpose.PROBE)
    rows = []
    for _ in range(5):
        batch = view.task.sample(view.world, rng, 8)
        weights = {n: p.clone().requires_grad_() for n, p in view.parameters.items()}
        view.loss(view.forward(weights, batch.x), batch).backward()
        rows.append(parameters_to_vector([p.grad for p in weights.values()]))
    rows = torch.stack(rows)
    noise = rows.var(dim=0, unbiased=True).sum()
    signal = rows.mean(0).square().sum() - noise / 5
    found = measure("gradient batches=5 batch_size=8", view)
    assert found["norm"] == pytest.approx(float(rows.mean(0).norm()), rel=1e-4)
    assert found["snr"] == pytest.approx(float(signal / noise), rel=1e-4)


def test_signal_to_noise_is_unbiased_where_there_is_no_signal() -> None:
    """The sine of random phases sees no parity of 8: on average nothing but noise."""
    view = view_of("sparse-parity n=10 k=8", "mlp width=8 loss=correlation")
    values = []
    for seed in range(40):
        rng = Stream.from_seed(seed, Purpose.PROBE)
        fresh = dataclasses.replace(
            view, rng=rng, sample=lambda size, rng=rng: view.task.sample(view.world, rng, size)
        )
        values.append(measure("gradient batches=4 batch_size=16", fresh)["snr"])
    values = torch.tensor(values)
    assert abs(float(values.mean())) < 3 * float(values.std()) / 40**0.5
    assert (values < 0).any()


def hessian_top(view: sb.View) -> tuple[float, float]:
    """Smallest and largest eigenvalue of the full Hessian."""
    names = list(view.parameters)
    shapes = [view.parameters[n].shape for n in names]

    def loss(flat: torch.Tensor) -> torch.Tensor:
        parts = flat.split([s.numel() for s in shapes])
        weights = {n: p.reshape(s) for n, p, s in zip(names, parts, shapes, strict=True)}
        return view.loss(view.forward(weights, view.batch.x), view.batch)

    flat = parameters_to_vector(view.parameters.values()).detach()
    values = torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, flat))
    return float(values[0]), float(values[-1])


@pytest.mark.parametrize(
    ("model", "sign"),
    [
        ("mlp width=4 activation=tanh loss=square", 1),
        ("mlp width=4 activation=tanh loss=correlation", 0),
        ("polynet degree=2 loss=correlation", 0),
    ],
)
def test_sharpness_is_the_top_eigenvalue_of_the_full_hessian(model: str, sign: int) -> None:
    view = view_of("sparse-parity n=6 k=2", model)
    low, top = hessian_top(view)
    assert (abs(low) < top) if sign else (abs(low) > 0.5 * top), "the case is what it claims"
    assert measure("sharpness iterations=80", view)["top"] == pytest.approx(top, rel=0.01)


def test_sharpness_where_a_negative_eigenvalue_dominates() -> None:
    """Concave in one direction, barely curved in the other."""
    view = view_of("sparse-parity n=2 k=1", "polynet degree=1 loss=square")

    def loss(output: torch.Tensor, batch: sb.Batch) -> torch.Tensor:
        return -(output.square().mean())

    bent = dataclasses.replace(view, loss=loss)
    low, top = hessian_top(bent)
    assert (low < -1.5 and abs(top) < 0.2 * abs(low)) or top <= 0
    assert measure("sharpness iterations=80", bent)["top"] == pytest.approx(top, abs=0.01)
