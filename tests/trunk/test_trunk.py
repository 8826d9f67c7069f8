"""The trunk around a mixer, with mixers made up for it.

`pytest -m slow` judges the trunk on every kind of interface.
"""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from torch import nn

import synthbench as sb
from synthbench.testing import check_model
from tests.testing.models.few import few

__all__ = ["few"]


class CausalMean(sb.SequenceModel):
    """The mean of what came before: the shortest family there is."""

    name: ClassVar[str] = "causal-mean"

    def mixer(self, length: int) -> nn.Module:
        """Mean over positions, then a linear map."""
        return MeanMixer(self.width)


class MeanMixer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.output = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        count = torch.arange(1, x.shape[1] + 1, device=x.device)[:, None]
        return self.output(x.cumsum(1) / count)


TOKENS = sb.Interface(sb.Tokens(3, 5), sb.TokenLogits(4, 5))


OWN = CausalMean(width=4, layers=1, positions="absolute", dropout=0.1)
SOME = (
    TOKENS,
    sb.Interface(sb.RealSequence(5, 2), sb.Value()),
)
"""Tokens and vectors, read out at every position and at the end."""


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("interfaces", [SOME, pytest.param((), marks=pytest.mark.slow)])
def test_a_family_of_ones_own_keeps_every_law(interfaces: tuple[sb.Interface, ...]) -> None:
    """Without interfaces, on those of every kind."""
    check_model(OWN, interfaces)


def test_state_size_is_unknown_until_it_is_said() -> None:
    assert CausalMean().state_size(TOKENS) is None


def norm(x: torch.Tensor) -> torch.Tensor:
    return x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt()


def test_the_forward_pass_by_hand() -> None:
    torch.manual_seed(0)
    network = CausalMean(width=4, layers=1, mlp=3, positions="absolute").build(TOKENS).double()
    p = dict(network.named_parameters())
    for gain in (name for name in p if name.endswith(("norm.weight", "mlp.0.weight"))):
        p[gain].data.mul_(2)
    x = torch.tensor([[0, 2, 1, 1, 0]])
    h = p["embedding"][x[0]] + p["place"]
    inner = 2 * norm(h)
    means = torch.stack([inner[: t + 1].mean(0) for t in range(5)])
    h = h + means @ p["blocks.0.mixer.output.weight"].T + p["blocks.0.mixer.output.bias"]
    inner = 2 * norm(h) @ p["blocks.0.mlp.1.weight"].T + p["blocks.0.mlp.1.bias"]
    inner = torch.nn.functional.gelu(inner)
    h = h + inner @ p["blocks.0.mlp.3.weight"].T + p["blocks.0.mlp.3.bias"]
    expected = 2 * norm(h) @ p["readout.weight"].T + p["readout.bias"]
    torch.testing.assert_close(network(x)[0], expected, rtol=1e-9, atol=1e-9)


def test_an_output_of_the_whole_sequence_is_that_at_the_read_out_token() -> None:
    torch.manual_seed(0)
    at_end = CausalMean(width=4).build(sb.Interface(sb.Signs(5), sb.Value(2, 3)))
    x = torch.tensor([[1.0, -1, 1, 1, -1], [1, 1, 1, 1, -1]])
    assert at_end(x).shape == (2, 2, 3)
    assert at_end.embedding.shape[0] == 3
    other = x.clone()
    other[:, 0] *= -1
    assert (at_end(other) != at_end(x)).flatten(1).all(1).all()


def test_without_normalization_and_mlp_the_mixers_are_all() -> None:
    network = CausalMean(width=4, mlp=0, norm=False).build(TOKENS)
    assert {name.rpartition(".")[0] for name, _ in network.named_parameters()} == {
        "", "readout", "blocks.0.mixer.output", "blocks.1.mixer.output",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("interface", "reason"),
    [
        (sb.Interface(sb.Tokens(3, 5), sb.TokenLogits(3, 5, causal=False)), "try transformer"),
        (sb.Interface(sb.Tokens(3, 5), sb.TokenLogits(3, 4)), "one output for each of 5 positions"),
        (sb.Interface(sb.Reals(4), sb.Margin()), "its input must be Tokens or"),
    ],
)
def test_what_cannot_fit_is_refused(interface: sb.Interface, reason: str) -> None:
    with pytest.raises(sb.InterfaceError, match=reason):
        CausalMean().check_accepts(interface)


def test_a_causal_convolution_is_its_sum() -> None:
    torch.manual_seed(0)
    convolution = sb.CausalConvolution(3, 4).double()
    convolution.bias.data.normal_()
    x = torch.randn(2, 7, 3, dtype=torch.float64)
    expected = torch.zeros_like(x)
    for t in range(7):
        for j in range(4):
            if t >= j:
                expected[:, t] += convolution.weight[j] * x[:, t - j]
    expected += convolution.bias
    torch.testing.assert_close(convolution(x), expected, rtol=1e-12, atol=1e-12)
    state = convolution.initial_state(2)
    for t in range(7):
        y, state = convolution.step(x[:, t], state)
        torch.testing.assert_close(y, expected[:, t], rtol=1e-12, atol=1e-12)
