"""Laws of replicas that are stacked, differentiated and trained."""

from __future__ import annotations

import torch

from synthbench.contracts.interface import Interface, Port
from synthbench.engine.axis.gradients import stacked_gradients
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.testing.examination import raised
from synthbench.testing.law import Law, NotApplicable, Outcome, law
from synthbench.testing.models.trial import COMPANY, ModelTrial
from synthbench.testing.workbench.comparison import close, copied, replica, same_bits
from synthbench.testing.workbench.example_inputs import OUTPUTS

OTHER_COMPANY = (7, 1, 5)
"""Seed 1 has the same place in both."""


@law(
    "vmaps-or-loops",
    "Forward and backward pass work for stacked replicas: under torch.vmap or, slower, in a loop.",
    "make loss.backward() work for one replica; for vmap, use tensor operations only: no "
    ".item(), no Python `if` on a tensor's value.",
    needs=("output-fits-interface", "forward-is-a-function"),
)
def vmaps_or_loops(trial: ModelTrial) -> Outcome:
    """Vmapped if that works, looped otherwise, which is reported."""
    reasons = []
    for interface in trial.interfaces:
        reason = trial.loop_reason(interface)
        if reason is None:
            continue
        try:
            trial.losses_and_gradients(interface, looped=True)
        except Exception as error:
            return f"for {interface.describe()}: {raised(error)}"
        reasons.append(reason)
    trial.facts["replicas"] = f"looped, slower: {reasons[0]}" if reasons else "vmapped"
    return None


@law(
    "vmapped-equals-looped",
    "Losses and gradients of stacked replicas are those of each alone.",
    "do not ask whether vmap is at work, and read no tensor that is not an argument, a parameter "
    "or a buffer.",
    needs=("vmaps-or-loops", "state-in-tensors"),
)
def vmapped_equals_looped(trial: ModelTrial) -> Outcome:
    """Both, to rounding."""
    judged = _vmapped(trial)
    for interface in judged:
        together = trial.losses_and_gradients(interface, looped=False)
        alone = trial.losses_and_gradients(interface, looped=True)
        if not close(together[0], alone[0]):
            return f"losses are {together[0].tolist()} vmapped, {alone[0].tolist()} looped"
        wrong = [n for n in alone[1] if not close(together[1][n], alone[1][n], 1e-3)]
        if wrong:
            return f"the gradient of {wrong[0]} is another when it is vmapped"
    return None if judged else _looped()


@law(
    "replica-independence",
    "A replica's output does not depend on the replicas it is stacked with.",
    "use nothing but the weights, the buffers and the input of the replica.",
    needs=("vmapped-equals-looped", "same-seed-same-weights"),
)
def replica_independence(trial: ModelTrial) -> Outcome:
    """Seed 1 in two companies of one size, to the bit."""
    judged = _vmapped(trial)
    for interface in judged:
        found = []
        for company in (COMPANY, OTHER_COMPANY):
            stack = trial.replicas(interface, company)
            batches = trial.batches(interface, company)
            losses = over_replicas(trial.objective(stack, interface))(
                stack.parameters, copied(stack.buffers), batches, trial.noise()
            )
            found.append(losses[1])
        if not same_bits(*found):
            return f"the loss of seed 1 is {found[0]} in one company, {found[1]} in another"
    return None if judged else _looped()


@law(
    "traced-equals-called",
    "A training step, recorded once and replayed on other numbers, does what a call does.",
    "compute with tensors alone, so that nothing of the first batch is frozen into the record; "
    "torch.nn.functional.one_hot cannot be recorded under vmap, comparing with arange can.",
    needs=("replica-independence",),
)
def traced_equals_called(trial: ModelTrial) -> Outcome:
    """As the engine does it: trace on one batch, replay on the next."""
    judged = _vmapped(trial)
    for interface in judged:
        stack = trial.replicas(interface)
        objective = trial.objective(stack, interface)
        try:
            replayed, noise = stacked_gradients(objective), trial.noise()
            for company in (COMPANY, OTHER_COMPANY):
                batch = trial.batches(interface, company)
                losses = replayed(stack.parameters, copied(stack.buffers), batch, noise)[1]
                expected = over_replicas(objective)(
                    stack.parameters, copied(stack.buffers), batch, noise
                )
                if not close(losses, expected):
                    return "a recorded step gives other losses than a call"
        except Exception as error:
            return f"recording: {raised(error)}"
    return None if judged else _looped()


@law(
    "gradients-reach-every-parameter",
    "Every parameter has a finite gradient that is not always zero.",
    "use the parameter in forward, without .detach() and torch.no_grad(); or freeze it with "
    "requires_grad_(False).",
    needs=("vmaps-or-loops",),
)
def gradients_reach_every_parameter(trial: ModelTrial) -> Outcome:
    """At initialization and nearby, over all losses and a few batches."""
    for interface in trial.interfaces:
        reached: set[str] = set()
        for stack in (trial.replicas(interface), trial.stirred(interface)):
            for loss in interface.output.losses().values():
                weights = replica(stack.parameters, 0)
                parameters = {n: p.clone().requires_grad_() for n, p in weights.items()}
                for seed in COMPANY:
                    batch = trial.batch(interface, seed)
                    with torch.enable_grad():
                        buffers = copied(replica(stack.buffers, 0))
                        output = stack.forward(parameters, buffers, batch.x, training=True)
                        found = torch.autograd.grad(
                            loss(output, batch),
                            list(parameters.values()),
                            materialize_grads=True,
                        )
                    gradients = dict(zip(parameters, found, strict=True))
                    reached |= {n for n, g in gradients.items() if g.any() and g.isfinite().all()}
        missed = [name for name in parameters if name not in reached]
        if missed:
            return f"the gradient of {', '.join(missed)} is zero or not finite every time"
    return None


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


def _vmapped(trial: ModelTrial) -> list[Interface]:
    return [i for i in trial.interfaces if trial.loop_reason(i) is None]


def _looped() -> NotApplicable:
    return NotApplicable("its replicas are looped")


STACKING_LAWS: tuple[Law[ModelTrial], ...] = (
    vmaps_or_loops,
    vmapped_equals_looped,
    replica_independence,
    traced_equals_called,
    gradients_reach_every_parameter,
    recipe_fits,
)
