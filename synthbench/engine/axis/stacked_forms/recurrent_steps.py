"""One step of a recurrent layer of R replicas, forward and backward, in preallocated memory.

Features come before samples, (R, F, B), so that a gate is one run of memory per replica and
every product writes where its result is needed. Source: the formulas of `nn.LSTM`, `nn.GRU`
and `nn.RNN`, and their derivatives.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

aten: Any = torch.ops.aten


class State(NamedTuple):
    """What one step leaves behind, (R, F, B) each.

    hidden: the layer's output. gates: their activations, (R, G, B). extra: the LSTM's cell; the
    part of the GRU's candidate that comes from the hidden state.
    """

    hidden: Tensor
    gates: Tensor
    extra: Tensor

    def of(self, replicas: slice) -> State:
        """That of some replicas."""
        return State(self.hidden[replicas], self.gates[replicas], self.extra[replicas])


@dataclass(frozen=True)
class Weights:
    """Those of one layer in one direction, in torch's own order of gates.

    w_ih: (R, G, I); w_hh: (R, G, P); b_ih, b_hh: (R, G); w_hr: (R, P, H), the LSTM's projection.
    """

    w_ih: Tensor
    w_hh: Tensor
    b_ih: Tensor
    b_hh: Tensor
    w_hr: Tensor | None

    def of(self, replicas: slice) -> Weights:
        """Those of some replicas."""
        return self._each(lambda tensor: tensor[replicas])

    def zeros(self) -> Weights:
        """Zeros of the same shapes."""
        return self._each(lambda tensor: tensor.new_zeros(tensor.shape))

    def _each(self, change: Callable[[Tensor], Tensor]) -> Weights:
        return Weights(
            change(self.w_ih),
            change(self.w_hh),
            change(self.b_ih),
            change(self.b_hh),
            None if self.w_hr is None else change(self.w_hr),
        )


@dataclass(frozen=True)
class Gradient:
    """Gradients on the way back through time, brought from after a step to before it in place.

    hidden: (R, P, B); cell: (R, H, B), of the LSTM; weights: sums over the steps so far.
    """

    hidden: Tensor
    cell: Tensor
    weights: Weights


class Preactivations(NamedTuple):
    """Gradients of W_ih x + b_ih and W_hh h + b_hh, (R, G, B), and what goes straight to h."""

    of_input: Tensor
    of_hidden: Tensor
    direct: Tensor | None = None


class Step(ABC):
    """A step of one kind of network; made anew for each pass over the sequence."""

    gates_per_unit: int = 0
    """Rows of `State.gates` for each hidden unit."""
    extra_per_unit: int = 0
    """Rows of `State.extra` for each hidden unit."""

    def __init__(self, weights: Weights, batch: int) -> None:
        self.weights = weights
        self.b_ih, self.b_hh = (
            b.unsqueeze(-1).expand(*b.shape, batch).contiguous()
            for b in (weights.b_ih, weights.b_hh)
        )
        """(R, G, B): to copy them is faster than to spread them over samples at every step."""

    @abstractmethod
    def forward(self, x: Tensor, before: State, now: State) -> None:
        """Fill `now` from x (R, I, B) and the state before; `now` may lie where `before` does."""

    @abstractmethod
    def backward(self, before: State, now: State, gradient: Gradient) -> Preactivations:
        """Gradients before the gates; those of cell and projection are brought up to date."""


class LSTMStep(Step):
    """i, f, g, o = gates; c' = f c + i g; h' = o tanh(c'), or W_hr times that."""

    gates_per_unit = 4
    extra_per_unit = 1

    def __init__(self, weights: Weights, batch: int) -> None:
        super().__init__(weights, batch)
        self.bias = self.b_ih + self.b_hh

    def forward(self, x: Tensor, before: State, now: State) -> None:
        """One step; the cell is `extra`."""
        units = now.extra.shape[1]
        gates, cell = now.gates, now.extra
        torch.baddbmm(self.bias, self.weights.w_ih, x, out=gates)
        gates.baddbmm_(self.weights.w_hh, before.hidden)
        gates[:, : 2 * units].sigmoid_()
        gates[:, 2 * units : 3 * units].tanh_()
        gates[:, 3 * units :].sigmoid_()
        enter, forget, candidate, leave = gates.chunk(4, 1)
        torch.mul(forget, before.extra, out=cell)
        cell.addcmul_(enter, candidate)
        if self.weights.w_hr is None:
            torch.tanh(cell, out=now.hidden).mul_(leave)
        else:
            torch.bmm(self.weights.w_hr, cell.tanh().mul_(leave), out=now.hidden)

    def backward(self, before: State, now: State, gradient: Gradient) -> Preactivations:
        """One step back."""
        units = now.extra.shape[1]
        enter, forget, candidate, leave = now.gates.chunk(4, 1)
        shown = now.extra.tanh()
        hidden, cell = gradient.hidden, gradient.cell
        if self.weights.w_hr is not None and gradient.weights.w_hr is not None:
            gradient.weights.w_hr.baddbmm_(hidden, (leave * shown).mT)
            hidden = torch.bmm(self.weights.w_hr.mT, hidden)
        found = torch.empty_like(now.gates)
        torch.mul(hidden, shown, out=found[:, 3 * units :])
        cell.add_(aten.tanh_backward(hidden * leave, shown))
        torch.mul(cell, candidate, out=found[:, :units])
        torch.mul(cell, before.extra, out=found[:, units : 2 * units])
        torch.mul(cell, enter, out=found[:, 2 * units : 3 * units])
        cell.mul_(forget)
        for sigmoid in (slice(0, 2 * units), slice(3 * units, 4 * units)):
            _sigmoid_backward_(found[:, sigmoid], now.gates[:, sigmoid])
        _tanh_backward_(found[:, 2 * units : 3 * units], candidate)
        return Preactivations(found, found)


class GRUStep(Step):
    """r, z, n = gates, n = tanh(from x + r from h); h' = n + z (h - n)."""

    gates_per_unit = 3
    extra_per_unit = 1

    def forward(self, x: Tensor, before: State, now: State) -> None:
        """One step; the candidate's part from h is `extra`."""
        units = now.extra.shape[1]
        gates, weights = now.gates, self.weights
        torch.baddbmm(self.b_ih, weights.w_ih, x, out=gates)
        from_hidden = torch.baddbmm(self.b_hh, weights.w_hh, before.hidden)
        both = gates[:, : 2 * units]
        both.add_(from_hidden[:, : 2 * units]).sigmoid_()
        now.extra.copy_(from_hidden[:, 2 * units :])
        reset, update, candidate = gates.chunk(3, 1)
        candidate.addcmul_(reset, now.extra).tanh_()
        torch.sub(before.hidden, candidate, out=now.hidden).mul_(update).add_(candidate)

    def backward(self, before: State, now: State, gradient: Gradient) -> Preactivations:
        """One step back."""
        units = now.extra.shape[1]
        reset, update, candidate = now.gates.chunk(3, 1)
        found = torch.empty_like(now.gates)
        direct = gradient.hidden * update
        torch.sub(gradient.hidden, direct, out=found[:, 2 * units :])
        _tanh_backward_(found[:, 2 * units :], candidate)
        torch.mul(found[:, 2 * units :], now.extra, out=found[:, :units])
        change = found[:, units : 2 * units]
        torch.sub(before.hidden, candidate, out=change).mul_(gradient.hidden)
        _sigmoid_backward_(found[:, : 2 * units], now.gates[:, : 2 * units])
        of_hidden = found.clone()
        of_hidden[:, 2 * units :].mul_(reset)
        return Preactivations(found, of_hidden, direct)


class TanhStep(Step):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh); the only gate is the state itself."""

    def __init__(self, weights: Weights, batch: int) -> None:
        super().__init__(weights, batch)
        self.bias = self.b_ih + self.b_hh

    def forward(self, x: Tensor, before: State, now: State) -> None:
        """One step."""
        torch.baddbmm(self.bias, self.weights.w_ih, x, out=now.hidden)
        self.activate_(now.hidden.baddbmm_(self.weights.w_hh, before.hidden))

    def backward(self, before: State, now: State, gradient: Gradient) -> Preactivations:
        """One step back."""
        found = self.derivative(gradient.hidden, now.hidden)
        return Preactivations(found, found)

    def activate_(self, preactivation: Tensor) -> None:
        """Activate in place."""
        preactivation.tanh_()

    def derivative(self, gradient: Tensor, activation: Tensor) -> Tensor:
        """The gradient before the activation."""
        return cast(Tensor, aten.tanh_backward(gradient, activation))


class ReluStep(TanhStep):
    """h' = relu(W_ih x + b_ih + W_hh h + b_hh)."""

    def activate_(self, preactivation: Tensor) -> None:
        """Activate in place."""
        preactivation.relu_()

    def derivative(self, gradient: Tensor, activation: Tensor) -> Tensor:
        """The gradient before the activation."""
        return cast(Tensor, aten.threshold_backward(gradient, activation, 0))


STEPS: dict[str, type[Step]] = {
    "lstm": LSTMStep,
    "gru": GRUStep,
    "rnn_tanh": TanhStep,
    "rnn_relu": ReluStep,
}


def _sigmoid_backward_(gradient: Tensor, activation: Tensor) -> None:
    aten.sigmoid_backward.grad_input(gradient, activation, grad_input=gradient)


def _tanh_backward_(gradient: Tensor, activation: Tensor) -> None:
    aten.tanh_backward.grad_input(gradient, activation, grad_input=gradient)
