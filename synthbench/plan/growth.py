"""What may grow of a cell without changing what was measured of its replicas.

All functions take a plan as JSON values (`Cell.plan`, `Record.plan`), also one of an earlier time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthbench.hashing import content_hash
from synthbench.plan.sources import SOURCES

STEADY_SCHEDULES = ("constant", "inverse-sqrt")
"""Learning rates that do not depend on where the budget ends."""
STOPPING = ("hold", "until", "resolution")
"""Fields of a protocol that decide when a replica is looked at and stops, not what is seen."""
TARGETS = ("target", "target_score")
"""Fields of a task that decide what counts as solved."""
Plan = Mapping[str, Any]


def configuration_hash(plan: Plan) -> str:
    """Equal for plans that differ in replicas, budget and resolution alone.

    A budget counts where the training depends on it, the number of replicas where it decides
    their seeds (a crossed design) or the cell stands on others.
    """
    return content_hash(_less_protocol(plan, [*_counts(plan), *_budget(plan), "resolution"]))


def mergeable_hash(plan: Plan) -> str:
    """Equal for plans that differ in what may grow, and in the first seed where that is free."""
    free = [*_counts(plan), *_budget(plan), "resolution"]
    return content_hash(_less_protocol(plan, [*free, "first_seed"] if "seeds" in free else free))


def holds(plan: Plan, other: Plan) -> bool:
    """Whether a plan has all that another of the same configuration asks for.

    As many replicas or more, watched as long or longer, looked at as often or more often.
    """
    own, asked = plan["protocol"], other["protocol"]
    enough = own["seeds"] >= asked["seeds"] and own["budget"] >= asked["budget"]
    return bool(enough and own["resolution"] <= asked["resolution"])


def seedless_hash(plan: Plan) -> str:
    """Equal for plans that differ in the number of replicas alone."""
    return content_hash(_less_protocol(plan, _counts(plan)))


def replica_hash(plan: Plan) -> str:
    """Equal for plans in which replicas of equal seeds have the same scores at a step.

    They may differ in how many there are, in the budget, in the target, and in when replicas are
    looked at and stop.
    """
    left_out = [*_counts(plan), *_budget(plan), *STOPPING]
    if not _stands(plan):
        left_out += ["first_seed", "initializations", "seeds"]
    shared = _less_protocol(plan, left_out)
    return content_hash({**shared, "task": _without(shared["task"], TARGETS)})


def depends_on_budget(plan: Plan) -> bool:
    """Whether a replica's first steps would be others with another budget."""
    schedule = plan["model"]["recipe"].get("schedule", "constant")
    taught_at = plan["teacher"]["at"] if "teacher" in plan else []
    in_turn = isinstance(taught_at, list) and len(taught_at) > 1
    return schedule not in STEADY_SCHEDULES or in_turn


def _counts(plan: Plan) -> list[str]:
    crossed = plan["protocol"].get("initializations") is not None
    return [] if crossed or _stands(plan) else ["seeds"]


def _budget(plan: Plan) -> list[str]:
    return [] if depends_on_budget(plan) or _stands(plan) else ["budget"]


def _stands(plan: Plan) -> bool:
    return any(name in plan for name in SOURCES)


def _less_protocol(plan: Plan, names: Sequence[str]) -> dict[str, Any]:
    return {**plan, "protocol": _without(plan["protocol"], names)}


def _without(values: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}
