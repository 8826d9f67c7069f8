"""Laws of the forward pass: a function of weights and input, example by example."""

from __future__ import annotations

from functools import partial

import torch

from synthbench.contracts.interface import Interface, Port
from synthbench.engine.generators import GlobalRandomState, seed_everything
from synthbench.testing.examination import raised
from synthbench.testing.law import Law, NotApplicable, Outcome, law
from synthbench.testing.models.trial import SIZE, ModelTrial, output_of
from synthbench.testing.workbench.comparison import close, copied, replica, same_bits
from synthbench.testing.workbench.pretend_device import misplaced, moved

CUT = 5


@law(
    "forward-draws-from-torch",
    "What the forward pass draws, it draws by functions of torch's that the replica's own stream "
    "answers: dropout in every form, rand, randn, bernoulli and the like.",
    "use no random and no numpy.random in forward, and none of torch's rarer distributions: a "
    "generator that all share makes replicas train one after the other.",
    needs=("builds",),
)
def forward_draws_from_torch(trial: ModelTrial) -> Outcome:
    """Whether the global generators move or matter."""
    for interface in trial.interfaces:
        for training in (False, True):
            replicas, x, found = trial.replicas(interface), trial.batch(interface).x, []
            for seed in (1, 2):
                seed_everything(seed)
                before = GlobalRandomState.now()
                found.append(output_of(replicas, x, training=training))
                if before.moved():
                    mode = "training" if training else "evaluation"
                    return f"forward used {' and '.join(before.moved())} in {mode} mode"
            seed_everything(2)
            if not same_bits(*found) and same_bits(
                found[1], output_of(replicas, x, training=training)
            ):
                return "the output depends on the seed of a global generator"
    return None


@law(
    "input-unchanged",
    "The forward pass leaves its input as it was given.",
    "work on new tensors: no in-place operation (those whose names end in _) on x.",
    needs=("forward-draws-from-torch",),
)
def input_unchanged(trial: ModelTrial) -> Outcome:
    """The input before and after."""
    for interface in trial.interfaces:
        x, stack = trial.batch(interface).x, trial.replicas(interface)
        given = copied(x)
        with torch.no_grad():
            stack.forward(replica(stack.parameters, 0), copied(replica(stack.buffers, 0)), given)
        if not same_bits(given, x):
            return f"forward wrote into x for {interface.describe()}"
    return None


@law(
    "forward-is-a-function",
    "The same weights, buffers and input give the same output, to the bit.",
    "keep no state in attributes: what changes from call to call belongs into a buffer, and is "
    "changed in training mode only.",
    needs=("input-unchanged",),
)
def forward_is_a_function(trial: ModelTrial) -> Outcome:
    """Forward three times, in both modes, in turns."""
    for interface in trial.interfaces:
        replicas, x = trial.replicas(interface), trial.batch(interface).x
        for training in (False, True):
            first = output_of(replicas, x, training=training)
            output_of(replicas, trial.batch(interface, 1).x, training=not training)
            if not same_bits(first, output_of(replicas, x, training=training)):
                return f"two calls differ for {interface.describe()}"
    return None


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
        replicas, x = trial.stirred(interface), trial.batch(interface).x
        whole, _ = output_of(replicas, x)
        part, _ = output_of(replicas, x[:CUT])
        if not close(part, whole[:CUT]):
            return f"for {interface.describe()} the first {CUT} of {SIZE} change with the rest"
        whole, _ = output_of(replicas, x, training=True)
        part, _ = output_of(replicas, x[:CUT], training=True)
        if not trial.draws(interface) and not close(part, whole[:CUT]):
            trial.facts["in training mode"] = "the examples of a batch influence one another"
    return None


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
        replicas = trial.stirred(interface)
        x, other = trial.batch(interface).x, trial.batch(interface, 1).x
        whole, _ = output_of(replicas, x)
        for t in range(x.shape[1] - 1):
            changed, _ = output_of(replicas, torch.cat([x[:, : t + 1], other[:, t + 1 :]], dim=1))
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
        replicas, x = trial.replicas(interface), trial.batch(interface).x
        for length in (x.shape[1] - 1, 1):
            try:
                output, _ = output_of(replicas, x[:, :length])
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
        replicas, x = trial.stirred(interface), trial.batch(interface).x
        first, second = (output_of(replicas, x, noise=key)[0] for key in trial.noise()[:2])
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
        stack = trial.replicas(interface)
        weights, buffers = moved((replica(stack.parameters, 0), replica(stack.buffers, 0)))
        x = moved(trial.batch(interface).x)
        for training in (False, True):
            call = partial(stack.forward, weights, buffers, x, training=training)
            wrong = misplaced(torch.no_grad()(call))
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
        double = trial.replicas(interface).to(torch.float64)
        x = trial.batch(interface).x
        x = x.double() if x.is_floating_point() else x
        output = output_of(double, x)[0]
        if output.dtype != torch.float64:
            return f"the output is {output.dtype} for weights in float64"
    return None


FORWARD_LAWS: tuple[Law[ModelTrial], ...] = (
    forward_draws_from_torch,
    input_unchanged,
    forward_is_a_function,
    examples_do_not_mix,
    causal,
    takes_shorter,
    no_noise_in_evaluation,
    device_agnostic,
    any_precision,
)
