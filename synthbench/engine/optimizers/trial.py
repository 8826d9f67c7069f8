"""What a plugin's optimizer needs, and whether its step can be vmapped: tried before training."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import torch

from synthbench.contracts.recipe import Optimizer, Recipe
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.state import State
from synthbench.engine.generators import GlobalRandomState, generators_restored
from synthbench.engine.optimizers.needs import VMAPPED, OptimizerNeeds
from synthbench.engine.optimizers.owners import Owners, Traits
from synthbench.engine.optimizers.step import NotVmappable
from synthbench.engine.optimizers.trial_steps import Shapes, Trial
from synthbench.errors import ModelError, explain

COMPANIES = ([4, 3, 2, 1, 0], [0, 1], [1, 2, 4])
"""Other blocks, in which the trial's replicas must do the same to the bit, on CPU."""
FEW = [0, 1]
"""Replicas that are enough where nothing is compared between companies."""
ROUNDING = 0.05
"""Largest relative difference to pass for rounding: iterations in bfloat16 differ by 0.02."""
ROUNDING_ON_CPU = 1e-4
"""The same where nothing has to be vmapped to be fast."""

HANDED = OptimizerNeeds("not tried yet")
WAYS = (
    HANDED,
    replace(HANDED, closure=True, evaluated=True),
    replace(HANDED, graph=True),
    replace(HANDED, closure=True, evaluated=True, graph=True),
)
"""How gradients are given to a step, in the order in which they are tried."""


def optimizer_needs(
    optimizer: Optimizer, recipe: Recipe, shapes: Shapes, kind: str, owners: Owners | None = None
) -> OptimizerNeeds:
    """What the optimizer needs of the training that steps it.

    kind: type of the device that trains. owners: parameters of some replicas, where they have a
    class or attributes that an optimizer may look at. A vmapped step must agree with the looped
    one within rounding and, where the device is the CPU, give a replica the same bits in any
    company. Raises ModelError when it does not even work looped.
    """
    return _needs(optimizer, recipe, shapes, kind, Traits.of(owners))


@lru_cache(maxsize=32)
def _needs(
    optimizer: Optimizer, recipe: Recipe, shapes: Shapes, kind: str, traits: Traits | None
) -> OptimizerNeeds:
    trial = Trial.drawn(optimizer, recipe, shapes, traits)
    with generators_restored():
        needs, alone = _looped(trial)
        if needs.own_gradients:
            trial = trial.of(FEW)
        needs = replace(needs, loop_reason=_loop_reason(trial, needs, alone, kind))
        through = alone if needs.loop_reason else trial.after(needs)
        return replace(needs, resumes=_resumes(trial, needs, through))


def _looped(trial: Trial) -> tuple[OptimizerNeeds, State]:
    """The first way of giving gradients that works, and the weights that it leads to.

    Of few replicas where each has its own gradients, which are not compared with vmapped ones.
    """
    failures = []
    for needs in WAYS:
        if trial.optimizer.graph and not needs.graph:
            continue
        tried = trial.of(FEW) if needs.own_gradients else trial
        before = GlobalRandomState.now()
        try:
            found = tried.after(needs)
        except ModelError as error:
            failures.append(error)
            continue
        if before.moved():
            needs = replace(needs, draws=True)
            found = tried.after(needs)
        if needs.closure and _calls_first(tried, needs, found):
            needs = replace(needs, evaluated=False)
        return needs, found
    # Where it asks for a closure, what it raised with one says more.
    raise failures["closure" in str(failures[0]) and len(failures) > 1]


def _calls_first(trial: Trial, needs: OptimizerNeeds, expected: State) -> bool:
    """Whether the step reads no gradient before it calls its closure."""
    try:
        return _same_bits(trial.after(replace(needs, evaluated=False)), expected)
    except ModelError:
        return False


def _loop_reason(trial: Trial, needs: OptimizerNeeds, alone: State, kind: str) -> str | None:
    """alone: the weights that the looped step leads to."""
    known = {
        "its class says so": trial.optimizer.looped,
        "its step draws random numbers": needs.draws,
        "its step evaluates the loss itself": needs.closure,
        "its step differentiates the gradients": needs.graph,
    }
    reasons = [reason for reason, holds in known.items() if holds]
    if reasons:
        return reasons[0]
    try:
        together = trial.after(VMAPPED)
        if not _agree(together, alone, trial.start, ROUNDING):
            return "its vmapped step does something else than its step"
        if kind == "cpu" and not _agree(together, alone, trial.start, ROUNDING_ON_CPU):
            return "its vmapped step rounds differently"
        for company in COMPANIES if kind == "cpu" else ():
            found = trial.of(company).after(VMAPPED)
            if not all(torch.equal(t, together[name][company]) for name, t in found.items()):
                return "its vmapped step gives a replica other bits in other company"
    except Exception as error:
        if is_out_of_memory(error):
            raise
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
        return str(cause) if isinstance(cause, NotVmappable) else explain(cause)
    return None


def _resumes(trial: Trial, needs: OptimizerNeeds, through: State) -> bool:
    """Whether it goes on from a checkpoint to the same bits.

    through: the weights that it leads to without one. Raises ModelError where it does not even
    do that when it is begun again.
    """
    try:
        if _same_bits(trial.after(needs, interrupted=True), through):
            return True
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return False
    if not _same_bits(trial.after(needs), through):
        raise ModelError(
            f'optimizer "{trial.optimizer.label()}" steps otherwise when it is built again; draw '
            "from torch's, NumPy's or Python's own generator, which is seeded for each replica, "
            "and keep state in the optimizer, not in a class or module"
        )
    return False


def _same_bits(found: State, expected: State) -> bool:
    return all(
        torch.equal(tensor.nan_to_num(7e7), expected[name].nan_to_num(7e7))
        for name, tensor in found.items()
    )


def _agree(found: State, expected: State, start: State, rounding: float) -> bool:
    """Whether every parameter moved by the same; rounding: relative to its movement."""
    for name, tensor in found.items():
        if not torch.equal(tensor.isnan(), expected[name].isnan()):
            return False
        moved = (expected[name] - start[name]).nan_to_num().norm()
        if (tensor - expected[name]).nan_to_num().norm() > rounding * moved + 1e-6:
            return False
    return True
