"""Which replicas of cells that share a stack go on, and from where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from synthbench.engine.training.training_state import Continuation
from synthbench.evaluation.begun_replicas import BegunReplicas
from synthbench.evaluation.partial_run import PartialRun
from synthbench.evaluation.shared_block import Member, SharedBlock


@dataclass(frozen=True)
class BegunMembers:
    """Those that do not begin at the first step, and where each lies among what is kept."""

    _kept: Mapping[Member, tuple[BegunReplicas, int]]

    @classmethod
    def of(cls, partials: Sequence[PartialRun]) -> BegunMembers:
        """What the unfinished runs of the cells hold."""
        return cls(
            {
                (place, number): (begun, row)
                for place, partial in enumerate(partials)
                for begun in partial.begun()
                for row, number in enumerate(begun.numbers)
            }
        )

    def groups(self, members: Sequence[Member]) -> list[list[Member]]:
        """Some members, by the step at which they stand; a block trains those of one step."""
        found: dict[int, list[Member]] = {}
        for member in members:
            found.setdefault(self._step(member), []).append(member)
        return list(found.values())

    def continuation(self, block: SharedBlock) -> Continuation | None:
        """From where a block goes on; None where it begins."""
        members = block.members()
        if members[0] not in self._kept:
            return None
        padding = [members[-1]] * (block.whole.width - len(members))
        rows = [self._kept[member] for member in (*members, *padding)]
        parts = [begun.continuation.rows([row], [0]) for begun, row in rows]
        spent = sum(part.seconds for part in parts[: len(members)])
        return replace(Continuation.joined(parts), seconds=spent)

    def _step(self, member: Member) -> int:
        return self._kept[member][0].step if member in self._kept else 0
