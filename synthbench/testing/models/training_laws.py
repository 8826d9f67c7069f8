"""Laws of replicas that are trained: traced, stacked or plain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

from torch import Tensor

from synthbench.contracts.interface import Interface, Port
from synthbench.engine.axis.gradients import stacked_gradients
from synthbench.engine.axis.objective import Objective
from synthbench.engine.axis.replicas import stacked_replicas
from synthbench.engine.axis.way import Way
from synthbench.engine.inspection.ways import RATE, Ways
from synthbench.testing.examination import raised
from synthbench.testing.law import Law, NotApplicable, Outcome, law
from synthbench.testing.models.trial import COMPANY, ModelTrial, train
from synthbench.testing.workbench.comparison import copied, same_bits
from synthbench.testing.workbench.example_inputs import OUTPUTS

TRIED = (0, 1)
"""As many as the engine tries before it trains any number."""
MANY = tuple(range(10))
"""Some of them may be where rounding weighs more than it does for two."""
OTHER_COMPANY = (7, 1, 5)
"""Seed 1 has the same place in it and in COMPANY."""
BEFORE_SAVING = 6
"""Steps."""


@law(
    "trains-plain",
    "Modules train as in a plain loop: forward, a scalar loss, loss.backward().",
    "make loss.backward() work for one module in training mode.",
    needs=("output-fits-interface", "forward-is-a-function", "builds-share-nothing"),
)
def trains_plain(trial: ModelTrial) -> Outcome:
    """A few steps; in which way the engine trains, and why no faster, is reported."""
    found = []
    for interface in trial.interfaces:
        try:
            found.append(_described(trial.ways(interface, TRIED)))
        except Exception as error:
            cause = error.__cause__
            seen = raised(cause if isinstance(cause, Exception) else error)
            return f"for {interface.describe()}: {seen}"
    trial.facts["replicas"] = "; ".join(dict.fromkeys(found))
    return None


def _described(ways: Ways) -> str:
    """`traced`, or another way and what is wrong with the faster one."""
    way = ways.right[0]
    faster = {Way.STACKED: Way.TRACED, Way.PLAIN: Way.STACKED}.get(way)
    return f"{way}: {ways.reasons[faster]}" if faster else str(way)


@law(
    "state-is-saved",
    "A module with the parameters, buffers and plain attributes of another goes on as that one "
    "would.",
    "keep what a step leaves for the next in a buffer, or in an attribute: a number, string or "
    "tensor, or a list or dict of them. Checkpoints hold nothing else.",
    needs=("trains-plain",),
)
def state_is_saved(trial: ModelTrial) -> Outcome:
    """The step after some, by the module that made them and by a fresh one that took over."""
    for interface in trial.interfaces:
        loss, seeds = trial.loss(interface), COMPANY[:1]
        lesson = trial.lesson(interface, seeds, BEFORE_SAVING)
        trained, resumed = trial.fresh(interface, seeds), trial.fresh(interface, seeds)
        train(trained, loss, lesson, RATE)
        trained.gather_buffers()
        resumed.adopt(copied(trained.parameters), copied(trained.buffers))
        resumed.set_attributes(trained.attributes())
        one, other = (each.gradients(loss, *lesson.step(0)) for each in (trained, resumed))
        if not same_bits(one, other):
            return f"for {interface.describe()} a saved module's next step is another"
    return None


@law(
    "stacked-equals-plain",
    "Where a few replicas can be stacked, any number can: losses, gradients and buffers are those "
    "of each module alone.",
    "let the seed decide nothing but the values of parameters and buffers, not a flag, a number "
    "or a tensor in an attribute: a stack has one module's attributes for all.",
    needs=("trains-plain", "same-seed-same-weights"),
)
def stacked_equals_plain(trial: ModelTrial) -> Outcome:
    """The engine's own comparison, with more replicas than it takes."""
    judged = [i for i in trial.interfaces if trial.ways(i, TRIED).right != (Way.PLAIN,)]
    for interface in judged:
        reason = trial.ways(interface, MANY, coarse=True).loop_reason
        if reason is not None:
            return f"{len(TRIED)} replicas can be stacked, but of {len(MANY)}: {reason}"
    return None if judged else NotApplicable("its replicas are trained plain")


@law(
    "traced-equals-plain",
    "Where the step of a few replicas can be recorded and replayed, so can that of any number.",
    "compute with tensors alone, so that nothing of the replicas at hand is frozen into the "
    "record.",
    needs=("stacked-equals-plain",),
)
def traced_equals_plain(trial: ModelTrial) -> Outcome:
    """The engine's own comparison, with more replicas than it takes."""
    judged = [i for i in trial.interfaces if trial.ways(i, TRIED).right[0] is Way.TRACED]
    for interface in judged:
        reason = trial.ways(interface, MANY, coarse=True).reasons.get(Way.TRACED)
        if reason is not None:
            return f"{len(TRIED)} replicas can be traced, but of {len(MANY)}: {reason}"
    return None if judged else NotApplicable("its step is not recorded")


@law(
    "replica-independence",
    "A replica's loss does not depend on the replicas it is trained with.",
    "use nothing but the weights, the buffers and the input of the replica.",
    needs=("traced-equals-plain", "same-seed-same-weights"),
)
def replica_independence(trial: ModelTrial) -> Outcome:
    """Seed 1 in two companies of one size, to the bit, in the way that the engine takes."""
    for interface in trial.interfaces:
        losses_of = _training_losses(trial, interface)
        found = [losses_of(company)[1] for company in (COMPANY, OTHER_COMPANY)]
        if not same_bits(*found):
            return f"the loss of seed 1 is {found[0]} in one company, {found[1]} in another"
    return None


def _training_losses(trial: ModelTrial, interface: Interface) -> Callable[[Sequence[int]], Tensor]:
    """Seeds -> losses (R,) of their first step; what is recorded is so for all companies."""
    way, loss = trial.ways(interface, TRIED).right[0], trial.loss(interface)

    def alone(company: Sequence[int]) -> Tensor:
        batch, noise = trial.lesson(interface, company, 1).step(0)
        return trial.fresh(interface, company).gradients(loss, batch, noise)[1]

    if way is Way.PLAIN:
        return alone
    skeleton = stacked_replicas(trial.subject, interface, list(TRIED))
    gradients = stacked_gradients(Objective(skeleton, loss), way)

    def together(company: Sequence[int]) -> Tensor:
        stack = stacked_replicas(trial.subject, interface, list(company))
        batch, noise = trial.lesson(interface, company, 1).step(0)
        return gradients(stack.parameters, stack.buffers, batch, noise)[1]

    return together


@law(
    "gradients-reach-every-parameter",
    "Every parameter has a finite gradient that is not always zero.",
    "use the parameter in forward, without .detach() and torch.no_grad(); or freeze it with "
    "requires_grad_(False).",
    needs=("trains-plain",),
)
def gradients_reach_every_parameter(trial: ModelTrial) -> Outcome:
    """At initialization and nearby, over all losses and a few batches."""
    for interface in trial.interfaces:
        batch, noise = trial.lesson(interface, COMPANY, 1).step(0)
        missed = list(trial.fresh(interface, COMPANY).parameters)
        for make, loss in product((trial.fresh, trial.stirred), interface.output.losses().values()):
            gradients, _ = make(interface, COMPANY).gradients(loss, batch, noise)
            missed = [name for name in missed if not _reach_one(gradients[name])]
            if not missed:
                break
        if missed:
            return f"the gradient of {', '.join(missed)} is zero or not finite every time"
    return None


def _reach_one(gradients: Tensor) -> bool:
    """Whether the gradient (R, ...) of some replica is finite and not zero."""
    return any(bool(own.any() and own.isfinite().all()) for own in gradients)


@law(
    "recipe-fits",
    "The recipe's loss is one that a task with such an output has.",
    "name a loss such as "
    + ", ".join(dict.fromkeys(name for kind in OUTPUTS for name in kind.examples()[0].losses()))
    + " in the recipe, or none for the task's own.",
)
def recipe_fits(trial: ModelTrial) -> Outcome:
    """Against the usual losses of the declared outputs."""
    wanted = trial.subject.recipe.loss
    known = [i.output for i in trial.interfaces if type(i.output).losses is not Port.losses]
    if wanted is None or not known:
        return NotApplicable("the loss is left to the task")
    usual = dict.fromkeys(name for port in known for name in port.losses())
    return None if wanted in usual else f"loss={wanted} is none of {', '.join(usual)}"


TRAINING_LAWS: tuple[Law[ModelTrial], ...] = (
    trains_plain,
    state_is_saved,
    stacked_equals_plain,
    traced_equals_plain,
    replica_independence,
    gradients_reach_every_parameter,
    recipe_fits,
)
