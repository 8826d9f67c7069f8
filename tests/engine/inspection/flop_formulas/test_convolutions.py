"""Convolutions against the number of multiplications that a convolution of ones adds up."""

from __future__ import annotations

from math import prod

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from tests.engine.inspection.counting import drawn, forward, trained, trained_module

CONVOLUTIONS = {
    "1d": (nn.Conv1d(4, 6, 3), (2, 4, 9), 2 * (2 * 7) * 3 * 4 * 6),
    "2d": (nn.Conv2d(4, 6, (3, 2)), (2, 4, 9, 8), 2 * (2 * 7 * 7) * (3 * 2) * 4 * 6),
    "3d": (nn.Conv3d(2, 3, 2), (2, 2, 4, 5, 6), 2 * (2 * 3 * 4 * 5) * 2**3 * 2 * 3),
    "padded": (nn.Conv1d(4, 6, 3, padding=1), (2, 4, 9), 2 * (2 * 9) * 3 * 4 * 6),
    "strided": (nn.Conv1d(4, 6, 3, stride=2), (2, 4, 9), 2 * (2 * 4) * 3 * 4 * 6),
    "dilated": (nn.Conv1d(4, 6, 3, dilation=3), (2, 4, 9), 2 * (2 * 3) * 3 * 4 * 6),
    "grouped": (nn.Conv1d(4, 6, 3, groups=2), (2, 4, 9), 2 * (2 * 7) * 3 * (4 // 2) * 6),
    "depthwise": (nn.Conv1d(4, 4, 3, groups=4), (2, 4, 9), 2 * (2 * 7) * 3 * 1 * 4),
    "causal depthwise": (
        nn.Conv1d(64, 64, 4, groups=64, padding=3),
        (2, 64, 32),
        2 * (2 * 35) * 4 * 1 * 64,
    ),
    "depthwise 2d": (nn.Conv2d(4, 8, 3, groups=4), (2, 4, 9, 8), 2 * (2 * 7 * 6) * 3**2 * 1 * 8),
    "transposed": (nn.ConvTranspose1d(4, 6, 3), (2, 4, 9), 2 * (2 * 9) * 3 * 4 * 6),
    "transposed, strided": (
        nn.ConvTranspose2d(4, 6, 3, stride=2),
        (2, 4, 5, 6),
        2 * (2 * 5 * 6) * 3**2 * 4 * 6,
    ),
    "transposed, grouped": (
        nn.ConvTranspose1d(4, 6, 3, stride=2, groups=2),
        (2, 4, 9),
        2 * (2 * 9) * 3 * 4 * (6 // 2),
    ),
    "transposed 3d": (nn.ConvTranspose3d(2, 3, 2), (2, 2, 4, 5, 6), 2 * (2 * 120) * 2**3 * 2 * 3),
    "of one sample": (nn.Conv1d(4, 6, 3), (4, 9), 2 * 7 * 3 * 4 * 6),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_two_gradients_cost_what_the_forward_pass_costs_each(name: str) -> None:
    layer, shape, flops = CONVOLUTIONS[name]
    x = torch.randn(shape)
    assert forward(layer, [x]) == flops
    assert trained_module(layer, x) == 3 * flops
    assert trained_module(layer, x, inner=False) == 2 * flops


def test_a_frozen_filter_needs_no_gradient() -> None:
    layer = nn.Conv1d(4, 4, 3, groups=4, bias=False).requires_grad_(False)
    assert trained_module(layer, torch.randn(2, 4, 9)) == 2 * (2 * (2 * 7) * 3 * 4)


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(*[st.integers(1, 3)] * 3),
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4)), min_size=1, max_size=3),
    st.tuples(*[st.integers(1, 3)] * 3),
    st.booleans(),
)
def test_as_many_products_as_a_convolution_of_ones_adds_up(
    channels: tuple[int, int, int],
    sizes: list[tuple[int, int]],
    steps: tuple[int, int, int],
    transposed: bool,
) -> None:
    """channels: groups, and those of a group in and out; sizes: of the kernel, and what more x has.

    steps: batch, stride, dilation.
    """
    groups, inputs, outputs = channels
    batch, stride, dilation = steps
    kernel = tuple(size for size, _ in sizes)
    wide = tuple(dilation * (size - 1) + 1 + more for size, more in sizes)
    kind = ("conv_transpose" if transposed else "conv") + f"{len(sizes)}d"
    weight = (groups * inputs, outputs) if transposed else (groups * outputs, inputs)
    shapes = [(batch, groups * inputs, *wide), (*weight, *kernel)]

    def convolve(x, w):
        return getattr(functional, kind)(x, w, stride=stride, dilation=dilation, groups=groups)

    x, w = (torch.ones(shape, dtype=torch.float64) for shape in shapes)
    flops = 2 * int(convolve(x, w).sum())
    assert forward(convolve, drawn(shapes)) == flops
    assert trained(convolve, drawn(shapes)) == 3 * flops
    # A group is a convolution of its own.
    alone = [(batch, inputs, *wide), (weight[0] // groups, weight[1], *kernel)]
    plain = getattr(functional, kind)
    one = forward(lambda x, w: plain(x, w, stride=stride, dilation=dilation), drawn(alone))
    assert groups * one == flops
    assert flops % prod(kernel) == 0


def test_time_before_the_batch() -> None:
    shapes = [(9, 2, 4), (3, 4, 6), (6,)]
    flops = 2 * (2 * 7) * 3 * 4 * 6
    assert forward(torch.conv_tbc, drawn(shapes)) == flops
    assert trained(torch.conv_tbc, drawn(shapes)) == 3 * flops
