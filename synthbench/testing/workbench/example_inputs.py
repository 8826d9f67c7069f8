"""Interfaces, inputs and labels that are made up for a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from synthbench.contracts.batch import Batch
from synthbench.contracts.interface import (
    ClassLogits,
    Interface,
    Margin,
    Margins,
    Port,
    Reals,
    RealSequence,
    Signs,
    TokenLogits,
    Tokens,
    Value,
)
from synthbench.contracts.model import Model
from synthbench.errors import ConfigurationError, InterfaceError
from synthbench.streams import Purpose, Stream

INPUTS: tuple[type[Port], ...] = (Signs, Tokens, Reals, RealSequence)
OUTPUTS: tuple[type[Port], ...] = (Margin, TokenLogits, ClassLogits, Margins, Value)
"""SynthBench's own kinds: what a model gives or takes that declares `Port`, every kind there is."""


def example_interfaces(model: Model) -> tuple[Interface, ...]:
    """Small interfaces of the kinds that a model declares and does not refuse.

    Every kind is in one of them, not every pair of kinds. Raises ConfigurationError where there
    is none.
    """
    given, wanted = _examples(model.inputs, INPUTS), _examples(model.outputs, OUTPUTS)
    pairs = [Interface(one, other) for one in given for other in wanted if _go_along(one, other)]
    accepted = tuple(pair for pair in pairs if _accepts(model, pair))
    if not accepted:
        lacking = without_examples(model)
        reason = (
            f"port {' and '.join(kind.__name__ for kind in lacking)} brings no examples; give it "
            "the classmethod examples()"
            if lacking
            else "its ports bring no examples that it accepts together; let examples() of them "
            "have as many positions"
        )
        raise ConfigurationError(
            f'model "{model.name}" cannot be tried: {reason}, or say '
            "check_model(model, interfaces=[synthbench.Interface(...)])"
        )
    return _covering(accepted)


def without_examples(model: Model) -> list[type[Port]]:
    """The kinds that a model declares and that bring no examples."""
    declared = dict.fromkeys((*model.inputs, *model.outputs))
    return [kind for kind in declared if kind is not Port and not kind.examples()]


def _examples(kinds: Sequence[type[Port]], every: Sequence[type[Port]]) -> list[Port]:
    named = [one for kind in kinds for one in (every if kind is Port else (kind,))]
    return [example for kind in named for example in kind.examples()]


def _go_along(given: Port, wanted: Port) -> bool:
    """Whether an output for each of some positions has as many as the input."""
    return wanted.positions is None or given.shape[:1] == (wanted.positions,)


def _covering(pairs: Sequence[Interface]) -> tuple[Interface, ...]:
    """Of some interfaces as many as have every output, and every input, of them all."""
    chosen: list[Interface] = []
    inputs: Counter[Port] = Counter()
    for wanted in dict.fromkeys(pair.output for pair in pairs):
        options = [pair for pair in pairs if pair.output == wanted]
        chosen.append(min(options, key=lambda pair: inputs[pair.input]))
        inputs[chosen[-1].input] += 1
    for given in dict.fromkeys(pair.input for pair in pairs):
        if given not in inputs:
            chosen.append(next(pair for pair in pairs if pair.input == given))
    return tuple(chosen)


def _accepts(model: Model, interface: Interface) -> bool:
    try:
        model.check_accepts(interface)
    except InterfaceError:
        return False
    return True


def example_batch(interface: Interface, seed: int, size: int) -> Batch:
    """Made-up inputs with labels that have nothing to do with them."""
    rng = Stream.from_seed(seed, Purpose.TEST)
    return Batch(interface.input.draw(rng, size), interface.output.labels(rng, size))
