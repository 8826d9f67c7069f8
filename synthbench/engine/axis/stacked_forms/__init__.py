"""What torch cannot work out for all replicas at once, in a form that it can.

Some of torch's functions have no rule for `torch.vmap`: they fail, or run once per replica and
warn of it. A form takes the same arguments, gives the same results to rounding, and is as fast
for stacked replicas as the operations that it is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from synthbench.engine.axis.stacked_forms import recurrent_cells
from synthbench.engine.axis.stacked_forms.attention import scaled_dot_product_attention
from synthbench.engine.axis.stacked_forms.bilinear import bilinear
from synthbench.engine.axis.stacked_forms.linear import linear
from synthbench.engine.axis.stacked_forms.normalization import (
    embedding_renorm_,
    normalize,
    weight_norm,
)
from synthbench.engine.axis.stacked_forms.recurrent_networks import data_ptr, recurrent_network

STACKED_FORMS: Mapping[Callable[..., Any], Callable[..., Any]] = {
    torch.lstm: recurrent_network("lstm"),
    torch.gru: recurrent_network("gru"),
    torch.rnn_tanh: recurrent_network("rnn_tanh"),
    torch.rnn_relu: recurrent_network("rnn_relu"),
    torch.lstm_cell: recurrent_cells.lstm_cell,
    torch.gru_cell: recurrent_cells.gru_cell,
    torch.rnn_tanh_cell: recurrent_cells.rnn_tanh_cell,
    torch.rnn_relu_cell: recurrent_cells.rnn_relu_cell,
    Tensor.data_ptr: data_ptr,
    functional.scaled_dot_product_attention: scaled_dot_product_attention,
    torch.bilinear: bilinear,
    torch.embedding_renorm_: embedding_renorm_,
    functional.linear: linear,
    functional.normalize: normalize,
    torch._weight_norm: weight_norm,
}
"""Function of torch -> its form, as `torch.overrides.TorchFunctionMode` sees the function.

Meant to be looked up by such a mode within `torch.vmap`; without vmap the forms are right too. A
form's own calls are for the mode again: dropout inside gets the replica's own numbers.
"""
