"""What a submission is marked with: allowed, and something that its reader should know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from synthbench.leaderboard.submissions.submission import Submission, TuningTrial
from synthbench.metrics.formatting import format_count
from synthbench.records.schema import Record
from synthbench.registry.kinds import MODEL, OPTIMIZER
from synthbench.registry.participants import uninstalled
from synthbench.registry.registry import installed

CLEARLY = 1.05
"""A median beyond which a trial was slower than another: one evaluation point."""

Kind = Literal["model", "trials", "choice", "copy", "contradiction", "fresh"]


@dataclass(frozen=True)
class Mark:
    """One thing to know of an entry.

    kind: "model", nobody here could run it; "trials", they cost less than is possible; "choice",
    its trials say that another configuration was better; "copy", it has another's results;
    "contradiction", another entry of the same model and seeds has other results; "fresh", it does
    not hold on seeds that it could not know. text: one line with the reason.
    """

    kind: Kind
    text: str


def own_marks(submission: Submission, records: Sequence[Record]) -> tuple[Mark, ...]:
    """The marks of a submission by itself; records: one for each cell, checked."""
    return (*_unknown_parts(records), *_trial_marks(submission, records))


def _unknown_parts(records: Sequence[Record]) -> Iterator[Mark]:
    unknown = dict.fromkeys(name for record in records if (name := _unknown(record)) is not None)
    for name in unknown:
        yield Mark(
            "model",
            f'no plugin installed here provides "{name}": its network, its costs and its name are '
            "as submitted, and verify cannot train it",
        )


def _unknown(record: Record) -> str | None:
    optimizer = record.recipe.get("optimizer")
    if isinstance(optimizer, Mapping) and optimizer["name"] not in installed().names(OPTIMIZER):
        return str(optimizer["name"])
    return uninstalled(MODEL, record.model_plan)


def _trial_marks(submission: Submission, records: Sequence[Record]) -> Iterator[Mark]:
    for number, record in enumerate(records, start=1):
        trials = [trial for trial in submission.trials if trial.cell == number]
        free = sum(trial.samples == 0 or trial.flops == 0 for trial in trials)
        if free:
            yield Mark("trials", f"cell {number}: {free} of its trials have cost nothing")
        own = [trial for trial in trials if trial.model == record.model]
        for trial in own:
            if trial.flops * record.batch_size != trial.samples * record.compute.step_flops:
                yield Mark(
                    "trials",
                    f"cell {number}: a sample of the submitted model cost "
                    f"{format_count(trial.flops / max(trial.samples, 1))} FLOPs in its trial, "
                    f"{format_count(record.flops_per_sample)} in its record",
                )
        yield from _better_choice(number, own, trials)


def _better_choice(
    number: int, own: Sequence[TuningTrial], trials: Sequence[TuningTrial]
) -> Iterator[Mark]:
    """Where the trials' own outcomes, as far as they are known, favour another configuration."""
    known = [trial for trial in trials if trial.solved is not None]
    chosen = next((trial for trial in own if trial in known), None)
    if chosen is None:
        return
    seeds = chosen.first_seed, chosen.seeds
    rivals = [t for t in known if (t.first_seed, t.seeds) == seeds and t.samples_to_target]
    best = min(rivals, key=lambda trial: trial.samples_to_target or 0.0, default=None)
    if best is None or best.samples_to_target is None:
        return
    median = chosen.samples_to_target
    if median is None or median > CLEARLY * best.samples_to_target:
        took = "did not solve it" if median is None else f"took {format_count(median)}"
        yield Mark(
            "choice",
            f"cell {number}: in its own trials '{best.model}' took "
            f"{format_count(best.samples_to_target)} samples, the submitted "
            f"'{chosen.model}' {took}",
        )
