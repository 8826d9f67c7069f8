"""Laws of the forward pass: a function of what is the replica's own, example by example."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from synthbench.contracts.interface import Interface, Port
from synthbench.engine.axis.building import parameter_types
from synthbench.engine.axis.calling import call
from synthbench.engine.axis.state import State
from synthbench.engine.axis.way import Draws
from synthbench.testing.examination import raised
from synthbench.testing.law import Law, NotApplicable, Outcome, law
from synthbench.testing.models.trial import (
    COMPANY,
    SIZE,
    ModelTrial,
    buffers_of,
    noise_pair,
    output_of,
)
from synthbench.testing.workbench.comparison import close, copied, replica, same_bits
from synthbench.testing.workbench.pretend_device import misplaced, moved

CUT = 5


@law(
    "input-unchanged",
    "The forward pass leaves its input as it was given.",
    "work on new tensors: no in-place operation (those whose names end in _) on x.",
    needs=("output-fits-interface",),
)
def input_unchanged(trial: ModelTrial) -> Outcome:
    """The input before and after."""
    for interface in trial.interfaces:
        x, module = trial.batch(interface).x, trial.fresh(interface, (0,)).networks[0].module
        given = copied(x)
        with torch.no_grad():
            call(module.eval(), given)
        if not same_bits(given, x):
            return f"forward wrote into x for {interface.describe()}"
    return None


@law(
    "forward-is-a-function",
    "What forward returns, and keeps, follows from weights, input, the numbers that the replica "
    "draws and its own state, to the bit.",
    "keep state in the module, not in its class or a global; draw from torch's, NumPy's or "
    "Python's global generator, which are seeded for every replica and step, and never from a "
    "generator or clock of your own.",
    needs=("input-unchanged", "same-seed-same-weights"),
)
def forward_is_a_function(trial: ModelTrial) -> Outcome:
    """Two calls of a module alone, and two among those of other replicas, in both modes."""
    for interface in trial.interfaces:
        for training in (False, True):
            alone = _two_calls(trial, interface, training, (0,))
            if not same_bits(alone, _two_calls(trial, interface, training, COMPANY)):
                return f"the same two calls give other results for {interface.describe()}"
    return None


def _two_calls(
    trial: ModelTrial, interface: Interface, training: bool, company: Sequence[int]
) -> tuple[list[Tensor], State]:
    """Outputs of the first replica and its buffers; before each call, the others are called."""
    replicas, found = trial.fresh(interface, company), []
    for _ in range(2):
        for other in range(1, len(company)):
            x = trial.batch(interface, other).x
            output_of(replicas, x, other, training=not training)
        found.append(output_of(replicas, trial.batch(interface).x, 0, training))
    return found, buffers_of(replicas)


@law(
    "examples-do-not-mix",
    "In evaluation mode an example's output does not depend on the others in its batch.",
    "compute along the axes of an example, never along the batch axis; normalize by statistics "
    "that evaluation mode takes from buffers.",
    needs=("output-fits-interface", "forward-is-a-function"),
)
def examples_do_not_mix(trial: ModelTrial) -> Outcome:
    """A few examples alone and in a larger batch; training mode may mix, as batch norm does."""
    for interface in trial.interfaces:
        if _mixes(trial, interface, training=False):
            return f"for {interface.describe()} the first {CUT} of {SIZE} change with the rest"
        if not trial.draws(interface) and _mixes(trial, interface, training=True):
            trial.facts["in training mode"] = "the examples of a batch influence one another"
    return None


def _mixes(trial: ModelTrial, interface: Interface, training: bool) -> bool:
    x = trial.batch(interface).x
    whole, part = (trial.output(interface, each, training, stirred=True) for each in (x, x[:CUT]))
    return not close(part, whole[:CUT])


@law(
    "causal",
    "Where the output is causal, that at position t does not depend on the input after t.",
    "mask attention to later positions, pad convolutions on the left only, and let recurrences "
    "run forwards: whoever sees the next token predicts it for nothing. A model that sees the "
    "whole input refuses causal outputs in check_accepts.",
    needs=("examples-do-not-mix",),
)
def causal(trial: ModelTrial) -> Outcome:
    """Later positions replaced, at weights moved from their initial values."""
    judged = [i for i in trial.interfaces if _goes_along(i)]
    for interface in judged:
        x, other = trial.batch(interface).x, trial.batch(interface, 1).x
        whole = trial.output(interface, x, stirred=True)
        for t in range(x.shape[1] - 1):
            cut = torch.cat([x[:, : t + 1], other[:, t + 1 :]], dim=1)
            changed = trial.output(interface, cut, stirred=True)
            if not close(changed[:, : t + 1], whole[:, : t + 1]):
                return (
                    f"for {interface.describe()} the output at position {t} or before changes "
                    "with the input after it"
                )
    return None if judged else NotApplicable("its outputs may depend on the whole input")


def _goes_along(interface: Interface) -> bool:
    positions = interface.output.positions
    return interface.output.causal and interface.input.shape[:1] == (positions,)


@law(
    "takes-shorter",
    "Where a model says so, a network built for the longest sequence takes shorter ones.",
    "read the length from the input, x.shape[1], and cut what belongs to positions to it; or leave "
    "takes_shorter at False.",
    needs=("output-fits-interface",),
)
def takes_shorter(trial: ModelTrial) -> Outcome:
    """Shapes for the first of the positions."""
    judged = [i for i in trial.interfaces if i.input.positions is not None]
    if not trial.subject.takes_shorter or not judged:
        return NotApplicable("it does not say that it takes shorter sequences")
    for interface in judged:
        x = trial.batch(interface).x
        for length in (x.shape[1] - 1, 1):
            try:
                output = trial.output(interface, x[:, :length])
            except Exception as error:
                return f"for {interface.describe()}, the first {length}: {raised(error)}"
            expected = (SIZE, *_shorter(interface.output, length))
            if tuple(output.shape) != expected or not output.isfinite().all():
                return (
                    f"for {interface.describe()}, the first {length}: the shape is "
                    f"{tuple(output.shape)}, not {expected}, or not all is finite"
                )
    return None


def _shorter(wanted: Port, length: int) -> tuple[int, ...]:
    return wanted.shape if wanted.positions is None else (length, *wanted.shape[1:])


@law(
    "no-noise-in-evaluation",
    "Dropout, and whatever else is drawn, is off in evaluation mode.",
    "let every random layer return its input unless self.training.",
    needs=("forward-is-a-function",),
)
def no_noise_in_evaluation(trial: ModelTrial) -> Outcome:
    """The numbers of two steps, in evaluation mode."""
    noisy = [i for i in trial.interfaces if trial.draws(i)]
    for interface in noisy:
        x = trial.batch(interface).x
        first, second = (
            trial.output(interface, x, noise=key, stirred=True) for key in noise_pair()
        )
        if not close(first, second):
            return "the output in evaluation mode changes with the numbers that are drawn"
    return None if noisy else NotApplicable("it draws nothing")


@law(
    "device-agnostic",
    "forward makes its tensors on the device of its weights and its input.",
    "give new tensors a device: torch.arange(n, device=x.device); keep constants in buffers.",
    needs=("output-fits-interface",),
)
def device_agnostic(trial: ModelTrial) -> Outcome:
    """Forward with weights and input that claim to be on another device."""
    for interface in trial.interfaces:
        for training in (False, True):
            replicas = trial.fresh(interface, (0,))
            network = replicas.networks[0]
            # Global generators cannot be seeded by a key without a number.
            network.draws = Draws(intercepted=True)
            stacked = replicas.parameters, replicas.buffers
            weights, buffers, x, key = moved(
                (*replica(stacked, 0), trial.batch(interface).x, noise_pair()[0])
            )
            forward = partial(network.forward, weights, buffers, x, training, key)
            wrong = misplaced(torch.no_grad()(forward))
            if wrong:
                return f"for {interface.describe()}, on another device: {wrong}"
    return None


@law(
    "any-precision",
    "forward works in double precision too, and then returns it.",
    "give new tensors the type of the weights (dtype=self.weight.dtype).",
    needs=("output-fits-interface",),
)
def any_precision(trial: ModelTrial) -> Outcome:
    """Weights and input converted as `--precision 64-true` converts them."""
    for interface in trial.interfaces:
        double = trial.fresh(interface, (0,), torch.float64)
        if len(parameter_types(double.networks[0].module)) > 1:
            return NotApplicable("its parameters are of several types, which they keep")
        x = trial.batch(interface).x
        output = output_of(double, x.double() if x.is_floating_point() else x)
        if output.dtype != torch.float64:
            return f"the output is {output.dtype} for weights in float64"
    return None


FORWARD_LAWS: tuple[Law[ModelTrial], ...] = (
    input_unchanged,
    forward_is_a_function,
    examples_do_not_mix,
    causal,
    takes_shorter,
    no_noise_in_evaluation,
    device_agnostic,
    any_precision,
)
