"""The delta rule against its recursion in numbers, and DeltaNet's layers.

`pytest -m slow` trains it in evaluations.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import silu, softplus

import synthbench as sb
from synthbench_deltanet.delta_rule import CHUNK, delta_rule
from tests.plugins.mixing import (
    check_evaluates,
    check_half,
    check_learns,
    check_long,
    check_steps,
    mixer,
    rows,
)

FORMS = ["", "gated=true", "heads=1 convolution=1", "gated=true heads=4"]


def by_hand(q: Tensor, k: Tensor, v: Tensor, b: Tensor, a: Tensor) -> Tensor:
    """S_t = a_t (I - b_t k_t k_t^T) S_{t-1} + b_t k_t v_t^T and o_t = S_t^T q_t: (T, d_v)."""
    memory, outputs = torch.zeros(k.shape[1], v.shape[1], dtype=k.dtype), []
    for t in range(len(q)):
        erase = torch.eye(k.shape[1], dtype=k.dtype) - b[t] * torch.outer(k[t], k[t])
        memory = a[t] * erase @ memory + b[t] * torch.outer(k[t], v[t])
        outputs.append(memory.T @ q[t])
    return torch.stack(outputs)


@pytest.mark.parametrize("decaying", [False, True])
@pytest.mark.parametrize("length", [1, 5, CHUNK, CHUNK + 1, 3 * CHUNK - 7])
def test_chunks_are_the_recursion(length: int, decaying: bool) -> None:
    generator = torch.Generator().manual_seed(length)
    q, k = (torch.randn(2, length, 4, generator=generator).double() for _ in range(2))
    k = k / k.norm(dim=-1, keepdim=True)
    v = torch.randn(2, length, 3, generator=generator).double()
    b = torch.rand(2, length, generator=generator).double()
    a = torch.rand(2, length, generator=generator).double() if decaying else torch.ones_like(b)
    expected = torch.stack([by_hand(q[i], k[i], v[i], b[i], a[i]) for i in range(2)])
    torch.testing.assert_close(delta_rule(q, k, v, b, a.log()), expected, rtol=1e-9, atol=1e-9)


def test_a_key_is_overwritten_and_another_kept() -> None:
    """By hand: the memory holds the latest value of each of two orthogonal keys."""
    first, second = torch.eye(2)
    k = torch.stack([first, second, first])[None]
    v = torch.tensor([[[1.0], [5.0], [7.0]]])
    once = torch.ones(1, 3)
    read = {
        name: delta_rule(q.expand(1, 3, 2), k, v, once, torch.zeros(1, 3)).flatten().tolist()
        for name, q in (("first", first), ("second", second))
    }
    assert read == {"first": [1.0, 1.0, 7.0], "second": [0.0, 5.0, 5.0]}


def test_a_memory_that_is_wiped_forgets_and_stays_finite() -> None:
    log_decay = torch.zeros(1, 100)
    log_decay[:, 50] = -1e4
    q, k, v = (torch.randn(1, 100, 3, generator=torch.Generator().manual_seed(s)) for s in range(3))
    k = k / k.norm(dim=-1, keepdim=True)
    rate = torch.full((1, 100), 0.5)
    whole = delta_rule(q, k, v, rate, log_decay)
    fresh = delta_rule(q[:, 50:], k[:, 50:], v[:, 50:], rate[:, 50:], torch.zeros(1, 50))
    torch.testing.assert_close(whole[:, 50:], fresh, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("fields", FORMS)
def test_half_precision_stays_close(fields: str) -> None:
    check_half(f"deltanet width=16 {fields}")


@pytest.mark.parametrize("gated", [False, True])
def test_the_layer_is_its_formula(gated: bool) -> None:
    reference = f"deltanet width=6 heads=2 convolution=2 gated={str(gated).lower()}"
    one, x = mixer(reference, 5), rows(reference, 5, batch=1)
    w = dict(one.named_parameters())
    inputs = x[0] @ w["inputs.weight"].T
    before = torch.cat([torch.zeros(1, 18).double(), inputs[:-1]])
    taps = w["convolution.weight"]
    convolved = silu(inputs * taps[0] + before * taps[1] + w["convolution.bias"])
    rate = torch.sigmoid(x[0] @ w["rate.weight"].T + w["rate.bias"])
    decay = torch.ones(5, 2).double()
    if gated:
        step = softplus(x[0] @ w["decay.step.weight"].T + w["decay.step.bias"])
        decay = torch.exp(-step * w["decay.log_rate"].exp())
    mixed = []
    for head in range(2):
        q, k, v = (convolved[:, 6 * p + 3 * head : 6 * p + 3 * head + 3] for p in range(3))
        q, k = (each / each.norm(dim=-1, keepdim=True) for each in (q, k))
        o = by_hand(q, k, v, rate[:, head], decay[:, head])
        scale = (o.square().mean(-1, keepdim=True) + 1e-6).sqrt()
        mixed.append(o / scale * w["norm.weight"])
    together = torch.cat(mixed, dim=-1)
    if gated:
        together = together * silu(x[0] @ w["gate.weight"].T)
    expected = together @ w["output.weight"].T
    torch.testing.assert_close(one(x)[0], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("fields", FORMS)
@pytest.mark.parametrize("length", [11, CHUNK + 3])
def test_one_position_at_a_time(fields: str, length: int) -> None:
    check_steps(f"deltanet width=8 {fields}", length)


@pytest.mark.parametrize("fields", FORMS)
def test_long_sequences_in_single_precision(fields: str) -> None:
    check_long(f"deltanet width=16 {fields}")


@pytest.mark.parametrize("fields", ["", "gated=true"])
def test_deltanet_learns(fields: str) -> None:
    check_learns(f"deltanet width=16 {fields}")


@pytest.mark.slow
@pytest.mark.parametrize("fields", ["", "gated=true"])
def test_deltanet_learns_in_an_evaluation(fields: str, out: Path, settings: sb.Settings) -> None:
    check_evaluates(f"deltanet width=16 {fields}", out, settings)
