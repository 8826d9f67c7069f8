"""Recording what a module computes, without its author doing anything for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from synthbench.contracts.probe import Activations
from synthbench.engine.axis.stacked_forms.attention import attention_weights

SOFTMAXES = (torch.softmax, Tensor.softmax, functional.softmax)


@contextmanager
def recorded(module: nn.Module) -> Iterator[Activations]:
    """Everything `module` computes inside the context; works under vmap."""
    activations = Activations()

    def keep(name: str) -> Callable[..., None]:
        def hook(_: nn.Module, given: tuple[Any, ...], output: Any) -> None:
            if given and isinstance(given[0], Tensor):
                activations.inputs[name] = given[0]
            if isinstance(output, Tensor):
                activations.outputs[name] = output

        return hook

    handles = [
        child.register_forward_hook(keep(name)) for name, child in module.named_modules() if name
    ]
    try:
        with _AttentionMaps(activations.attention):
            yield activations
    finally:
        for handle in handles:
            handle.remove()


class _AttentionMaps(TorchFunctionMode):
    """Watches every softmax; keeps those that look like attention."""

    def __init__(self, found: list[Tensor]) -> None:
        super().__init__()
        self._found = found

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        if func is functional.multi_head_attention_forward:
            return self._multi_head(func, args, given)
        output = func(*args, **given)
        if func in SOFTMAXES:
            if output.dim() >= 2 and output.shape[-1] == output.shape[-2]:
                self._found.append(output)
        elif func is functional.scaled_dot_product_attention:
            self._found.append(attention_weights(*args, **given))
        return output

    def _multi_head(self, func: Any, args: tuple[Any, ...], given: dict[str, Any]) -> Any:
        """What is inside `nn.MultiheadAttention` is out of sight, but it returns its map."""
        wanted = given.get("need_weights", True)
        averaged = given.get("average_attn_weights", True)
        output, weights = func(
            *args, **{**given, "need_weights": True, "average_attn_weights": False}
        )
        if weights.shape[-1] == weights.shape[-2]:
            self._found.append(weights)
        if not wanted:
            return output, None
        return output, weights.mean(dim=-3) if averaged else weights
