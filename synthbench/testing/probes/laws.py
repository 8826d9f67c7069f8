"""Laws of probes."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from synthbench.engine.generators import GlobalRandomState, seed_everything
from synthbench.testing.examination import raised
from synthbench.testing.law import Law, Outcome, law
from synthbench.testing.probes.trial import COMPANY, ProbeTrial
from synthbench.testing.workbench.comparison import close, copied, replica, same_bits
from synthbench.testing.workbench.pretend_device import misplaced, moved

OTHER_COMPANY = (7, 1, 5)
"""Seed 1 has the same place in both."""
PLACES = ("parameters", "initial", "buffers", "world", "batch", "rng's key")


@law(
    "measures",
    "measure returns numbers by name for one replica: {'norm': tensor(0.5)}; or curves (m,).",
    "return a dict of tensors without axes, or with one where the value is a curve over m places; "
    "reduce what has more (mean, norm).",
)
def measures(trial: ProbeTrial) -> Outcome:
    """One replica at initialization."""
    try:
        values = trial.one(trial.untrained())
    except Exception as error:
        return f'on "{trial.task.label()}" with "{trial.model.label()}" {raised(error)}'
    trial.facts["measured"] = f'"{trial.model.label()}" on "{trial.task.label()}"'
    if not isinstance(values, Mapping) or not values:
        return f"it returned {type(values).__name__}" if values else "it returned nothing"
    for name, value in values.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            return f"{name!r} is {type(value).__name__}, not a tensor"
        if value.dim() > 1:
            return f"{name} has shape {tuple(value.shape)}, neither () nor (m,)"
        if value.is_complex():
            return f"{name} is complex; its parts need a name each"
    return None


@law(
    "no-global-random-state",
    "All randomness comes from view.rng: the global generators are neither drawn from nor seeded.",
    "draw from view.rng, or take fresh samples from view.sample(size).",
    needs=("measures",),
)
def no_global_random_state(trial: ProbeTrial) -> Outcome:
    """Whether the generators move."""
    for seed in (1, 2):
        seed_everything(seed)
        before = GlobalRandomState.now()
        trial.one(trial.untrained())
        if before.moved():
            return f"the global generator of {' and '.join(before.moved())} was used"
    return None


@law(
    "same-view-same-numbers",
    "The same view gives the same numbers, to the bit.",
    "keep nothing from one call to the next: what changed since the start is in view.initial.",
    needs=("no-global-random-state",),
)
def same_view_same_numbers(trial: ProbeTrial) -> Outcome:
    """Twice, another replica in between."""
    first = trial.one(trial.untrained())
    trial.one(trial.untrained(), 1)
    second = trial.one(trial.untrained())
    wrong = [n for n in first if n not in second or not same_bits(first[n], second[n])]
    return f"{wrong[0]} is another number when it is measured again" if wrong else None


@law(
    "read-only",
    "It changes nothing that it is given: weights, world and batch are as before.",
    "work on new tensors: no in-place operations (those whose names end in _) and no indexed "
    "assignment on what the view holds.",
    needs=("measures",),
)
def read_only(trial: ProbeTrial) -> Outcome:
    """The view's tensors before and after, with and without training."""
    for watched in (trial.untrained(), trial.trained()):
        given = copied(replica(watched.tensors(), 0))
        before = copied(given)
        trial.measured(watched.module, *given)
        changed = [p for p, a, b in zip(PLACES, before, given, strict=True) if not same_bits(a, b)]
        if changed:
            return f"it wrote into the {changed[0]} of the view"
    return None


@law(
    "same-names",
    "The names are the same for every replica, at initialization and after training.",
    "name every value always; where it is undefined, return NaN.",
    needs=("measures",),
)
def same_names(trial: ProbeTrial) -> Outcome:
    """Three replicas, before and after some steps."""
    before, after = trial.each()
    expected = list(before[0])
    for values in (*before, *after):
        if list(values) != expected:
            return f"the names are {expected} first and {list(values)} later"
    return None


@law(
    "finite",
    "Its values are finite for finite weights; at initialization they may be NaN if they are "
    "undefined there for every replica, such as the direction of a movement.",
    "guard divisions by what may be zero and roots at zero.",
    needs=("same-names",),
)
def finite(trial: ProbeTrial) -> Outcome:
    """Three replicas, before and after some steps."""
    before, after = trial.each()
    for name in after[0]:
        at_start = torch.stack([values[name] for values in before])
        later = torch.stack([values[name] for values in after])
        if not bool(later.isfinite().all()):
            return f"{name} is {later.tolist()} after some training"
        if not bool(at_start.isfinite().all()):
            if not bool(at_start.isnan().all()):
                return f"{name} is {at_start.tolist()} at initialization"
            trial.facts[name] = "undefined at initialization"
    return None


@law(
    "vmaps",
    "measure works under torch.vmap, which adds the replica axis.",
    "use tensor operations only: no .item() or float(tensor), no Python `if` on a tensor's value, "
    "torch.where instead.",
    needs=("same-names", "no-global-random-state"),
)
def vmaps(trial: ProbeTrial) -> Outcome:
    """All replicas at once."""
    try:
        trial.together(trial.untrained())
    except Exception as error:
        return raised(error)
    return None


@law(
    "vmapped-equals-looped",
    "The values of stacked replicas are those of each alone.",
    "do not ask whether vmap is at work, and read nothing but the view.",
    needs=("vmaps", "same-view-same-numbers"),
)
def vmapped_equals_looped(trial: ProbeTrial) -> Outcome:
    """To rounding, after some training."""
    watched = trial.trained()
    together, alone = trial.together(watched), trial.together(watched, looped=True)
    wrong = [name for name in alone if not close(together[name], alone[name], 1e-3)]
    if not wrong:
        return None
    name = wrong[0]
    return f"{name} is {together[name].tolist()} vmapped, {alone[name].tolist()} looped"


@law(
    "replica-independence",
    "A replica's values do not depend on the replicas it is measured with.",
    "read nothing but the view, and share nothing between calls.",
    needs=("vmapped-equals-looped",),
)
def replica_independence(trial: ProbeTrial) -> Outcome:
    """Seed 1 in two companies of one size, to the bit."""
    first, second = (
        replica(dict(trial.together(trial.untrained(company))), 1)
        for company in (COMPANY, OTHER_COMPANY)
    )
    wrong = [name for name in first if not same_bits(first[name], second[name])]
    return f"{wrong[0]} of seed 1 changes with its company" if wrong else None


@law(
    "device-agnostic",
    "measure makes its tensors on the device of the view.",
    "give new tensors a device: torch.arange(n, device=view.batch.x.device).",
    needs=("measures",),
)
def device_agnostic(trial: ProbeTrial) -> Outcome:
    """With a view whose tensors claim to be on another device."""
    watched = trial.untrained()
    arguments = moved(replica(watched.tensors(), 0))
    wrong = misplaced(lambda: torch.no_grad()(trial.measured)(watched.module, *arguments))
    return f"on another device: {wrong}" if wrong else None


PROBE_LAWS: tuple[Law[ProbeTrial], ...] = (
    measures,
    no_global_random_state,
    same_view_same_numbers,
    read_only,
    same_names,
    finite,
    vmaps,
    vmapped_equals_looped,
    replica_independence,
    device_agnostic,
)
