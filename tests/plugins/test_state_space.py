"""Mamba-2 and RWKV against their recursions in numbers; `-m slow` trains them in evaluations."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import silu, softplus

import synthbench as sb
from synthbench_state_space.dual_form import dual_form
from synthbench_state_space.wkv import CHUNK, wkv
from tests.plugins.mixing import (
    check_evaluates,
    check_half,
    check_learns,
    check_long,
    check_steps,
    mixer,
    rows,
)

FORMS = ["mamba2", "mamba2 state=3 expand=1 convolution=1 heads=4", "rwkv rank=3", "rwkv heads=1"]


def draws(*shapes: tuple[int, ...]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]


def state_space_by_hand(c: Tensor, b: Tensor, x: Tensor, step: Tensor, decay: Tensor) -> Tensor:
    """h_t = a_t h_{t-1} + d_t b_t x_t^T, y_t = h_t^T c_t, of one head: x (T, P) -> (T, P)."""
    state, outputs = torch.zeros(b.shape[1], x.shape[1], dtype=x.dtype), []
    for t in range(len(x)):
        state = decay[t] * state + step[t] * torch.outer(b[t], x[t])
        outputs.append(state.T @ c[t])
    return torch.stack(outputs)


def wkv_by_hand(r: Tensor, k: Tensor, v: Tensor, w: Tensor, u: Tensor) -> Tensor:
    """y_t = sum_{i<t} v_i sum_n r_tn k_in w_{i+1,n}...w_{t-1,n} + v_t sum_n r_tn u_n k_tn."""
    length, size = r.shape
    outputs = torch.zeros_like(v)
    for t in range(length):
        for i in range(t + 1):
            weight = 0.0
            for n in range(size):
                decay = w[i + 1 : t, n].prod() if i < t else u[n]
                weight += r[t, n] * k[i, n] * decay
            outputs[t] += weight * v[i]
    return outputs


@pytest.mark.parametrize("length", [1, 9])
def test_the_dual_form_is_the_recursion(length: int) -> None:
    c, b, x = draws((2, length, 4), (2, length, 4), (2, length, 3, 5))
    step, decay = (torch.sigmoid(each) for each in draws((2, length, 3), (2, length, 3)))
    found = dual_form(c, b, x, step, decay.log())
    for batch in range(2):
        for head in range(3):
            one = x[batch, :, head], step[batch, :, head], decay[batch, :, head]
            expected = state_space_by_hand(c[batch], b[batch], *one)
            torch.testing.assert_close(found[batch, :, head], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("length", [1, 7, CHUNK, 2 * CHUNK + 3])
def test_chunks_of_wkv_are_the_sum(length: int) -> None:
    shape = (1, 2, length, 3)
    r, k, v, d = draws(shape, shape, shape, shape)
    (u,) = draws((2, 3))
    w = torch.exp(-torch.exp(d))
    found = wkv(r, k, v, w.log(), u)
    for head in range(2):
        expected = wkv_by_hand(*(each[0, head] for each in (r, k, v, w)), u[head])
        torch.testing.assert_close(found[0, head], expected, rtol=1e-9, atol=1e-9)


def test_the_layer_of_mamba2_is_its_formula() -> None:
    reference = "mamba2 width=4 heads=2 state=3 expand=2 convolution=2"
    one, u = mixer(reference, 6), rows(reference, 6, batch=1)
    w = dict(one.named_parameters())
    gate, inputs = (u[0] @ w["inputs.weight"].T).split([8, 14], dim=-1)
    before = torch.cat([torch.zeros(1, 14).double(), inputs[:-1]])
    taps = w["convolution.weight"]
    convolved = silu(inputs * taps[0] + before * taps[1] + w["convolution.bias"])
    x, b, c = convolved.split([8, 3, 3], dim=-1)
    step = softplus(u[0] @ w["decay.step.weight"].T + w["decay.step.bias"])
    decay = torch.exp(-step * w["decay.log_rate"].exp())
    y = []
    for head in range(2):
        own = x[:, 4 * head : 4 * head + 4]
        mixed = state_space_by_hand(c, b, own, step[:, head], decay[:, head])
        y.append(mixed + w["skip"][head] * own)
    gated = torch.cat(y, dim=-1) * silu(gate)
    scaled = gated / (gated.square().mean(-1, keepdim=True) + 1e-6).sqrt() * w["norm.weight"]
    expected = scaled @ w["output.weight"].T
    torch.testing.assert_close(one(u)[0], expected, rtol=1e-9, atol=1e-9)


def shifted(w: dict[str, Tensor], x: Tensor, before: Tensor, index: int) -> Tensor:
    mixed = x + (before - x) * w["shift.first_share"]
    down, up = w["shift.down"].chunk(5, dim=1)[index], w["shift.up"][index]
    by_data = torch.tanh(mixed @ down) @ up
    return x + (before - x) * (w["shift.shares"][index] + by_data)


def test_the_layer_of_rwkv_is_its_formula() -> None:
    reference = "rwkv width=6 heads=2 rank=2"
    one, u = mixer(reference, 5), rows(reference, 5, batch=1)
    w = dict(one.named_parameters())
    x, before = u[0], torch.cat([torch.zeros(1, 6).double(), u[0, :-1]])
    read, key, value, decayed, gated = (shifted(w, x, before, index) for index in range(5))
    r, k, v = (
        each @ w[f"{name}.weight"].T
        for each, name in ((read, "read"), (key, "key"), (value, "value"))
    )
    down, up = w["decay_by_input.0.weight"], w["decay_by_input.2.weight"]
    decay = torch.exp(-torch.exp(w["decay"] + torch.tanh(decayed @ down.T) @ up.T))
    mixed = []
    for head in (slice(0, 3), slice(3, 6)):
        y = wkv_by_hand(*(each[:, head] for each in (r, k, v, decay)), w["bonus"][head.start // 3])
        centred = y - y.mean(-1, keepdim=True)
        mixed.append(centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt())
    normed = torch.cat(mixed, dim=-1) * w["norm.weight"] + w["norm.bias"]
    expected = (normed * silu(gated @ w["gate.weight"].T)) @ w["output.weight"].T
    torch.testing.assert_close(one(u)[0], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("length", [11, 2 * CHUNK + 3])
def test_one_position_at_a_time(form: str, length: int) -> None:
    check_steps(f"{form} width=8", length)


@pytest.mark.parametrize("form", FORMS)
def test_long_sequences_in_single_precision(form: str) -> None:
    check_long(f"{form} width=16")


@pytest.mark.parametrize("form", FORMS)
def test_half_precision_stays_close(form: str) -> None:
    check_half(f"{form} width=16")


@torch.no_grad()
@pytest.mark.parametrize(
    ("form", "name", "value"),
    [("mamba2", "decay.step.bias", 50.0), ("rwkv", "decay", 50.0), ("rwkv", "decay", -50.0)],
)
def test_extreme_decays_stay_finite(form: str, name: str, value: float) -> None:
    one = mixer(f"{form} width=16", 256, spread=0.0)
    one.get_parameter(name).fill_(value)
    x = rows(f"{form} width=16", 256)
    expected = one(x)
    assert expected.isfinite().all()
    torch.testing.assert_close(one.float()(x.float()), expected.float(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("form", ["mamba2", "rwkv"])
def test_they_learn(form: str) -> None:
    check_learns(f"{form} width=16")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["mamba2", "rwkv"])
def test_they_learn_in_an_evaluation(form: str, out: Path, settings: sb.Settings) -> None:
    check_evaluates(f"{form} width=16", out, settings)
