"""Fourier probes on logits and weights whose spectrum is known, and against numpy's transforms."""

from __future__ import annotations

import dataclasses
import math
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream
from synthbench_arithmetic.cyclic import powers_of_a_generator
from synthbench_arithmetic.waves import gini, power, waves
from tests.plugins.probing import view_of

RESTRICTED = ("network", "restricted", "excluded", "excluded-train", "share")


def view_with(
    table: Tensor | None = None, task: str = "p=11", model: str = "mlp width=8"
) -> sb.View:
    """A view whose network answers with rows of a table (p, p, p) of logits, if there is one."""
    view = finite_view(f"modular-arithmetic {task}", model)
    if table is None:
        return view

    def forward(parameters: object, x: Tensor) -> Tensor:
        a, b = view.task.operands(x)
        return table.to(torch.float32)[a, b]

    return dataclasses.replace(view, forward=forward)


def finite_view(task_reference: str, model_reference: str, seed: int = 3) -> sb.View:
    """A freshly built model on a task with a training set in place of a sampler."""
    task = installed().task(task_reference)
    world = task.world(Stream.from_seed(seed, Purpose.WORLD))
    view = view_of("induction-copying length=12", "transformer width=8", size=4)
    module = installed().model(model_reference).build(task.interface)
    parameters = {name: p.detach() for name, p in module.named_parameters()}
    return dataclasses.replace(
        view,
        task=task,
        world=world,
        parameters=parameters,
        initial=parameters,
        forward=lambda p, x: torch.func.functional_call(module, dict(p), (x,)),
        batch=task.examples(world[1]),
    )


def measured(probe: str, view: sb.View) -> dict[str, Tensor]:
    return dict(installed().probe(probe).measure(view))


def cosines(p: int, amplitudes: dict[int, float], answer=lambda a, b: a + b) -> Tensor:
    """Logits sum_k A_k cos(2 pi k (a o b - c) / p): (p, p, p)."""
    a, b, c = (torch.arange(p).reshape(shape) for shape in ((-1, 1, 1), (1, -1, 1), (1, 1, -1)))
    angles = 2 * math.pi * ((answer(a, b) - c) % p).double() / p
    return sum(size * (k * angles).cos() for k, size in amplitudes.items())


def loss_of(logits: Tensor, truth: Tensor) -> float:
    return float(-logits.log_softmax(-1).gather(-1, truth[..., None]).mean())


@pytest.mark.parametrize("m", [5, 8, 11, 12])
def test_waves_and_the_constant_are_an_orthonormal_basis(m: int) -> None:
    found = waves(torch.zeros(m, dtype=torch.float64)).reshape(-1, m)
    found = torch.cat([found, torch.full((1, m), m**-0.5, dtype=torch.float64)])
    kept = found[found.norm(dim=1) > 0]
    assert kept.shape == (m, m)
    assert torch.allclose(kept @ kept.T, torch.eye(m, dtype=torch.float64), atol=1e-12)


@pytest.mark.parametrize("m", [7, 10])
def test_power_is_that_of_numpys_transform(m: int) -> None:
    values = np.random.default_rng(0).normal(size=(m, 3))
    spectrum = np.abs(np.fft.fft(values, axis=0)) ** 2 / m
    # A real signal has every frequency twice, k and m - k, but half of m.
    expected = [spectrum[list({k, m - k})].sum() for k in range(1, m // 2 + 1)]
    assert power(torch.from_numpy(values)).tolist() == pytest.approx(expected)


def test_gini_coefficients_by_hand() -> None:
    assert float(gini(torch.full((6,), 0.3))) == pytest.approx(0, abs=1e-6)
    assert float(gini(torch.tensor([0.0, 0, 0, 5]))) == pytest.approx(3 / 4)
    sizes = [3.0, 1, 4, 1, 5]
    differences = sum(abs(x - y) for x, y in product(sizes, repeat=2))
    assert float(gini(torch.tensor(sizes))) == pytest.approx(differences / (2 * 5 * sum(sizes)))
    assert float(gini(torch.zeros(3))) == 0


def test_a_sum_of_cosines_has_the_spectrum_that_it_was_made_of() -> None:
    view = view_with(cosines(11, {2: 3.0, 5: 1.0}))
    found = measured("fourier-spectrum top=1", view)
    assert found["logits"].tolist() == pytest.approx([0, 0.9, 0, 0, 0.1], abs=1e-6)
    assert float(found["logits-top"]) == pytest.approx(0.9)
    # Norms 0, 0, 0, 1, 3 in ascending order.
    assert float(found["logits-gini"]) == pytest.approx((1 * 2 + 3 * 4) / (5 * 4))
    both = measured("fourier-spectrum top=2", view)
    assert float(both["logits-top"]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("mlp width=6", "hidden.0.weight"),
        ("transformer width=6", "trunk.embedding"),
        ("gru width=6", "embedding"),
    ],
)
@pytest.mark.parametrize("written", ["", "operator=true equals=true"])
def test_the_embedding_is_read_where_it_is(model: str, name: str, written: str) -> None:
    """Residues on two circles; whatever else there is has no part in it."""
    view = view_with(None, f"p=11 {written}", model)
    angles = 2 * math.pi * torch.arange(11) / 11
    circles = torch.stack(
        [2 * (3 * angles).cos(), 2 * (3 * angles).sin(), angles.cos(), angles.sin()], dim=1
    )
    weight = torch.randn(view.parameters[name].shape)
    if name == "hidden.0.weight":
        columns = weight.unflatten(1, (-1, view.task.interface.input.vocabulary))
        columns[:, [0, 2 if written else 1], :11] = 0
        columns[:4, 0, :11] = columns[2:6, 2 if written else 1, :11] = circles.T
        weight = columns.flatten(1)
    else:
        weight[:11] = 0
        weight[:11, :4] = circles
    changed = dataclasses.replace(view, parameters={**view.parameters, name: weight})
    found = measured("fourier-spectrum top=1", changed)
    assert found["embedding"].tolist() == pytest.approx([0.2, 0, 0.8, 0, 0], abs=1e-6)
    assert float(found["embedding-top"]) == pytest.approx(0.8)
    # Every column is a wave of one frequency.
    assert float(found["column-top"]) == pytest.approx(1)


def test_columns_of_two_frequencies() -> None:
    """One column has both, 4 to 1 in power; another has one of them and the same power."""
    view = view_with(None, "p=11", "transformer width=6")
    angles = 2 * math.pi * torch.arange(11) / 11
    weight = torch.zeros(12, 6)
    weight[:11, 0] = 2 * angles.cos() + (4 * angles).sin()
    weight[:11, 1] = 5**0.5 * (4 * angles).cos()
    changed = {**view.parameters, "trunk.embedding": weight}
    found = measured("fourier-spectrum", dataclasses.replace(view, parameters=changed))
    assert float(found["column-top"]) == pytest.approx((4 + 5) / 10)
    assert found["embedding"].tolist() == pytest.approx([0.4, 0, 0, 0.6, 0], abs=1e-6)


def test_products_are_read_in_the_order_of_a_generator() -> None:
    """cos(2 pi k (log a + log b - log c) / 10) on the units of Z_11; zeros do not count."""
    order = powers_of_a_generator(11)
    assert sorted(order) == list(range(1, 11)) and order[:4] == (1, 2, 4, 8)
    logarithm = {unit: i for i, unit in enumerate(order)}
    for operation, sign in (("multiply", 1), ("divide", -1)):
        table = torch.randn(11, 11, 11, dtype=torch.float64)
        for a, b, c in product(range(1, 11), repeat=3):
            s = logarithm[a] + sign * logarithm[b] - logarithm[c]
            table[a, b, c] = 2 * math.cos(2 * math.pi * 3 * s / 10) + math.cos(math.pi * s)
        table[1:, 1:, 0] = 0
        view = view_with(table, f"p=11 operation={operation}")
        found = measured("fourier-spectrum", view)
        assert found["logits"].tolist() == pytest.approx([0, 0, 2 / 3, 0, 1 / 3], abs=1e-6)
        left = measured("restricted-loss keys=2", view)
        assert float(left["restricted"]) == pytest.approx(float(left["network"]), abs=1e-5)
        assert float(left["excluded"]) == pytest.approx(math.log(11), abs=1e-5)


@pytest.mark.parametrize("operation", ["add", "subtract"])
def test_a_network_of_key_frequencies_alone(operation: str) -> None:
    answer = (lambda a, b: a + b) if operation == "add" else (lambda a, b: a - b)
    table = cosines(11, {2: 3.0, 5: 1.0}, answer)
    grid = torch.arange(11)
    own = loss_of(table, answer(grid[:, None], grid[None]) % 11)
    found = measured("restricted-loss keys=2", view_with(table, f"p=11 operation={operation}"))
    assert float(found["network"]) == pytest.approx(own, rel=1e-5)
    assert float(found["restricted"]) == pytest.approx(own, rel=1e-5)
    for name in ("excluded", "excluded-train"):
        assert float(found[name]) == pytest.approx(math.log(11), rel=1e-5)
    assert float(found["share"]) == pytest.approx(1)
    # Of two frequencies, one key leaves the other behind.
    one = measured("restricted-loss keys=1", view_with(table, f"p=11 operation={operation}"))
    weaker = cosines(11, {5: 1.0}, answer)
    stronger = cosines(11, {2: 3.0}, answer)
    truth = answer(grid[:, None], grid[None]) % 11
    assert float(one["excluded"]) == pytest.approx(loss_of(weaker, truth), rel=1e-5)
    assert float(one["restricted"]) == pytest.approx(loss_of(stronger, truth), rel=1e-5)
    assert float(one["share"]) == pytest.approx(0.9, rel=1e-5)


def test_any_logits_against_a_two_dimensional_transform() -> None:
    """numpy's fft2 over (a, b), from which all but the terms (0, 0), +-(k, k) are struck out."""
    p, keys = 7, 2
    table = np.random.default_rng(1).normal(size=(p, p, p)) * 3 + 2
    view = view_with(torch.from_numpy(table), f"p={p}")
    table -= table.mean(axis=2, keepdims=True)
    terms = np.fft.fft2(table, axes=(0, 1))
    sizes = {k: sum((np.abs(terms[j, j]) ** 2).sum() for j in (k, p - k)) for k in range(1, 4)}
    chosen = sorted(sizes, key=sizes.get)[-keys:]
    diagonal = np.zeros((p, p, 1))
    for k in chosen:
        diagonal[k, k] = diagonal[p - k, p - k] = 1
    constant = np.zeros((p, p, 1))
    constant[0, 0] = 1

    def back(mask: np.ndarray) -> Tensor:
        return torch.from_numpy(np.fft.ifft2(terms * mask, axes=(0, 1)).real)

    truth = torch.from_numpy(np.add.outer(np.arange(p), np.arange(p)) % p)
    trained = np.zeros((p, p), dtype=bool)
    for a, b in view.task.examples(view.world[0]).x.tolist():
        trained[a, b] = True
    rest = back(1 - diagonal)
    expected = {
        "network": loss_of(torch.from_numpy(table), truth),
        "restricted": loss_of(back(diagonal + constant), truth),
        "excluded": loss_of(rest, truth),
        "excluded-train": loss_of(rest[trained], truth[trained]),
        "share": sum(sizes[k] for k in chosen)
        / (np.abs(terms) ** 2).sum(axis=2)[np.arange(p * p).reshape(p, p) > 0].sum(),
    }
    found = measured(f"restricted-loss keys={keys}", view)
    assert tuple(found) == RESTRICTED
    assert {n: float(v) for n, v in found.items()} == pytest.approx(expected, rel=1e-4)


def test_what_a_memorizer_says_is_left_without_the_keys() -> None:
    """Of f of the pairs, spread evenly over 11 frequencies: 5 hold about f 5/11 of the squares.

    The projection averages over the pairs of every sum, so its loss is below chance even so.
    """
    view = view_with(None, "p=23 share=0.5")
    table = torch.zeros(23, 23, 23)
    x, y, _ = view.task.train_set(view.world)
    table[x[:, 0], x[:, 1], y] = 12.0
    found = measured("restricted-loss", view_with(table, "p=23 share=0.5"))
    assert float(found["excluded-train"]) < 0.05
    assert float(found["share"]) == pytest.approx(0.5 * 5 / 11, abs=0.04)
    assert float(found["restricted"]) < math.log(23) / 2 < float(found["network"])


def test_what_they_cannot_read_is_refused() -> None:
    parity = view_of("sparse-parity n=10 k=3", "mlp")
    for probe in ("fourier-spectrum", "restricted-loss"):
        with pytest.raises(ValueError, match="residues of modular-arithmetic"):
            measured(probe, parity)
        with pytest.raises(ValueError, match="no group"):
            measured(probe, view_with(None, "p=11 operation=quadratic"))
        with pytest.raises(ValueError, match="prime p alone, got 12"):
            measured(probe, view_with(None, "p=12 operation=multiply"))
    headless = view_with(torch.zeros(11, 11, 11))
    with pytest.raises(ValueError, match="no parameter of the model is an embedding"):
        measured("fourier-spectrum", dataclasses.replace(headless, parameters={}))
