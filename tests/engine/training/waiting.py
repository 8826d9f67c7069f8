"""A mode in which operations fail for which a GPU's host would wait, or that no graph can hold."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

aten = torch.ops.aten
ASKING = (torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape)
"""A number, or a shape, that depends on what is in a tensor."""
CONSTANTS = (aten.lift_fresh.default, aten.lift_fresh_copy.default)
"""`torch.tensor`, `torch.as_tensor` of numbers: on a GPU a copy from the host's memory."""
INDEXING = (
    aten.index.Tensor,
    aten.index_put.default,
    aten.index_put_.default,
    aten._index_put_impl_.default,
)


class HostWaits(RuntimeError):
    """The host would wait for the device."""


class NoWaiting(TorchDispatchMode):
    """Raises HostWaits wherever a CUDA tensor would make the host wait."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        named = kwargs or {}
        if func in INDEXING:
            if any(_is_mask(leaf) for leaf in tree_leaves(args[1])):
                raise HostWaits(f"{func} with a mask")
        elif any(tag in func.tags for tag in ASKING) or func in CONSTANTS:
            raise HostWaits(str(func))
        return func(*args, **named)


def _is_mask(leaf: Any) -> bool:
    return isinstance(leaf, Tensor) and leaf.dtype in (torch.bool, torch.uint8)
