"""`torch.lstm`, `torch.gru`, `torch.rnn_tanh` and `torch.rnn_relu`, as `nn.RNNBase` calls them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import dropout as drop

from synthbench.engine.axis.stacked_forms.precision import cast
from synthbench.engine.axis.stacked_forms.recurrent_layer import recurrent_layer
from synthbench.errors import ModelError


def recurrent_network(kind: str) -> Callable[..., tuple[Tensor, ...]]:
    """The form of one of the four; kind: "lstm", "gru", "rnn_tanh" or "rnn_relu"."""

    def network(  # noqa: PLR0913 - torch's own arguments
        input: Tensor,
        hx: Tensor | Sequence[Tensor],
        params: Sequence[Tensor],
        has_biases: bool,
        num_layers: int,
        dropout: float,
        train: bool,
        bidirectional: bool,
        batch_first: bool = False,
    ) -> tuple[Tensor, ...]:
        """Outputs and last states from input (T, B, I), or (B, T, I) with `batch_first`."""
        if not isinstance(has_biases, bool):
            raise ModelError(
                "packed sequences cannot be stacked over replicas; give the network the whole "
                "padded tensor: all sequences of a task have one length"
            )
        # Features before samples, as `recurrent_layer` takes and gives them.
        sequence = cast(input.permute(1, 2, 0) if batch_first else input.transpose(1, 2))
        first = [cast(t.transpose(1, 2)) for t in ((hx,) if isinstance(hx, Tensor) else hx)]
        directions = 2 if bidirectional else 1
        count = len(params) // (num_layers * directions)
        last: list[tuple[Tensor, ...]] = []
        for depth in range(num_layers):
            if depth and train and dropout:
                sequence = drop(sequence, dropout, training=True)
            outputs = []
            for index in range(depth * directions, (depth + 1) * directions):
                weights = _weights(params[index * count : (index + 1) * count], has_biases)
                before = [state[index] for state in first]
                output, after = _layer(kind, index % directions == 1, sequence, before, weights)
                outputs.append(output)
                last.append(after)
            sequence = outputs[0] if directions == 1 else torch.cat(outputs, 1)
        output = sequence.permute(2, 0, 1) if batch_first else sequence.transpose(1, 2)
        return output, *(torch.stack(states).transpose(1, 2) for states in zip(*last, strict=True))

    network.__name__ = kind
    return network


def _layer(
    kind: str,
    reverse: bool,
    sequence: Tensor,
    before: list[Tensor],
    weights: tuple[Tensor | None, ...],
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Outputs (T, P, B) and last states of one layer in one direction, of one replica."""
    hidden, cell = before[0], before[1] if len(before) > 1 else None
    tensors = (sequence, hidden, cell, *weights)
    stacked = tuple(None if t is None else t.unsqueeze(0) for t in tensors)
    output, last = (t.squeeze(0) for t in recurrent_layer(kind, reverse, stacked))
    end = output[0 if reverse else -1]
    return output, (end,) if cell is None else (end, last)


def _weights(given: Sequence[Tensor], has_biases: bool) -> tuple[Tensor | None, ...]:
    """W_ih, W_hh, b_ih, b_hh and W_hr of one layer; a bias that it does not have is zero."""
    w_ih, w_hh, *others = (cast(t) for t in given)
    none = w_ih.new_zeros(w_ih.shape[0])
    biases = others[:2] if has_biases else (none, none)
    projection = others[2:] if has_biases else others
    return w_ih, w_hh, *biases, projection[0] if projection else None


def data_ptr(tensor: Tensor) -> int:
    """The address of a tensor; 0 if it stands for many, as under vmap.

    On a GPU `nn.RNNBase` compares the addresses of its weights before it makes them one run of
    memory for cuDNN: those that are not all different it leaves alone.
    """
    wrapped = torch._C._functorch.is_functorch_wrapped_tensor(tensor)
    return 0 if wrapped else tensor.data_ptr()
