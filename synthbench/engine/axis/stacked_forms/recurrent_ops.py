"""One recurrent layer of R replicas over a whole sequence, as two operations of torch's own kind.

To `make_fx` each is one node. They have no autograd formula: `recurrent_layer.py` has it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.flop_counter import register_flop_formula

from synthbench.engine.axis.stacked_forms.recurrent_steps import (
    STEPS,
    Gradient,
    State,
    Step,
    Weights,
)

Size = torch.Size

CACHE_BYTES = 2**20
"""Weights of the replicas that a CPU core steps together: those are read again at every step."""


@torch.library.custom_op("synthbench::recurrent_forward", mutates_args=())
def recurrent_forward(  # noqa: PLR0913 - an operation takes tensors, no dataclass
    kind: str,
    reverse: bool,
    keep: bool,
    x: Tensor,
    h0: Tensor,
    c0: Tensor | None,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor,
    b_hh: Tensor,
    w_hr: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Outputs of one layer in one direction.

    kind: of `STEPS`. reverse: from the last element of the sequence to the first. keep: leave
    behind what `recurrent_backward` needs. x: (R, T, I, B); h0: (R, P, B); c0: (R, H, B), the
    LSTM's; weights as in `Weights`.
    Returns the hidden states (R, T, P, B), the LSTM's last cell (R, H, B) (of other kinds
    nothing, (R, 0, B)), and gates and extra of `State`, (R, T, ., B), or of one step alone.
    """
    weights = Weights(w_ih, w_hh, b_ih, b_hh, w_hr)
    length, batch = x.shape[1], x.shape[3]
    step = STEPS[kind]
    hidden, gates, extra = _empty_states(kind, keep, x, h0, c0)
    elements = _by_time(x)
    with torch.autocast(x.device.type, enabled=False):
        for some in _chunks(weights):
            run = step(weights.of(some), batch)
            before = State(h0[some], gates[0, some], (h0 if c0 is None else c0)[some])
            for t in _times(length, reverse):
                slot = t if keep else 0
                now = State(hidden[t, some], gates[slot, some], extra[slot, some])
                run.forward(elements[t, some], before, now)
                before = now
    end = 0 if reverse or not keep else -1
    last = x.new_empty(x.shape[0], 0, batch) if c0 is None else extra[end].clone()
    return hidden.transpose(0, 1), last, gates.transpose(0, 1), extra.transpose(0, 1)


def _empty_states(
    kind: str, keep: bool, x: Tensor, h0: Tensor, c0: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Hidden states (T, R, P, B), gates and extra (T, R, ., B), or of one step alone."""
    replicas, length, _, batch = x.shape
    units = h0.shape[1] if c0 is None else c0.shape[1]
    kept, step = length if keep else 1, STEPS[kind]
    return (
        x.new_empty(length, replicas, h0.shape[1], batch),
        x.new_empty(kept, replicas, step.gates_per_unit * units, batch),
        x.new_empty(kept, replicas, step.extra_per_unit * units, batch),
    )


@recurrent_forward.register_fake
def _forward_shapes(  # noqa: PLR0913 - as the operation
    kind: str,
    reverse: bool,
    keep: bool,
    x: Tensor,
    h0: Tensor,
    c0: Tensor | None,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor,
    b_hh: Tensor,
    w_hr: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Shapes and strides of the results, for the compiler."""
    hidden, gates, extra = _empty_states(kind, keep, x, h0, c0)
    last = x.new_empty(x.shape[0], 0 if c0 is None else extra.shape[2], x.shape[3])
    return hidden.transpose(0, 1), last, gates.transpose(0, 1), extra.transpose(0, 1)


@torch.library.custom_op("synthbench::recurrent_backward", mutates_args=())
def recurrent_backward(  # noqa: PLR0913 - an operation takes tensors, no dataclass
    kind: str,
    reverse: bool,
    wants_x: bool,
    x: Tensor,
    h0: Tensor,
    c0: Tensor | None,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor,
    b_hh: Tensor,
    w_hr: Tensor | None,
    hidden: Tensor,
    gates: Tensor,
    extra: Tensor,
    of_hidden: Tensor,
    of_last: Tensor,
) -> list[Tensor]:
    """Gradients of x, h0, c0, w_ih, w_hh, b_ih, b_hh and w_hr, by backpropagation through time.

    wants_x: without, that of x is nothing, (R, 0), as are those of tensors that are None.
    hidden, gates, extra: results of `recurrent_forward`. of_hidden: the gradient of its hidden
    states, (R, T, P, B); of_last: that of the last cell, or nothing.
    """
    weights, batch = Weights(w_ih, w_hh, b_ih, b_hh, w_hr), x.shape[3]
    of_x, of_h0, of_c0, sums = _first_gradients(x, h0, of_last, weights, wants_x)
    times = list(_times(x.shape[1], reverse))
    elements, of_outputs = _by_time(x), _by_time(of_hidden)
    with torch.autocast(x.device.type, enabled=False):
        for some in _chunks(weights):
            start = State(h0[some], gates[some, 0], extra[some, 0] if c0 is None else c0[some])
            states = [State(hidden[some, t], gates[some, t], extra[some, t]) for t in times]
            passed = [Passed(*(v[t, some] for v in (elements, of_outputs, of_x))) for t in times]
            gradient = Gradient(of_h0[some], of_c0[some], sums.of(some))
            _back(STEPS[kind](weights.of(some), batch), [start, *states], passed, gradient)
    return _as_results(of_x, of_h0, of_c0, sums)


def _first_gradients(
    x: Tensor, h0: Tensor, of_last: Tensor, weights: Weights, wants_x: bool
) -> tuple[Tensor, Tensor, Tensor, Weights]:
    """Gradients of x (T, R, ., B), h0, c0 and the weights before the first step back."""
    replicas, length, inputs, batch = x.shape
    of_x = x.new_empty(length, replicas, inputs if wants_x else 0, batch)
    of_c0 = of_last.clone(memory_format=torch.contiguous_format)
    return of_x, h0.new_zeros(h0.shape), of_c0, weights.zeros()


def _as_results(of_x: Tensor, of_h0: Tensor, of_c0: Tensor, sums: Weights) -> list[Tensor]:
    none = of_x.new_empty(of_x.shape[1], 0)
    of_w_hr = none if sums.w_hr is None else sums.w_hr
    of_weights = sums.w_ih, sums.w_hh, sums.b_ih, sums.b_hh, of_w_hr
    return [of_x.transpose(0, 1), of_h0, of_c0, *of_weights]


@recurrent_backward.register_fake
def _backward_shapes(  # noqa: PLR0913 - as the operation
    kind: str,
    reverse: bool,
    wants_x: bool,
    x: Tensor,
    h0: Tensor,
    c0: Tensor | None,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor,
    b_hh: Tensor,
    w_hr: Tensor | None,
    hidden: Tensor,
    gates: Tensor,
    extra: Tensor,
    of_hidden: Tensor,
    of_last: Tensor,
) -> list[Tensor]:
    """Shapes and strides of the gradients, for the compiler."""
    weights = Weights(w_ih, w_hh, b_ih, b_hh, w_hr)
    return _as_results(*_first_gradients(x, h0, of_last, weights, wants_x))


class Passed(NamedTuple):
    """What a step exchanges with other layers: its input, and the gradients of output and input.

    of_x is filled; it has no rows where no one wants it.
    """

    x: Tensor
    of_hidden: Tensor
    of_x: Tensor


def _back(step: Step, states: list[State], passed: list[Passed], gradient: Gradient) -> None:
    """Go through the steps from the last to the first; states begin with the one before all."""
    weights, sums = step.weights, gradient.weights
    of_b_ih, of_b_hh = torch.zeros_like(step.b_ih), torch.zeros_like(step.b_hh)
    for (before, now), (x, of_hidden, of_x) in zip(
        reversed(list(pairwise(states))), reversed(passed), strict=True
    ):
        gradient.hidden.add_(of_hidden)
        found = step.backward(before, now, gradient)
        sums.w_ih.baddbmm_(found.of_input, x.mT)
        sums.w_hh.baddbmm_(found.of_hidden, before.hidden.mT)
        of_b_ih.add_(found.of_input)
        if found.of_hidden is not found.of_input:
            of_b_hh.add_(found.of_hidden)
        if of_x.shape[1]:
            torch.bmm(weights.w_ih.mT, found.of_input, out=of_x)
        torch.bmm(weights.w_hh.mT, found.of_hidden, out=gradient.hidden)
        if found.direct is not None:
            gradient.hidden.add_(found.direct)
    torch.sum(of_b_ih, -1, out=sums.b_ih)
    torch.sum(of_b_ih if found.of_hidden is found.of_input else of_b_hh, -1, out=sums.b_hh)


def _by_time(sequence: Tensor) -> Tensor:
    """(T, R, F, B) in that order of memory: products of strided matrices take twice as long."""
    return sequence.transpose(0, 1).contiguous()


def _times(length: int, reverse: bool) -> range:
    return range(length - 1, -1, -1) if reverse else range(length)


def _chunks(weights: Weights) -> Iterator[slice]:
    """Replicas whose weights fit into a core's cache together; on a GPU, all."""
    replicas = len(weights.w_ih)
    size = (weights.w_ih[0].numel() + weights.w_hh[0].numel()) * weights.w_ih.element_size()
    some = max(CACHE_BYTES // size, 1) if weights.w_ih.device.type == "cpu" else replicas
    for start in range(0, replicas, some):
        yield slice(start, min(start + some, replicas))


@register_flop_formula(torch.ops.synthbench.recurrent_forward)
def _forward_flops(
    kind: str, reverse: bool, keep: bool, x: Size, h0: Size, *shapes: Size | None, out_shape: Any
) -> int:
    """Products with W_ih, W_hh and W_hr at every step."""
    return _steps(x) * _products(shapes)


@register_flop_formula(torch.ops.synthbench.recurrent_backward)
def _backward_flops(
    kind: str, reverse: bool, wants_x: bool, x: Size, h0: Size, *shapes: Size | None, out_shape: Any
) -> int:
    """Two for each product forward, but one for the first if x needs no gradient."""
    without = 0 if wants_x or shapes[1] is None else 2 * math.prod(shapes[1][1:])
    return _steps(x) * (2 * _products(shapes) - without)


def _steps(x: Size) -> int:
    replicas, length, _, batch = x
    return replicas * length * batch


def _products(shapes: tuple[Size | None, ...]) -> int:
    """FLOPs of one step of one sample; shapes: of c0, w_ih, w_hh, b_ih, b_hh, w_hr, ..."""
    weights = (shapes[1], shapes[2], shapes[5])
    return sum(2 * math.prod(shape[1:]) for shape in weights if shape is not None)
