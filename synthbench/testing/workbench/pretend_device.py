"""Running code as if its tensors were on another device, without having one.

Tensors on torch's "meta" device have shapes and types, but no numbers. Where an operation is
given one of them together with one of the CPU, it fails as it would with a GPU's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

PRETENDED = torch.device("meta")
MIXING = ("aten::copy_", "aten::_copy_from", "aten::index.", "aten::index_put", "aten::_to_copy")
"""Operations that a GPU lets take tensors from both sides."""


class MixedDevicesError(RuntimeError):
    """An operation on tensors of two devices."""


class _OneDevice(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Refuses operations on tensors of two devices; a tensor without axes is a number."""

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = [t for t in tree_leaves((args, dict(kwargs or {}))) if isinstance(t, Tensor)]
        devices = {tensor.device.type for tensor in given if tensor.dim() > 0}
        name = func.name()
        if len(devices) > 1 and not name.startswith(MIXING):
            raise MixedDevicesError(f"{name} was given tensors of two devices")
        return func(*args, **(kwargs or {}))


@contextmanager
def pretend_device() -> Iterator[None]:
    """Inside, tensors of the pretended device and of the CPU do not mix."""
    with _OneDevice():  # type: ignore[no-untyped-call]
        yield


def moved(tree: Any) -> Any:
    """Tensors of the same shapes and types on the pretended device."""
    return tree_map(lambda leaf: torch.empty(leaf.shape, dtype=leaf.dtype, device=PRETENDED), tree)


def elsewhere(tree: Any) -> bool:
    """Whether a tensor of the tree is not on the pretended device."""
    return any(leaf.device.type != PRETENDED.type for leaf in tree_leaves(tree))


def misplaced(call: Callable[[], Any]) -> str | None:
    """What a call with arguments of the pretended device does wrong, if anything.

    An operation that torch cannot pretend is not held against it.
    """
    try:
        with pretend_device():
            result = call()
    except MixedDevicesError as error:
        return f"{error}, its argument's and the CPU"
    except NotImplementedError:
        return None
    except RuntimeError as error:
        # Some operations look at devices before they can be looked at; autocast knows real ones.
        line = str(error).partition("\n")[0]
        return line if "device" in line and "autocast" not in line else None
    return "it returns a tensor on the CPU" if elsewhere(result) else None
