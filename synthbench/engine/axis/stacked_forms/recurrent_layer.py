"""One recurrent layer as a function that vmap, autograd and `torch.func` take."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from synthbench.engine.axis.stacked_forms.derivatives import (
    Tensors,
    differentiated_again,
    folded,
)
from synthbench.engine.axis.stacked_forms.recurrent_cells import CELLS
from synthbench.engine.axis.stacked_forms.recurrent_ops import (
    recurrent_backward,
    recurrent_forward,
)


def recurrent_layer(kind: str, reverse: bool, layer: Tensors) -> tuple[Tensor, Tensor]:
    """Hidden states (R, T, P, B) and the LSTM's last cell (R, H, B) of one layer.

    layer: x, h0, c0, w_ih, w_hh, b_ih, b_hh and w_hr as for `recurrent_forward`.
    """
    learns = torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in layer)
    hidden, last, _, _ = _Forward.apply(kind, reverse, learns, *layer)  # type: ignore[no-untyped-call]
    return hidden, last


class _Forward(torch.autograd.Function):
    @staticmethod
    def forward(*arguments: Any) -> Any:
        return recurrent_forward(*arguments)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.kind, ctx.reverse, _, *layer = inputs
        _, _, gates, extra = output
        # Zeros for gates and extra would be as large as these.
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(gates, extra)
        ctx.save_for_backward(*layer, *output)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Any, ...]:
        if gradients[0] is None and gradients[1] is None:
            return (None,) * 11
        *layer, hidden, last, gates, extra = ctx.saved_tensors
        of_hidden, of_last = (
            torch.zeros_like(t) if g is None else g
            for t, g in zip((hidden, last), gradients, strict=False)
        )
        wants_x = ctx.needs_input_grad[3]
        tensors = (*layer, hidden, gates, extra, of_hidden, of_last)
        found = _Backward.apply(ctx.kind, ctx.reverse, wants_x, *tensors)  # type: ignore[no-untyped-call]
        wanted = zip(ctx.needs_input_grad[3:], found, strict=True)
        return None, None, None, *(g if needed else None for needed, g in wanted)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> tuple[Any, Any]:
        return folded(_Forward, info, in_dims, arguments)


class _Backward(torch.autograd.Function):
    """The backward pass; differentiated itself, it goes the way of single steps."""

    @staticmethod
    def forward(*arguments: Any) -> Any:
        return tuple(recurrent_backward(*arguments))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.kind, ctx.reverse, ctx.wants_x, *tensors = inputs
        ctx.save_for_backward(*tensors[:8], *tensors[11:])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        *layer, of_hidden, of_last = ctx.saved_tensors
        layer = tuple(layer)
        given = tuple(g if t is not None else None for g, t in zip(gradients, layer, strict=True))
        if not ctx.wants_x:
            given = (None, *given[1:])
        of_layer, of_outputs = differentiated_again(
            lambda tensors: _by_single_steps(ctx.kind, ctx.reverse, tensors),
            layer,
            (of_hidden, of_last),
            given,
        )
        unused = (None, None, None)
        return *unused, *of_layer, *unused, *of_outputs

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> tuple[Any, Any]:
        return folded(_Backward, info, in_dims, arguments)


def _by_single_steps(kind: str, reverse: bool, layer: Tensors) -> tuple[Tensor, Tensor]:
    """The same in operations that can be differentiated any number of times."""
    present = [t is not None for t in layer]

    def one_replica(*tensors: Tensor) -> tuple[Tensor, Tensor]:
        given = iter(tensors)
        return _scan(kind, reverse, *(next(given) if there else None for there in present))

    return torch.vmap(one_replica)(*(t for t in layer if t is not None))


def _scan(kind: str, reverse: bool, *layer: Any) -> tuple[Tensor, Tensor]:
    """Hidden states (T, P, B) and last cell (H, B) of one replica, from tensors without R."""
    x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr = layer
    step: Any = CELLS[kind]
    hidden, cell = h0.mT, h0.mT[:, :0] if c0 is None else c0.mT
    states: list[Tensor] = []
    for element in x.flip(0) if reverse else x:
        state = hidden if c0 is None else (hidden, cell)
        after = step(element.mT, state, w_ih, w_hh, b_ih, b_hh)
        hidden, cell = (after, cell) if c0 is None else after
        if w_hr is not None:
            hidden = linear(hidden, w_hr)
        states.append(hidden.mT)
    return torch.stack(states[::-1] if reverse else states), cell.mT
