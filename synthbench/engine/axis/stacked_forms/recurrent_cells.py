"""One step of the recurrent networks that torch has, in operations that vmap knows.

Each function has the signature of its namesake in `torch`. Source of the formulas: the
documentation of `nn.LSTMCell`, `nn.GRUCell` and `nn.RNNCell`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear


def lstm_cell(
    input: Tensor,
    hx: Sequence[Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Hidden and cell state (B, H) after input (B, I), from hx = (hidden, cell)."""
    hidden, cell = hx
    preactivation = linear(input, w_ih, b_ih) + linear(hidden, w_hh, b_hh)
    enter, forget, candidate, leave = preactivation.chunk(4, dim=-1)
    cell = forget.sigmoid() * cell + enter.sigmoid() * candidate.tanh()
    return leave.sigmoid() * cell.tanh(), cell


def gru_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """Hidden state (B, H) after input (B, I), from hx."""
    reset_x, update_x, candidate_x = linear(input, w_ih, b_ih).chunk(3, dim=-1)
    reset_h, update_h, candidate_h = linear(hx, w_hh, b_hh).chunk(3, dim=-1)
    reset, update = (reset_x + reset_h).sigmoid(), (update_x + update_h).sigmoid()
    candidate = (candidate_x + reset * candidate_h).tanh()
    return candidate + update * (hx - candidate)


def _elman_cell(activation: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    def cell(
        input: Tensor,
        hx: Tensor,
        w_ih: Tensor,
        w_hh: Tensor,
        b_ih: Tensor | None = None,
        b_hh: Tensor | None = None,
    ) -> Tensor:
        """Hidden state (B, H) after input (B, I), from hx."""
        return activation(linear(input, w_ih, b_ih) + linear(hx, w_hh, b_hh))

    return cell


rnn_tanh_cell = _elman_cell(torch.tanh)
rnn_relu_cell = _elman_cell(torch.relu)

CELLS: dict[str, Callable[..., Any]] = {
    "lstm": lstm_cell,
    "gru": gru_cell,
    "rnn_tanh": rnn_tanh_cell,
    "rnn_relu": rnn_relu_cell,
}
"""By the name of the network, as in `STEPS`."""
