"""Accuracy against counting."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import synthbench as sb
from synthbench.errors import TaskError


def share(mean: sb.Mean) -> float:
    return float((mean.values * mean.weights).sum() / mean.weights.sum())


@pytest.mark.parametrize("shape", [(50, 3), (20, 6, 3)])
def test_logits_hit_where_the_label_is_largest(shape: tuple[int, ...]) -> None:
    rng = torch.Generator().manual_seed(0)
    output = torch.randn(shape, generator=rng)
    y = torch.randint(0, 3, shape[:-1], generator=rng)
    y[::2] = sb.IGNORED
    found = sb.accuracy(output, y)
    kept = y != sb.IGNORED
    expected = (output.argmax(-1) == y)[kept].float().mean()
    assert share(found) == pytest.approx(float(expected))
    assert found.values.shape == found.weights.shape == (y.numel(),)
    assert torch.equal(found.weights, kept.float().reshape(-1))


@pytest.mark.parametrize("shape", [(50,), (20, 6)])
def test_margins_hit_where_their_sign_is_the_label(shape: tuple[int, ...]) -> None:
    rng = torch.Generator().manual_seed(0)
    output, y = torch.randn(shape, generator=rng), torch.randn(shape, generator=rng).sign()
    y[::2] = sb.IGNORED
    kept = y != sb.IGNORED
    expected = (output.sign() == y)[kept].float().mean()
    assert share(sb.accuracy(output, y)) == pytest.approx(float(expected))


def test_ties_count_as_drawn() -> None:
    y = torch.tensor([0, 1, 2, 0])
    output = torch.tensor([[1.0, 1, 0], [1, 1, 0], [1, 1, 0], [1, 1, 1]])
    assert sb.accuracy(output, y).values.tolist() == pytest.approx([0.5, 0.5, 0, 1 / 3])
    assert sb.accuracy(torch.zeros(2), torch.tensor([1.0, -1.0])).values.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_any_precision_and_vmapped(dtype: torch.dtype) -> None:
    rng = torch.Generator().manual_seed(0)
    output = torch.randn(4, 9, 3, generator=rng).to(dtype)
    y = torch.randint(0, 3, (4, 9), generator=rng)
    found = torch.vmap(sb.accuracy)(output, y)
    for r in range(4):
        alone = sb.accuracy(output[r], y[r])
        assert torch.equal(found.values[r], alone.values) and alone.values.dtype == torch.float32


def test_nan_is_no_hit_and_no_miss_and_harmless_where_not_asked() -> None:
    output = torch.tensor([torch.nan, 1.0])
    found = sb.accuracy(output, torch.tensor([1.0, 1.0])).values
    assert found.isnan().tolist() == [True, False]
    assert sb.accuracy(output, torch.tensor([-100.0, 1.0])).values.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("output", "y"),
    [(torch.zeros(4, 1), torch.ones(4)), (torch.zeros(4), torch.ones(4, dtype=torch.int64))],
)
def test_shapes_that_do_not_fit_are_named(output: Tensor, y: Tensor) -> None:
    with pytest.raises(TaskError, match=r"accuracy takes labels of the output's shape.*\(4,"):
        sb.accuracy(output, y)


def test_one_hot_is_the_unit_matrix() -> None:
    x = torch.tensor([[0, 2], [1, -100]])
    unit = torch.cat([torch.eye(3), torch.zeros(1, 3)])
    assert torch.equal(sb.one_hot(x, 3, torch.float32), unit[torch.tensor([[0, 2], [1, 3]])])
    assert sb.one_hot(x, 3, torch.float64).dtype == torch.float64
