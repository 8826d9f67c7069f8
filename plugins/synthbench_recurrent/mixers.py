"""The layers of recurrent networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad


class RecurrentMixer(nn.Module):
    """torch's own LSTM or GRU, of which the outputs are taken."""

    def __init__(self, recurrence: nn.LSTM | nn.GRU) -> None:
        """recurrence: with the batch before the positions."""
        super().__init__()
        self.recurrence = recurrence

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) -> (B, T, width)."""
        outputs: Tensor = self.recurrence(x)[0]
        return outputs

    def initial_state(self, batch: int) -> tuple[Tensor, ...]:
        """h, and for an LSTM c, before the first position: (B, width) each."""
        zeros = self.recurrence.weight_hh_l0.new_zeros(batch, self.recurrence.hidden_size)
        return (zeros, zeros) if isinstance(self.recurrence, nn.LSTM) else (zeros,)

    def step(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """One position, (B, width) -> (B, width), and the state after it."""
        if isinstance(self.recurrence, nn.LSTM):
            hidden, cell = state
            _, (hidden, cell) = self.recurrence(x[:, None], (hidden[None], cell[None]))
            return hidden[0], (hidden[0], cell[0])
        _, hidden = self.recurrence(x[:, None], state[0][None])
        return hidden[0], (hidden[0],)


class MinGRUMixer(nn.Module):
    """h_t = (1 - z_t) h_{t-1} + z_t c_t, with z_t = sigmoid(W_z x_t + b_z) and c_t = W_c x_t + b_c.

    Neither the gate nor the candidate reads h, so that all positions are found at once.
    """

    def __init__(self, width: int) -> None:
        """width: of the input and of h."""
        super().__init__()
        self.gate = nn.Linear(width, width)
        self.candidate = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) -> (B, T, width)."""
        gate = torch.sigmoid(self.gate(x))
        return linear_scan(1 - gate, gate * self.candidate(x))

    def initial_state(self, batch: int) -> Tensor:
        """h before the first position: (B, width)."""
        return self.gate.weight.new_zeros(batch, self.gate.out_features)

    def step(self, x: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """One position, (B, width) -> (B, width), and h after it."""
        gate = torch.sigmoid(self.gate(x))
        hidden = (1 - gate) * hidden + gate * self.candidate(x)
        return hidden, hidden


def linear_scan(decay: Tensor, added: Tensor) -> Tensor:
    """h_t = decay_t h_{t-1} + added_t from h = 0, at all positions: (B, T, n).

    Each round joins every position's step with that of twice as many before it, log2 T rounds
    (Hillis & Steele 1986). Nothing is divided, so that decays may underflow.
    """
    reach = 1
    while reach < decay.shape[1]:
        added = added + decay * pad(added, (0, 0, reach, -reach))
        decay = decay * pad(decay, (0, 0, reach, -reach), value=1.0)
        reach *= 2
    return added
