"""The MLP: its function written out, its initializations, its activations."""

from __future__ import annotations

import pytest
import torch

import synthbench as sb
from synthbench.registry.registry import installed

INTERFACE = sb.Interface(sb.Signs(30), sb.Margin())


def build(fields: str) -> torch.nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return installed().model(f"mlp {fields}").build(INTERFACE)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("relu", lambda z: z.clamp(min=0)),
        ("power exponent=3", lambda z: z * z * z),
        ("tanh", torch.tanh),
        ("sin", torch.sin),
        ("identity", lambda z: z),
    ],
)
def test_forward_is_the_formula(name: str, function) -> None:
    net = build(f"width=7 depth=2 activation={name}")
    x = torch.randn(5, 30)
    w = dict(net.named_parameters())
    first = function(x @ w["hidden.0.weight"].T + w["hidden.0.bias"])
    second = function(first @ w["hidden.2.weight"].T + w["hidden.2.bias"])
    expected = second @ w["readout.weight"][0] + w["readout.bias"]
    torch.testing.assert_close(net(x), expected)
    assert net(x).shape == (5,)


def test_uniform_initialization_fills_its_range() -> None:
    weight = build("width=2000").hidden[0].weight
    bound = 30**-0.5
    assert weight.abs().max() <= bound and weight.abs().max() > 0.99 * bound
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.02)


def test_gaussian_initialization_has_variance_one_over_fan_in() -> None:
    net = build("width=2000 init=gaussian")
    assert net.hidden[0].weight.std().item() == pytest.approx(30**-0.5, rel=0.02)
    assert net.readout.weight.std().item() == pytest.approx(2000**-0.5, rel=0.1)
    assert not net.hidden[0].bias.any()


def test_rademacher_initialization_is_signs() -> None:
    weight = build("width=500 init=rademacher").hidden[0].weight * 30**0.5
    torch.testing.assert_close(weight.abs(), torch.ones_like(weight))
    assert abs(weight.mean().item()) < 0.05


@pytest.mark.parametrize("sparsity", [1, 2, 5])
def test_sparse_initialization_reads_that_many_inputs(sparsity: int) -> None:
    weight = build(f"width=500 init=sparse sparsity={sparsity}").hidden[0].weight
    assert (weight.count_nonzero(dim=1) == sparsity).all()
    assert set(weight.unique().tolist()) == {-1.0, 0.0, 1.0}
    reads = (weight != 0).float().mean(0)
    assert reads.min() > 0


def test_no_bias_means_none() -> None:
    assert not [name for name, _ in build("bias=false").named_parameters() if "bias" in name]


OUTPUTS = [sb.Margin(), sb.Margins(3), sb.Value(), sb.Value(2, 3), sb.ClassLogits(4)]


@pytest.mark.parametrize("output", OUTPUTS, ids=repr)
@pytest.mark.parametrize("given", [sb.Reals(5), sb.Reals(2, 3), sb.RealSequence(4, 2)], ids=repr)
def test_every_output_is_a_linear_map_of_what_is_hidden(given: sb.Port, output: sb.Port) -> None:
    net = installed().model("mlp width=7").build(sb.Interface(given, output))
    x = torch.randn(6, *given.shape)
    w = dict(net.named_parameters())
    hidden = (x.flatten(1) @ w["hidden.0.weight"].T + w["hidden.0.bias"]).relu()
    expected = hidden @ w["readout.weight"].T + w["readout.bias"]
    torch.testing.assert_close(net(x), expected.reshape(6, *output.shape))


def test_tokens_are_indicators_of_every_position() -> None:
    net = installed().model("mlp width=7").build(sb.Interface(sb.Tokens(3, 4), sb.ClassLogits(2)))
    x = torch.randint(0, 3, (5, 4))
    w = dict(net.named_parameters())
    columns = w["hidden.0.weight"].T.reshape(4, 3, 7)
    fields = sum(columns[place, x[:, place]] for place in range(4))
    expected = (fields + w["hidden.0.bias"]).relu() @ w["readout.weight"].T + w["readout.bias"]
    torch.testing.assert_close(net(x), expected)


def test_what_may_not_see_later_positions_is_refused() -> None:
    with pytest.raises(sb.InterfaceError, match=r"causal margins \(n=4\) may not see later"):
        installed().model("mlp").check_accepts(
            sb.Interface(sb.Signs(4), sb.Margins(4, causal=True))
        )
