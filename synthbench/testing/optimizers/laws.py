"""Laws of optimizers."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from synthbench.engine.generators import GlobalRandomState, seed_everything
from synthbench.engine.optimizers.needs import LOOPED
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.engine.optimizers.trial_steps import advance, stored
from synthbench.errors import ModelError
from synthbench.testing.examination import raised
from synthbench.testing.law import Law, NotApplicable, Outcome, law
from synthbench.testing.optimizers.trial import (
    LEARNING_RATE,
    STEPS,
    Named,
    OptimizerTrial,
)
from synthbench.testing.workbench.comparison import same_bits

RATES = (1.0, 0.1, 0.01, 0.001)
DESCENT = 300
MANY = 50
"""Steps after which what is done now and then has been done."""


@law(
    "builds",
    "build gives torch optimizers that together hold every parameter exactly once.",
    "pass parameters.values() on, in one optimizer or split over several; what yours cannot take "
    "(biases, for one that needs matrices) goes to another, such as torch.optim.AdamW.",
)
def builds(trial: OptimizerTrial) -> Outcome:
    """Built over the stacked parameters of a small network, as training does."""
    try:
        ReplicaOptimizer(trial.subject, trial.recipe, trial.start(), LOOPED)
    except ModelError as error:
        return str(error)
    return None


@law(
    "steps",
    "The step works for matrices and vectors: vmapped over replicas or, slower, in a loop.",
    "make step() work under torch.no_grad, without a closure or with one; keep state in the "
    "optimizer, not in a class; for vmap, use tensor operations only: no .item(), no Python `if` "
    "on a tensor's value, no assignment to p.data.",
    needs=("builds",),
)
def steps(trial: OptimizerTrial) -> Outcome:
    """A few steps; whether they are vmapped is a fact, not a fault."""
    try:
        needs = trial.needs()
        trial.after(trial.start(), trial.gradients(steps=MANY))
    except ModelError as error:
        return str(error)
    reason = needs.loop_reason
    trial.facts["replicas"] = "vmapped" if reason is None else f"looped on CPU: {reason}"
    moved = trial.after(trial.start(), trial.gradients())
    wrong = [name for name, tensor in moved.items() if not bool(tensor.isfinite().all())]
    if wrong:
        return f"{wrong[0]} is not finite after {STEPS} steps at lr={LEARNING_RATE:g}"
    still = [name for name, tensor in trial.start().items() if torch.equal(tensor, moved[name])]
    return f"{still[0]} does not move in {STEPS} steps" if still else None


@law(
    "own-random-numbers",
    "What the step draws is the replica's own: the caller's generators neither matter nor move.",
    "draw in the first steps already, so that it is seen and seeded; or make the step "
    "deterministic.",
    needs=("steps",),
)
def own_random_numbers(trial: OptimizerTrial) -> Outcome:
    """Many steps, with two seeds of the global generators."""
    found = []
    for seed in (1, 2):
        seed_everything(seed)
        before = GlobalRandomState.now()
        found.append(trial.after(trial.start(), trial.gradients(steps=MANY)))
        if before.moved():
            return f"the global generator of {' and '.join(before.moved())} was used"
    return _differs(found[0], found[1], "with other seeds of the global generators")


@law(
    "replica-independence",
    "A replica's steps do not depend on the replicas it is trained with.",
    "build a new optimizer at every call of build, and share no tensor between the optimizers.",
    needs=("own-random-numbers",),
)
def replica_independence(trial: OptimizerTrial) -> Outcome:
    """Seed 1 in two companies of one size, and in a third of another, to the bit."""

    def of_seed_1(company: Sequence[int]) -> Named:
        found = trial.after(trial.start(company), trial.gradients(company))
        return {name: tensor[company.index(1)] for name, tensor in found.items()}

    alone = of_seed_1((0, 1))
    for company in ((9, 1), (3, 1, 7, 4)):
        seen = _differs(alone, of_seed_1(company), f"in the company of seeds {company}")
        if seen:
            return seen
    return None


@law(
    "follows-the-learning-rate",
    "The learning rate is recipe.lr, times the schedule: another rate gives other steps, and a "
    "rate of zero none.",
    "pass recipe.lr to the optimizers, and multiply everything that moves a parameter, weight "
    'decay too, by group["lr"] as it is at the time of the step.',
    needs=("steps",),
)
def follows_the_learning_rate(trial: OptimizerTrial) -> Outcome:
    """At rate zero, at half of the rate by the schedule, and with half of it in the recipe."""
    start, gradients = trial.start(), trial.gradients()
    still = trial.after(start, gradients, trial.decaying(), factor=0.0)
    moved = [name for name, tensor in start.items() if not torch.equal(tensor, still[name])]
    if moved:
        return f"{moved[0]} moves at a rate of zero"
    half = trial.recipe.model_copy(update={"lr": LEARNING_RATE / 2})
    full = trial.after(start, gradients)
    for name, tensor in trial.after(start, gradients, half).items():
        if torch.equal(tensor, full[name]):
            return f"{name} moves alike for lr={LEARNING_RATE / 2:g} and lr={LEARNING_RATE:g}"
    for name, tensor in trial.after(start, gradients, factor=0.5).items():
        if torch.equal(tensor, full[name]):
            return f"{name} moves alike when the schedule halves the rate"
    return None


@law(
    "follows-the-weight-decay",
    "The recipe's weight_decay changes the steps, or build refuses it.",
    "give recipe.weight_decay to the optimizers, or raise ValueError in build where it is above 0 "
    "and there is no such thing.",
    needs=("steps",),
)
def follows_the_weight_decay(trial: OptimizerTrial) -> Outcome:
    """With a weight decay of 0.1 and without; at least one parameter must notice."""
    decaying, start, gradients = trial.decaying(), trial.start(), trial.gradients()
    if decaying is None:
        return NotApplicable("build refuses weight decay")
    if _differs(
        trial.after(start, gradients), trial.after(start, gradients, decaying), "with decay"
    ):
        return None
    return "the steps are the same with weight_decay=0.1 and without"


@law(
    "zero-gradients-move-nothing",
    "Without weight decay, parameters whose gradient has always been zero stay where they are.",
    "guard divisions by a norm or a root (norm.clamp(min=1e-12)), and decay weights by "
    "recipe.weight_decay alone.",
    needs=("steps",),
)
def zero_gradients_move_nothing(trial: OptimizerTrial) -> Outcome:
    """A few steps with gradients of zero."""
    start = trial.start()
    nothing = [{name: torch.zeros_like(tensor) for name, tensor in start.items()}] * STEPS
    for name, tensor in trial.after(start, nothing).items():
        if not bool(tensor.isfinite().all()):
            return f"{name} is not finite after gradients of zero"
        if not torch.equal(tensor, start[name]):
            return f"{name} moves with gradients of zero and weight_decay=0"
    return None


@law(
    "checkpoint-continues",
    "Saved and loaded in the middle, it goes on to the same bits.",
    "keep tensors and numbers in self.state[p] and param_groups, which a checkpoint holds: not in "
    "attributes of the optimizer.",
    needs=("own-random-numbers",),
)
def checkpoint_continues(trial: OptimizerTrial) -> Outcome:
    """Through torch.save, as Lightning does it."""
    gradients, stacked = trial.gradients(), trial.start()
    through = trial.after(trial.start(), gradients)
    first = trial.stepper(stacked)
    advance(first, stacked, gradients[:3])
    try:
        state = stored(first)
        second = trial.stepper(stacked)
        second.load_state_dict(state)
    except Exception as error:
        return f"its state cannot be stored: {raised(error)}"
    advance(second, stacked, gradients[3:])
    return _differs(through, stacked, "after a checkpoint")


@law(
    "descends",
    "It minimizes a quadratic, for some learning rate from 0.001 to 1.",
    "check the sign of the update: a step goes against the gradient.",
    needs=("steps",),
)
def descends(trial: OptimizerTrial) -> Outcome:
    """|p - target|^2, to a tenth of what it was."""
    target, best = trial.start((3, 4)), float("inf")
    for rate in RATES:
        stacked = trial.start()
        stepper = trial.stepper(stacked, trial.recipe.model_copy(update={"lr": rate}))
        before = _distance(stacked, target)
        for _ in range(DESCENT):
            advance(stepper, stacked, [{n: p - target[n] for n, p in stacked.items()}])
        share = _distance(stacked, target) / before
        best = min(best, share if share == share else float("inf"))
        if best < 0.1:
            return None
    return f"in {DESCENT} steps the loss is at best {best:.3g} times what it was"


def _distance(stacked: Named, target: Named) -> float:
    return sum(float((p - target[name]).square().sum()) for name, p in stacked.items())


def _differs(expected: Named, found: Named, when: str) -> Outcome:
    wrong = [n for n, tensor in expected.items() if not same_bits(tensor, found[n])]
    return f"{wrong[0]} moves otherwise {when}" if wrong else None


OPTIMIZER_LAWS: tuple[Law[OptimizerTrial], ...] = (
    builds,
    steps,
    own_random_numbers,
    replica_independence,
    follows_the_learning_rate,
    follows_the_weight_decay,
    zero_gradients_move_nothing,
    checkpoint_continues,
    descends,
)
