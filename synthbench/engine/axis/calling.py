"""Calling a network on its input, by position or by the name that it goes by."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from synthbench.engine.axis.state import State

NAMED = "input_ids"
"""What Hugging Face's models call their tokens."""


def call(module: nn.Module, x: Tensor) -> Any:
    """What `module(x)` returns."""
    name = input_name(module)
    return module(x) if name is None else module(**{name: x})


def call_with(module: nn.Module, tensors: State, x: Tensor) -> Any:
    """The same with other parameters and buffers in their places."""
    name = input_name(module)
    if name is None:
        return functional_call(module, tensors, (x,))
    return functional_call(module, tensors, (), {name: x})


def input_name(module: nn.Module) -> str | None:
    """`input_ids` where the forward pass takes it, but not first; else None."""
    scripted = isinstance(module, torch.jit.ScriptModule)
    return None if scripted else _input_name(type(module).forward)


@cache
def _input_name(kind: Callable[..., Any]) -> str | None:
    names = list(inspect.signature(kind).parameters)[1:]
    return NAMED if NAMED in names[1:] else None
