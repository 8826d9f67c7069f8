"""Losses against torch's own, with labels that are not asked for, and to the bit without.

`pytest -m slow` adds sizes of batches, and types that are treated like another one.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.func import grad_and_value
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional

import synthbench as sb

LOSSES = [
    *[(kind, loss) for kind in ("margin", "margins") for loss in sb.MARGIN_LOSSES.values()],
    *[("tokens", loss) for loss in sb.NEXT_TOKEN_LOSSES.values()],
    *[("classes", loss) for loss in sb.CLASS_LOSSES.values()],
    *[("values", loss) for loss in sb.REGRESSION_LOSSES.values()],
]
DTYPES = pytest.mark.parametrize(
    "dtype",
    [torch.float32, torch.bfloat16, pytest.param(torch.float64, marks=pytest.mark.slow)],
    ids=str,
)
REPLICAS, SIZE, LENGTH, CLASSES = 3, 11, 5, 4
SHAPES = {
    "margin": (SIZE,),
    "margins": (SIZE, LENGTH),
    "tokens": (SIZE, LENGTH, CLASSES),
    "classes": (SIZE, CLASSES),
    "values": (SIZE, LENGTH),
}


def examples(kind: str) -> tuple[Tensor, Tensor]:
    """Outputs and labels of some replicas, all asked."""
    rng = torch.Generator().manual_seed(0)
    shape = (REPLICAS, *SHAPES[kind])
    output = torch.randn(shape, generator=rng)
    if kind in ("margin", "margins"):
        return output, torch.randn(shape, generator=rng).sign()
    if kind == "values":
        return output, torch.randn(shape, generator=rng)
    return output, torch.randint(0, CLASSES, shape[:-1], generator=rng)


def ignored(kind: str, y: Tensor, share: float = 0.5) -> Tensor:
    """Labels of which some are not asked for."""
    gone = torch.rand(y.shape, generator=torch.Generator().manual_seed(1)) < share
    return y.masked_fill(gone, torch.nan if kind == "values" else sb.IGNORED)


def values_and_gradients(loss: sb.Loss, output: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients (R, ...) and losses (R,), traced and vmapped as the engine does."""

    def of_one(output: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return grad_and_value(lambda out: loss(out, sb.Batch(out, y)))(output)

    return make_fx(torch.vmap(of_one))(output, y)(output, y)


TORCH: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "hinge": lambda out, y: (1 - y * out).clamp(min=0).mean(),
    "logistic": lambda out, y: functional.soft_margin_loss(out, y),
    "square": functional.mse_loss,
    "correlation": lambda out, y: -(y * out).mean(),
    "absolute": functional.l1_loss,
    "huber": functional.huber_loss,
}


@pytest.mark.parametrize("name", sb.MARGIN_LOSSES)
@pytest.mark.parametrize("kind", ["margin", "margins"])
def test_margin_losses_are_means_over_what_is_asked(kind: str, name: str) -> None:
    output, y = examples(kind)
    y = ignored(kind, y)
    found = sb.MARGIN_LOSSES[name](output[0], sb.Batch(output[0], y[0]))
    kept = y[0] != sb.IGNORED
    torch.testing.assert_close(found, TORCH[name](output[0][kept], y[0][kept]))


@pytest.mark.parametrize("name", sb.REGRESSION_LOSSES)
def test_regression_losses_leave_nan_out(name: str) -> None:
    output, y = examples("values")
    y = ignored("values", y)
    found = sb.REGRESSION_LOSSES[name](3 * output[0], sb.Batch(output[0], y[0]))
    kept = ~y[0].isnan()
    torch.testing.assert_close(found, TORCH[name](3 * output[0][kept], y[0][kept]))


@pytest.mark.parametrize("kind", ["tokens", "classes"])
def test_cross_entropy_is_torchs_with_ignored_labels(kind: str) -> None:
    output, y = examples(kind)
    y = ignored(kind, y)
    losses = sb.NEXT_TOKEN_LOSSES if kind == "tokens" else sb.CLASS_LOSSES
    found = losses["cross-entropy"](output[0], sb.Batch(output[0], y[0]))
    expected = functional.cross_entropy(
        output[0].reshape(-1, CLASSES), y[0].reshape(-1), ignore_index=sb.IGNORED
    )
    torch.testing.assert_close(found, expected)


def test_the_last_position_alone() -> None:
    output, y = examples("tokens")
    y[0, ::2, -1] = sb.IGNORED
    found = sb.NEXT_TOKEN_LOSSES["last"](output[0], sb.Batch(output[0], y[0]))
    torch.testing.assert_close(found, functional.cross_entropy(output[0, :, -1], y[0, :, -1]))


def test_the_square_of_classes_is_that_of_their_indicators() -> None:
    output, y = examples("classes")
    y[0, ::2] = sb.IGNORED
    kept = y[0] != sb.IGNORED
    expected = functional.mse_loss(output[0][kept], functional.one_hot(y[0][kept], CLASSES).float())
    found = sb.CLASS_LOSSES["square"](output[0], sb.Batch(output[0], y[0]))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("kind", "loss"), LOSSES)
@DTYPES
def test_what_is_ignored_has_no_gradient(kind: str, loss: sb.Loss, dtype: torch.dtype) -> None:
    output, y = examples(kind)
    y = ignored(kind, y)
    y = y.to(dtype) if y.is_floating_point() else y
    gradient, value = values_and_gradients(loss, output.to(dtype), y)
    assert value.dtype == gradient.dtype == dtype and value.isfinite().all()
    missing = y.isnan() if kind == "values" else y == sb.IGNORED
    assert not gradient[missing].any() and gradient[~missing].any()


@pytest.mark.parametrize(("kind", "loss"), LOSSES)
def test_a_loss_of_nothing_is_zero_without_gradient(kind: str, loss: sb.Loss) -> None:
    output, y = examples(kind)
    gradient, value = values_and_gradients(loss, output, ignored(kind, y, share=1))
    assert not value.any() and not gradient.any()


@pytest.mark.parametrize("kind", ["tokens", "classes"])
def test_a_class_that_is_ruled_out_does_no_harm_where_it_is_not_asked(kind: str) -> None:
    output, y = examples(kind)
    output[..., 0] = -torch.inf
    losses = sb.NEXT_TOKEN_LOSSES if kind == "tokens" else sb.CLASS_LOSSES
    loss = losses["cross-entropy"]
    gradient, value = values_and_gradients(loss, output, y.clamp(min=1))
    y = y.clamp(min=1)
    y[:, 0] = sb.IGNORED
    gradient, value = values_and_gradients(loss, output, y)
    assert value.isfinite().all() and not gradient[:, 0].any()


def plain(name: str, output: Tensor, y: Tensor) -> Tensor:
    """The losses without ignored labels, as version 0.1 wrote them."""
    if name == "cross-entropy":
        return (-output.log_softmax(dim=-1).gather(2, y[:, :, None])).mean()
    return {
        "hinge": lambda: (1 - y * output).relu().mean(),
        "logistic": lambda: functional.softplus(-y * output).mean(),
        "square": lambda: (y - output).square().mean(),
        "correlation": lambda: -(y * output).mean(),
    }[name]()


@DTYPES
@pytest.mark.parametrize(
    "size", [1, 257, *(pytest.param(size, marks=pytest.mark.slow) for size in (31, 32, 100))]
)
@pytest.mark.parametrize("name", ["cross-entropy", *sb.MARGIN_LOSSES])
def test_where_all_is_asked_the_bits_are_those_of_a_plain_mean(
    name: str, size: int, dtype: torch.dtype
) -> None:
    rng = torch.Generator().manual_seed(size)
    shape = (5, size, 7, 3) if name == "cross-entropy" else (5, size)
    output = 2 * torch.randn(shape, generator=rng).to(dtype)
    y = torch.randn(shape, generator=rng).sign().to(dtype)
    if name == "cross-entropy":
        y = torch.randint(0, 3, shape[:-1], generator=rng)
    losses = {**sb.NEXT_TOKEN_LOSSES, **sb.MARGIN_LOSSES}
    found = values_and_gradients(losses[name], output, y)
    expected = values_and_gradients(lambda out, batch: plain(name, out, batch.y), output, y)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
