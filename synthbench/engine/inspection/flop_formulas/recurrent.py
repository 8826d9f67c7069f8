"""The layer of oneDNN that serves `nn.LSTM` on CPU, where nothing stands in for it."""

from __future__ import annotations

from typing import Any

import torch

aten: Any = torch.ops.aten


def _forward(arguments: tuple[Any, ...], output: Any) -> int:
    """Products of every element (T, B, .) with W_ih and W_hh."""
    x, w_ih, w_hh = arguments[:3]
    return int(2 * x.shape[0] * x.shape[1] * (w_ih.numel() + w_hh.numel()))


def _backward(arguments: tuple[Any, ...], output: Any) -> int:
    """Two for each; the layer always finds the gradient of its input."""
    return 2 * _forward(arguments, output)


RECURRENT = {aten.mkldnn_rnn_layer: _forward, aten.mkldnn_rnn_layer_backward: _backward}
