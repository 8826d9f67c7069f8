"""The one tensor that a network gives back, whatever its forward pass returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from synthbench.contracts.port import Port
from synthbench.errors import ModelError

LOGITS = "logits"
"""Where Hugging Face's models keep what they predict."""


def read_output(returned: Any, port: Port, size: int) -> Tensor:
    """The tensor (B, *shape) in what `forward` returned for B = `size` examples.

    A tensor; `.logits`; or the only tensor of the right shape in a tuple, list, dict or
    dataclass. (B, 1) stands for the (B,) of a margin, and half precision becomes float32.
    Raises ModelError where there is none, or more than one.
    """
    output = returned if isinstance(returned, Tensor) else _only(returned, port, size)
    if not port.shape and output.shape == (size, 1):
        output = output.squeeze(-1)
    return output.float() if output.dtype in (torch.bfloat16, torch.float16) else output


def fits(tensor: Tensor, port: Port, size: int) -> bool:
    """Whether a tensor may be the output for `size` examples; a sequence may be shorter."""
    if not port.shape:
        return tensor.shape in ((size,), (size, 1))
    if tensor.dim() != 1 + len(port.shape) or tensor.shape[0] != size:
        return False
    free = 1 if port.positions is not None else 0
    return tuple(tensor.shape[1 + free :]) == port.shape[free:]


def _only(returned: Any, port: Port, size: int) -> Tensor:
    found = list(_tensors(returned))
    if not found:
        raise ModelError(
            f"forward must return a tensor, got {type(returned).__name__} without one in it"
        )
    chosen = [tensor for name, tensor in found if name == LOGITS]
    chosen = chosen or [tensor for _, tensor in found if fits(tensor, port, size)]
    if len(chosen) == 1:
        return chosen[0]
    shapes = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in found)
    number = "more than one" if chosen else "none"
    raise ModelError(
        f"forward returns {type(returned).__name__} with {shapes}, of which {number} has the shape "
        f"of {port.describe()}, {(size, *port.shape)}; return that tensor alone"
    )


def _tensors(value: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Name and tensor, one level deep."""
    parts: Mapping[Any, Any] = {}
    if isinstance(value, Mapping):
        parts = value
    elif dataclasses.is_dataclass(value):
        parts = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    elif isinstance(value, tuple) and hasattr(value, "_asdict"):
        parts = value._asdict()
    elif isinstance(value, Sequence) and not isinstance(value, str):
        parts = dict(enumerate(value))
    for key, part in parts.items():
        if isinstance(part, Tensor):
            yield str(key), part
