"""Attention on the common trunk against its formula."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import synthbench as sb
from synthbench.errors import ConfigurationError
from synthbench.registry.registry import installed
from tests.plugins.mixing import check_evaluates, check_long, check_steps, mixer, rows

FORMS = ["rotary=false", "", "window=4", "window=4 rotary=false heads=1", "window=50"]


@pytest.mark.parametrize("fields", FORMS)
def test_one_position_at_a_time(fields: str) -> None:
    check_steps(f"attention width=8 {fields}")


@pytest.mark.parametrize("window", [None, 2, 3])
def test_attention_is_the_formula(window: int | None) -> None:
    """Heads, queries and keys in explicit loops; without positions."""
    fields = f" window={window}" if window else ""
    reference = f"attention width=6 heads=2 rotary=false{fields}"
    one, x = mixer(reference, 5), rows(reference, 5, batch=1)
    q, k, v = (x[0] @ one.inputs.weight.T).split(6, -1)
    mixed = torch.zeros(5, 6, dtype=torch.float64)
    for head in (slice(0, 3), slice(3, 6)):
        for i in range(5):
            first = 0 if window is None else max(0, i - window + 1)
            weights = [torch.exp(q[i, head] @ k[j, head] / 3**0.5) for j in range(first, i + 1)]
            for j, weight in zip(range(first, i + 1), weights, strict=True):
                mixed[i, head] += weight / sum(weights) * v[j, head]
    torch.testing.assert_close(one(x)[0], mixed @ one.output.weight.T, rtol=1e-9, atol=1e-9)


def test_rotary_depends_on_distances_alone() -> None:
    x = torch.randn(2, 1, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    q, k = (sb.rotary(each.expand(9, 6)) for each in x)
    products = q @ k.T
    for i in range(1, 9):
        torch.testing.assert_close(products[i, 1:], products[i - 1, :-1], rtol=1e-12, atol=1e-12)
    assert products[0].unique().numel() == 9


def test_long_sequences_in_single_precision() -> None:
    check_long("attention width=16")


def test_state_is_keys_and_values() -> None:
    long, last = sb.Tokens(2, 10), sb.Margin()
    every = sb.Interface(long, sb.TokenLogits(2, 10))
    state = {
        model: installed().model(model).state_size(every)
        for model in ("attention layers=3 width=8", "attention layers=3 width=8 window=4",
                      "transformer layers=3 width=8")
    }  # fmt: skip
    assert list(state.values()) == [3 * 2 * 8 * 9, 3 * 2 * 8 * 3, 3 * 2 * 8 * 9]
    # One more position for the read-out token.
    at_the_end = sb.Interface(long, last)
    for model in ("attention layers=1 width=8", "transformer layers=1 width=8"):
        assert installed().model(model).state_size(at_the_end) == 2 * 8 * 10
    encoder = sb.Interface(long, sb.TokenLogits(2, 10, causal=False))
    assert installed().model("transformer").state_size(encoder) is None
    assert installed().model("mlp").state_size(at_the_end) is None


def test_an_odd_head_cannot_be_turned() -> None:
    with pytest.raises(ConfigurationError, match="even width for each head"):
        installed().model("attention width=6 heads=2")
    with pytest.raises(ConfigurationError, match="multiple of heads=4"):
        installed().model("attention width=6 heads=4")


def test_attention_learns(out: Path, settings: sb.Settings) -> None:
    """For all families, in an evaluation."""
    check_evaluates("attention width=16", out, settings)
