"""PolyNets and the sine neuron: what they can represent and how they move."""

from __future__ import annotations

import math

import pytest
import torch
from torch.func import functional_call

import synthbench as sb
from synthbench.errors import ConfigurationError
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream
from tests.plugins.test_parity import every_input


def build(model: str, n: int) -> torch.nn.Module:
    torch.manual_seed(0)
    return installed().model(model).build(sb.Interface(sb.Signs(n), sb.Margin()))


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_a_polynet_of_degree_k_represents_a_parity(k: int) -> None:
    support = [5, 0, 3, 2][:k]
    weight = torch.zeros(k, 6)
    weight[range(k), support] = 1.0
    x = every_input(6)
    given = {"forms.weight": weight, "forms.bias": torch.zeros(k)}
    output = functional_call(build(f"polynet degree={k}", 6), given, (x,))
    assert torch.equal(output, x[:, support].prod(1))


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_a_sine_neuron_represents_a_parity_of_any_degree(k: int) -> None:
    support = [5, 0, 3, 2, 1][:k]
    weight = torch.zeros(1, 6)
    weight[:, support] = math.pi / 2
    x = every_input(6)
    given = {"phase.weight": weight, "phase.bias": torch.tensor([math.pi / 2 * (1 - k)])}
    output = functional_call(build("sine-neuron", 6), given, (x,))
    torch.testing.assert_close(output, x[:, support].prod(1), rtol=0, atol=1e-5)


def test_a_disjoint_polynet_moves_only_relevant_coordinates() -> None:
    """Under the population gradient of the correlation loss; E[y f] is their product."""
    network = build("polynet degree=3 disjoint=true", 9)
    x, support = every_input(9), [1, 5, 6]
    y = x[:, support].prod(1)
    correlation = (y * network(x)).mean()
    assert correlation.item() == pytest.approx(network.weight[support].prod().item(), abs=1e-6)
    (gradient,) = torch.autograd.grad(correlation, network.weight)
    off = [i for i in range(9) if i not in support]
    torch.testing.assert_close(gradient[off], torch.zeros(6), rtol=0, atol=1e-6)
    for i in support:
        others = [j for j in support if j != i]
        assert gradient[i].item() == pytest.approx(network.weight[others].prod().item(), abs=1e-6)


def test_a_degree_that_does_not_divide_n_is_refused() -> None:
    with pytest.raises(ValueError, match="degree=4 must divide n=9"):
        build("polynet degree=4 disjoint=true", 9)


def test_disjoint_supports_have_one_coordinate_in_each_block() -> None:
    task = installed().task("sparse-parity n=12 k=3 disjoint=true")
    supports = torch.stack(
        [task.world(Stream.from_seed(seed, Purpose.WORLD)) for seed in range(300)]
    )
    assert torch.equal(supports // 4, torch.arange(3).expand(300, 3))
    counts = torch.bincount(supports.flatten(), minlength=12)
    assert counts.min() > 45 and counts.max() < 110, "75 expected in each"
    with pytest.raises(ConfigurationError, match="k=5 must divide n=12"):
        installed().task("sparse-parity n=12 k=5 disjoint=true")


@pytest.mark.parametrize(
    ("task", "model"),
    [
        ("sparse-parity n=9 k=3", "polynet"),
        ("sparse-parity n=9 k=3 disjoint=true", "polynet disjoint=true loss=correlation clip=1"),
        ("sparse-parity n=6 k=2", "sine-neuron"),
        ("sparse-parity n=8 k=2", "mlp init=sparse"),
    ],
)
def test_they_learn(task: str, model: str, out, settings: sb.Settings) -> None:
    result = sb.evaluate(
        task, model, protocol=sb.Protocol(seeds=2, budget=64_000), out=out, settings=settings
    )
    assert result.record.summary.solved == 2
