"""What torch's functions do inside a replica's forward pass.

Random functions draw from the replica's own stream; and in a stack, functions that torch cannot
batch over replicas have forms that it can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import CellType, FunctionType
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from synthbench.engine.axis.randomness.draws import DRAWS
from synthbench.engine.axis.stacked_forms import STACKED_FORMS
from synthbench.streams import NoiseStream

WRITTEN_IN_PYTHON = ("torch.nn.functional", "torch.functional")
RECURRENT = (torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu)
DROPOUT_INSIDE = (functional.scaled_dot_product_attention, *RECURRENT)
CHECKS = ("has_torch_function", "has_torch_function_unary", "has_torch_function_variadic")

Forms = Mapping[Any, Callable[..., Any]]
"""Function of torch -> one of the same arguments that stands in for it."""


class ReplicaFunctions(TorchFunctionMode):
    """Active while the forward pass of one replica runs; under vmap, of every replica."""

    def __init__(self, noise: NoiseStream, forms: Forms | None = None) -> None:
        """noise: of the replica at this step. forms: for functions that cannot be batched."""
        super().__init__()
        self._noise = noise
        self._forms = forms or {}
        self._running: list[Any] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Call the function, or what stands in for it."""
        named = kwargs or {}
        draw = DRAWS.get(func)
        if draw is not None:
            return draw(self._noise, *args, **named)
        form = self._forms.get(func)
        if form is None and func in DROPOUT_INSIDE and _drops(func, args, named):
            form = STACKED_FORMS[func]
        # A function that is running comes again where a part of it asks for the mode.
        if form is None and _is_written_in_python(func) and func not in self._running:
            form = _unchecked(func)
        if form is None:
            return func(*args, **named)
        self._running.append(func)
        try:
            with self:
                return form(*args, **named)
        finally:
            self._running.pop()


def _drops(func: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> bool:
    """Whether entries are dropped out inside, by a kernel whose numbers nobody sees."""
    if func is functional.scaled_dot_product_attention:
        return bool(args[4] if len(args) > 4 else named.get("dropout_p", 0.0))
    # `nn.RNNBase` calls them with input, states, weights, bias, layers, dropout, training.
    return len(args) > 6 and bool(args[5]) and bool(args[6])


def _is_written_in_python(func: Any) -> bool:
    return isinstance(func, FunctionType) and func.__module__ in WRITTEN_IN_PYTHON


@cache
def _unchecked(function: FunctionType) -> FunctionType:
    """A copy that does not ask whether a mode is active.

    Torch hands such a function to the mode as a whole; what it calls is seen only if it then
    runs on, with the mode active. Pooling chooses between two functions that it closes over,
    either of which asks too.
    """
    scope = {**function.__globals__, **dict.fromkeys(CHECKS, _never)}
    closure = function.__closure__ and tuple(
        CellType(_unchecked(inner)) if _is_written_in_python(inner) else cell
        for cell in function.__closure__
        for inner in [cell.cell_contents]
    )
    copied = FunctionType(
        function.__code__, scope, function.__name__, function.__defaults__, closure
    )
    copied.__kwdefaults__ = function.__kwdefaults__
    return copied


def _never(*_: Any) -> bool:
    return False
