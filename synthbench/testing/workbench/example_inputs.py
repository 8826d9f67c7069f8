"""Interfaces, inputs and labels that are made up for a model."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch, Loss
from synthbench.contracts.interface import Interface, Margin, Port, Signs, TokenLogits, Tokens
from synthbench.contracts.losses import MARGIN_LOSSES, NEXT_TOKEN_LOSSES
from synthbench.contracts.model import Model
from synthbench.errors import ConfigurationError, InterfaceError
from synthbench.streams import Purpose, Stream

INPUTS: tuple[Port, ...] = (Signs(12), Tokens(3, 7))
OUTPUTS: tuple[Port, ...] = (Margin(), TokenLogits(3, 7))


def example_interfaces(model: Model) -> tuple[Interface, ...]:
    """Small interfaces of the kinds that a model declares and does not refuse.

    Raises ConfigurationError where its kinds are all a third party's.
    """
    pairs = [Interface(given, wanted) for given in INPUTS for wanted in OUTPUTS]
    accepted = tuple(pair for pair in pairs if _accepts(model, pair))
    if not accepted:
        kinds = " or ".join(kind.__name__ for kind in (*model.inputs, *model.outputs))
        raise ConfigurationError(
            f'no example of {kinds} is known, which model "{model.name}" takes or gives; say '
            "check_model(model, interfaces=[synthbench.Interface(...)])"
        )
    return accepted


def _accepts(model: Model, interface: Interface) -> bool:
    try:
        model.check_accepts(interface)
    except InterfaceError:
        return False
    return True


def example_batch(interface: Interface, seed: int, size: int) -> Batch:
    """Random inputs with random labels: of the output's meaning, or of its shape."""
    rng = Stream.from_seed(seed, Purpose.TEST)
    x = _values(interface.input, rng, size)
    wanted = interface.output
    if isinstance(wanted, TokenLogits):
        return Batch(x, rng.integers(wanted.vocabulary, (size, wanted.length)))
    if isinstance(wanted, Margin):
        return Batch(x, rng.signs((size,)))
    return Batch(x, rng.normal((size, *wanted.shape)))


def _values(port: Port, rng: Stream, size: int) -> Tensor:
    if isinstance(port, Signs):
        return rng.signs((size, *port.shape))
    if isinstance(port, Tokens):
        return rng.integers(port.vocabulary, (size, *port.shape))
    return rng.normal((size, *port.shape))


def example_losses(interface: Interface) -> Mapping[str, Loss]:
    """The usual losses of an output; the mean square for one of a third party."""
    if isinstance(interface.output, Margin):
        return MARGIN_LOSSES
    if isinstance(interface.output, TokenLogits):
        return NEXT_TOKEN_LOSSES
    return {"square": mean_square}


def mean_square(output: Tensor, batch: Batch) -> Tensor:
    """Mean of (y - f(x))^2 over everything."""
    return torch.square(batch.y - output).mean()
