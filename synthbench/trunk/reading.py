"""How a sequence, or a vector of signs, becomes the rows that a sequence model embeds."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from synthbench.contracts.interface import Port, RealSequence, Signs, Tokens


@dataclass(frozen=True)
class SequenceReading:
    """An input of a task as tokens (B, T), or as rows of real numbers (B, T, symbols).

    Signs are two symbols, tokens their own; a real vector is a row with a 1 behind it, so that
    its embedding has a bias. A read-out token, a symbol of its own, may follow at the end.
    """

    port: Port
    """`Tokens`, `RealSequence` or `Signs`."""
    read_out: bool
    """Whether a read-out token follows."""

    @property
    def symbols(self) -> int:
        """Rows of the embedding."""
        return self._own_symbols + self.read_out

    @property
    def length(self) -> int:
        """Positions of the longest input, with the read-out token."""
        return self.port.shape[0] + self.read_out

    @property
    def _own_symbols(self) -> int:
        if isinstance(self.port, Tokens):
            return self.port.vocabulary
        return self.port.size + 1 if isinstance(self.port, RealSequence) else 2

    def __call__(self, x: Tensor) -> Tensor:
        """(B, ...) -> (B, T) int64 or (B, T, symbols)."""
        if isinstance(self.port, RealSequence):
            rows = pad(x, (0, 1), value=1.0)
            return _with_read_out(rows) if self.read_out else rows
        tokens = (x > 0).to(torch.int64) if isinstance(self.port, Signs) else x
        return pad(tokens, (0, 1), value=self._own_symbols) if self.read_out else tokens


def _with_read_out(rows: Tensor) -> Tensor:
    """One more position, with a 1 in one more column: (B, T, n) -> (B, T + 1, n + 1)."""
    length, numbers = rows.shape[1:]
    corner = pad(rows.new_ones((1, 1)), (numbers, 0, length, 0))
    return pad(rows, (0, 1, 0, 1)) + corner
