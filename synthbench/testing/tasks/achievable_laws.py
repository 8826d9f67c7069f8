"""The law that a network could say what the optimum says."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch
from synthbench.engine.data.sampling import as_batch
from synthbench.testing.law import Law, NotApplicable, Outcome, law
from synthbench.testing.tasks.reference_laws import causal_length
from synthbench.testing.tasks.trial import TaskTrial
from synthbench.testing.workbench.comparison import close

LONGEST_PREFIX = 12
"""Positions at which sequences with equal beginnings are looked for."""
FEWEST_TWINS = 8
"""Examples that share what they show, without which nothing is said about a position."""
HISTORY = 4
"""First positions that may depend on what came before the sequence."""
BATCHES = 4


@dataclass(frozen=True)
class Sight:
    """What the optimum says on many examples of one world.

    x: (N, ...). optimal: its output. swapped: the same with the latents of other examples.
    """

    batch: Batch
    optimal: Tensor
    swapped: Tensor


@law(
    "optimal-is-achievable",
    "Two examples that show a model the same get the same optimal output.",
    "let optimal use the world and batch.x alone, and average over what they leave open; what "
    "reads batch.latents may be a reference of another name, which the task may call its ceiling.",
    needs=("references-are-causal",),
)
def optimal_is_achievable(trial: TaskTrial) -> Outcome:
    """Examples of equal x; of equal beginnings where positions are predicted one by one.

    Judged where latents make a difference to the optimum: what it says from x alone, a model
    could say too.
    """
    if trial.subject.ceiling != "optimal":
        return NotApplicable(f'its ceiling is "{trial.subject.ceiling}", not the optimum')
    sight = _sight(trial)
    if close(sight.swapped, sight.optimal):
        return None
    length = causal_length(trial.sets[0].interface)
    if length is None:
        return _verdict(trial, {"x": _agree(sight.batch.x, sight.optimal)})
    reads = [t for t in range(length) if _matters(trial, sight, t)]
    if not reads:
        return None
    if max(reads) < HISTORY:
        trial.facts["optimal reads latents"] = f"at the first {max(reads) + 1} positions alone"
        return None
    return _verdict(
        trial,
        {
            f"the first {t + 1} positions": _agree(
                sight.batch.x[:, : t + 1], sight.optimal[:, t : t + 1]
            )
            for t in reads
            if t < LONGEST_PREFIX
        },
    )


def _verdict(trial: TaskTrial, judged: dict[str, bool | None]) -> Outcome:
    """Broken wherever twins disagree; a fact where latents are read."""
    for what, verdict in judged.items():
        if verdict is False:
            return f"examples of equal {what} have different optimal outputs"
    trial.facts["optimal reads latents"] = "see that they follow from x and the world"
    if any(judged.values()):
        return None
    return NotApplicable("no two of its examples are equal in x")


def _sight(trial: TaskTrial) -> Sight:
    """Several batches of the first test set, joined, in the world of seed 0."""
    drawn = [trial.held_out(0, seed, trial.large) for seed in range(BATCHES)]
    batch = as_batch(tree_map(lambda *leaves: torch.cat(leaves), *drawn))
    optimal = trial.sets[0].references(trial.world(), batch)["optimal"]
    if not batch.latents:
        return Sight(batch, optimal, optimal)
    latents = {name: leaf.roll(1, 0) for name, leaf in batch.latents.items()}
    swapped = trial.sets[0].references(trial.world(), batch._replace(latents=latents))["optimal"]
    return Sight(batch, optimal, swapped)


def _matters(trial: TaskTrial, sight: Sight, t: int) -> bool:
    """Whether latents change the output at a position, and the score asks for that position."""
    own, other = sight.optimal[:, t], sight.swapped[:, t]
    if close(own, other):
        return False
    changed = sight.optimal.clone()
    changed[:, t] = other
    outputs, batches = torch.stack([sight.optimal, changed]), _twice(sight.batch)
    first, second = trial.ranked(outputs, batches).tolist()
    return bool(first != second)


def _twice(batch: Batch) -> Batch:
    return as_batch(tree_map(lambda leaf: torch.stack([leaf, leaf]), batch))


def _agree(shown: Tensor, output: Tensor) -> bool | None:
    """Whether rows that are equal in `shown` are in `output`; None if too few are equal."""
    _, group = torch.unique(shown.reshape(shown.shape[0], -1), dim=0, return_inverse=True)
    count = int(group.max()) + 1
    first = torch.full((count,), shown.shape[0]).scatter_reduce(
        0, group, torch.arange(shown.shape[0]), "amin"
    )
    twins = first[group] != torch.arange(shown.shape[0])
    if int(twins.sum()) < FEWEST_TWINS:
        return None
    return close(output[twins], output[first[group]][twins])


ACHIEVABLE_LAWS: tuple[Law[TaskTrial], ...] = (optimal_is_achievable,)
