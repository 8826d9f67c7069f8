"""Recurrent layers and cells: products with the weights at every step."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.engine.inspection.counting import trained_module

T, B, INPUTS, UNITS = 5, 2, 3, 4
GATES = {nn.RNN: 1, nn.GRU: 3, nn.LSTM: 4}
CELLS = {nn.RNNCell: 1, nn.GRUCell: 3, nn.LSTMCell: 4}


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("batch_first", [True, False])
def test_one_layer(kind: type[nn.RNNBase], batch_first: bool) -> None:
    layer = kind(INPUTS, UNITS, batch_first=batch_first)
    x = torch.randn((B, T, INPUTS) if batch_first else (T, B, INPUTS))
    rows = GATES[kind] * UNITS
    of_inputs, of_states = 2 * T * B * rows * INPUTS, 2 * T * B * rows * UNITS
    assert trained_module(layer, x) == 3 * (of_inputs + of_states)
    assert trained_module(layer, x, inner=False) == 2 * of_inputs + 3 * of_states


def test_a_layer_of_rectifiers() -> None:
    layer, flops = nn.RNN(INPUTS, UNITS, nonlinearity="relu"), 2 * T * B * UNITS * (INPUTS + UNITS)
    assert trained_module(layer, torch.randn(T, B, INPUTS)) == 3 * flops


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_two_layers_in_both_directions(kind: type[nn.RNNBase], dropout: float) -> None:
    layer = kind(INPUTS, UNITS, num_layers=2, bidirectional=True, dropout=dropout)
    rows, elements = 2 * GATES[kind] * UNITS, 2 * T * B
    first, second = elements * rows * INPUTS, elements * rows * 2 * UNITS
    of_states = 2 * elements * rows * UNITS
    x = torch.randn(T, B, INPUTS)
    assert trained_module(layer, x) == 3 * (first + second + of_states)
    assert trained_module(layer, x, inner=False) == 3 * (first + second + of_states) - first


def test_a_projection_of_the_state() -> None:
    layer = nn.LSTM(INPUTS, UNITS, proj_size=2)
    products = 4 * UNITS * INPUTS + 4 * UNITS * 2 + 2 * UNITS
    assert trained_module(layer, torch.randn(T, B, INPUTS)) == 3 * (2 * T * B * products)


@pytest.mark.parametrize("kind", GATES)
def test_packed_sequences(kind: type[nn.RNNBase]) -> None:
    """Steps that do not exist cost nothing, nor does the gradient of a state of zeros."""
    layer, rows, lengths = kind(INPUTS, UNITS), GATES[kind] * UNITS, (5, 3, 3)

    def run(x: Tensor) -> Tensor:
        parts = [x[:length, index] for index, length in enumerate(lengths)]
        return layer(nn.utils.rnn.pack_sequence(parts))[0].data

    elements, sequences = sum(lengths), len(lengths)
    of_inputs, of_states = 2 * elements * rows * INPUTS, 2 * elements * rows * UNITS
    module = Calling(layer, run)
    assert trained_module(module, torch.randn(5, 3, INPUTS)) == (
        3 * of_inputs + 3 * of_states - 2 * sequences * rows * UNITS
    )


@pytest.mark.parametrize("kind", CELLS)
def test_cells(kind: type[nn.RNNCellBase]) -> None:
    """Two steps; the first begins with zeros, whose gradient nobody needs."""
    cell, rows = kind(INPUTS, UNITS), CELLS[kind] * UNITS

    def run(x: Tensor) -> Tensor:
        state = cell(x, cell(x))
        return state[0] if isinstance(state, tuple) else state

    of_input, of_state = 2 * B * rows * INPUTS, 2 * B * rows * UNITS
    found = trained_module(Calling(cell, run), torch.randn(B, INPUTS))
    assert found == 2 * 3 * of_input + (2 + 3) * of_state


@pytest.mark.filterwarnings("ignore:.*is deprecated")
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_traced_layer_runs_on_torchs_kernel() -> None:
    x = torch.randn(T, B, INPUTS)
    layer = torch.jit.trace(nn.LSTM(INPUTS, UNITS), x)
    flops = 2 * T * B * 4 * UNITS * (INPUTS + UNITS)
    assert trained_module(layer, x) == 3 * flops


class Calling(nn.Module):
    """A module that calls a function of its layer."""

    def __init__(self, layer: nn.Module, function) -> None:
        super().__init__()
        self.layer, self.function = layer, function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)
