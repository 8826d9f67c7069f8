"""What a task's references score on one of its test sets, in a few worlds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch, World
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.data.held_out import HeldOut
from synthbench.engine.data.sampling import as_batch
from synthbench.engine.training.score_totals import (
    Parts,
    ScoreTotals,
    aggregated,
    check_means,
    score_parts,
)

Check = Callable[[HeldOut, Batch, Mapping[str, Tensor]], None]
Group = list[tuple[dict[str, Parts], int]]
"""Parts of the references' scores, leaves (D, ...), and the size of their batch."""


@dataclass(frozen=True)
class ScoredSet:
    """References on one test set, in D worlds.

    groups: of batches that are scored together: single batches of a sampler, or all batches of a
    finite set.
    """

    held_out: HeldOut
    groups: Sequence[Group]

    @property
    def references(self) -> list[str]:
        """Names of the references, in their order."""
        return list(self.groups[0][0][0])

    @property
    def scores(self) -> list[str]:
        """Names of the scores, the first one first."""
        return list(self._reported(self.references[0], self.groups[0]))

    def of_groups(self, score: str) -> dict[str, Tensor]:
        """Reference -> what it scores in every world on every group: (D, groups)."""
        return {
            name: torch.stack([self._reported(name, group)[score] for group in self.groups], 1)
            for name in self.references
        }

    def of_all(self, reference: str, score: str) -> float:
        """What a reference scores on the examples of all worlds together."""
        pooled = [
            ({reference: _pooled(parts[reference])}, size)
            for group in self.groups
            for parts, size in group
        ]
        return float(self._reported(reference, pooled)[score])

    def _reported(self, reference: str, group: Group) -> dict[str, Tensor]:
        totals = ScoreTotals()
        for parts, size in group:
            totals.add(parts[reference], size)
        return aggregated(self.held_out.task, totals.means())


def _pooled(parts: Parts) -> Parts:
    """Parts of D worlds as those of one: (1, ...)."""
    return {
        name: part.double().mean(0, keepdim=True)
        if isinstance(part, Tensor)
        else (part[0].sum(0, keepdim=True), part[1].sum(0, keepdim=True))
        for name, part in parts.items()
    }


def reference_parts(
    held_out: HeldOut, worlds: World, batch: Batch, check: Check
) -> dict[str, Parts]:
    """Parts of every reference's scores on one batch of every world: leaves (D, ...).

    check: is shown the batch and the outputs of one world.
    """
    task = held_out.task

    def of_one(world: World, own: Batch) -> dict[str, Parts]:
        own = as_batch(own)
        outputs = held_out.references(world, own)
        check(held_out, own, outputs)
        scores = {name: task.score(out, own) for name, out in outputs.items()}
        for scored in scores.values():
            check_means(scored)
        return {name: score_parts(scored) for name, scored in scores.items()}

    return over_replicas(of_one)(worlds, batch)
