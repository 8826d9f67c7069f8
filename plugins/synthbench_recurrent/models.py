"""Recurrent networks: LSTM, GRU and the minimal GRU."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from synthbench import SequenceModel

if TYPE_CHECKING:
    from torch import nn


class LSTM(SequenceModel):
    """c_t = f_t c_{t-1} + i_t g_t and h_t = o_t tanh(c_t), whose gates read x_t and h_{t-1}.

    torch's own `nn.LSTM`, one layer in each mixer.
    """

    name: ClassVar[str] = "lstm"
    paper: ClassVar[str] = "Hochreiter & Schmidhuber 1997, Long Short-Term Memory"

    def mixer(self, length: int) -> nn.Module:
        """One position after the other."""
        from torch import nn

        from synthbench_recurrent.mixers import RecurrentMixer

        return RecurrentMixer(nn.LSTM(self.width, self.width, batch_first=True))

    def mixer_state(self, length: int) -> int:
        """h and c."""
        return 2 * self.width


class GRU(SequenceModel):
    """h_t = z_t h_{t-1} + (1 - z_t) c_t, whose gates and candidate read x_t and h_{t-1}.

    torch's own `nn.GRU`, one layer in each mixer.
    """

    name: ClassVar[str] = "gru"
    paper: ClassVar[str] = "Cho et al. 2014, arXiv:1406.1078"

    def mixer(self, length: int) -> nn.Module:
        """One position after the other."""
        from torch import nn

        from synthbench_recurrent.mixers import RecurrentMixer

        return RecurrentMixer(nn.GRU(self.width, self.width, batch_first=True))

    def mixer_state(self, length: int) -> int:
        """h."""
        return self.width


class MinGRU(SequenceModel):
    """h_t = (1 - z_t) h_{t-1} + z_t c_t, whose gate and candidate read x_t alone.

    All positions are found at once, by a parallel scan.
    """

    name: ClassVar[str] = "min-gru"
    paper: ClassVar[str] = "Feng et al. 2024, arXiv:2410.01201"

    def mixer(self, length: int) -> nn.Module:
        """The scan."""
        from synthbench_recurrent.mixers import MinGRUMixer

        return MinGRUMixer(self.width)

    def mixer_state(self, length: int) -> int:
        """h."""
        return self.width
