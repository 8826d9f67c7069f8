"""Linear attention, retention and gated linear attention against their formulas.

`pytest -m slow` trains each of them in an evaluation.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench_linear_attention.gated import chunked
from tests.plugins.mixing import check_evaluates, check_learns, check_long, check_steps, mixer, rows

FORMS = ["linear-attention", "retnet", "retnet rotary=false", "gla", "gla rank=1"]
HEADS = (slice(0, 3), slice(3, 6))


@pytest.mark.parametrize("reference", FORMS)
@pytest.mark.parametrize("length", [1, 11, 37])
def test_one_position_at_a_time(reference: str, length: int) -> None:
    check_steps(f"{reference} width=8 heads=2", length)


@pytest.mark.parametrize("reference", ["linear-attention", "retnet", "gla"])
def test_long_sequences_in_single_precision(reference: str) -> None:
    check_long(f"{reference} width=16")


@pytest.mark.parametrize("reference", ["linear-attention", "retnet", "gla"])
def test_the_families_learn(reference: str) -> None:
    check_learns(f"{reference} width=16")


@pytest.mark.slow
@pytest.mark.parametrize("reference", ["linear-attention", "retnet", "gla"])
def test_the_families_learn_in_an_evaluation(
    reference: str, out: Path, settings: sb.Settings
) -> None:
    check_evaluates(f"{reference} width=16", out, settings)


def heads_of(one: torch.nn.Module, x: Tensor) -> list[Tensor]:
    """Queries, keys and values (T, width) of one example."""
    return list((x[0] @ one.inputs.map.weight.T).split(x.shape[-1], -1))


def gated(one: torch.nn.Module, mixed: Tensor, x: Tensor) -> Tensor:
    """Normalization of each head, the swish gate and the output's map."""
    normed = torch.zeros_like(mixed)
    for head in HEADS:
        scale = (mixed[:, head].square().mean(-1, keepdim=True) + 1e-6).sqrt()
        normed[:, head] = mixed[:, head] / scale * one.output.norm.weight
    gate = x[0] @ one.output.gate.weight.T
    return (normed * gate * torch.sigmoid(gate)) @ one.output.map.weight.T


def test_linear_attention_is_the_formula() -> None:
    one, x = mixer("linear-attention width=6", 5), rows("linear-attention width=6", 5, batch=1)
    q, k, v = heads_of(one, x)
    q, k = (torch.where(each > 0, each + 1, each.exp()) for each in (q, k))
    mixed = torch.zeros(5, 6, dtype=torch.float64)
    for head in HEADS:
        for i in range(5):
            total = sum(q[i, head] @ k[j, head] for j in range(i + 1))
            for j in range(i + 1):
                mixed[i, head] += (q[i, head] @ k[j, head]) / (total + 1e-6) * v[j, head]
    torch.testing.assert_close(one(x)[0], mixed @ one.output.weight.T, rtol=1e-9, atol=1e-9)


def test_retention_is_the_formula() -> None:
    reference = "retnet width=6 rotary=false"
    one, x = mixer(reference, 5), rows(reference, 5, batch=1)
    q, k, v = heads_of(one, x)
    mixed = torch.zeros(5, 6, dtype=torch.float64)
    for head, decay in zip(HEADS, (31 / 32, 63 / 64), strict=True):
        for i in range(5):
            for j in range(i + 1):
                weight = decay ** (i - j) * (q[i, head] @ k[j, head]) / 3**0.5
                mixed[i, head] += weight * v[j, head]
    torch.testing.assert_close(one(x)[0], gated(one, mixed, x), rtol=1e-9, atol=1e-9)


def test_gated_linear_attention_is_the_formula() -> None:
    reference = "gla width=6 rank=2"
    one, x = mixer(reference, 5), rows(reference, 5, batch=1)
    q, k, v = heads_of(one, x)
    logits = x[0] @ one.decay[0].weight.T @ one.decay[1].weight.T + one.decay[1].bias
    decay = torch.sigmoid(logits) ** (1 / 16)
    mixed = torch.zeros(5, 6, dtype=torch.float64)
    for head in HEADS:
        for i in range(5):
            for j in range(i + 1):
                passed = decay[j + 1 : i + 1, head].prod(0)
                mixed[i, head] += (q[i, head] * passed) @ k[j, head] / 3**0.5 * v[j, head]
    torch.testing.assert_close(one(x)[0], gated(one, mixed, x), rtol=1e-9, atol=1e-9)


def test_chunks_hold_at_the_strongest_decay() -> None:
    """All decays at e^-5: single precision neither overflows nor loses the nearest positions."""
    generator = torch.Generator().manual_seed(0)
    q, k, v = torch.randn(3, 1, 1, 256, 4, generator=generator).unbind()
    log_decay = torch.full((1, 1, 256, 4), -5.0)
    inputs = [each.requires_grad_() for each in (q, k, v, log_decay)]
    found = chunked(*inputs)
    expected, state = [], torch.zeros(4, 4, dtype=torch.float64)
    for t in range(256):
        k_t, v_t = k[0, 0, t].double(), v[0, 0, t].double()
        state = torch.exp(torch.tensor(-5.0).double()) * state + torch.outer(k_t, v_t)
        expected.append(q[0, 0, t].double() @ state)
    torch.testing.assert_close(found[0, 0].double(), torch.stack(expected), rtol=1e-4, atol=1e-4)
    gradients = torch.autograd.grad(found.square().sum(), inputs)
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_states() -> None:
    interface = sb.Interface(sb.Tokens(2, 10), sb.TokenLogits(2, 10))
    for reference, one in (("linear-attention", 2 * (32 * 32 + 32)), ("gla", 2 * 32 * 32)):
        assert installed().model(f"{reference} layers=3").state_size(interface) == 3 * one
