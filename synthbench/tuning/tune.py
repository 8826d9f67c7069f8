"""Tune models: try configurations on tuning seeds, several searches at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from synthbench.errors import OutputError
from synthbench.evaluation.evaluate import evaluate_each
from synthbench.evaluation.failures import TrialsFailedError, reason
from synthbench.evaluation.planning import resolve_model
from synthbench.evaluation.settings import Settings
from synthbench.plan.cell import Cell
from synthbench.plan.space import Space
from synthbench.records.atomic import make_folder
from synthbench.tuning.edges import Side, edges
from synthbench.tuning.plan import TunedTask, TuningPlan
from synthbench.tuning.proposals import Proposal, Proposer
from synthbench.tuning.record import (
    TRIALS,
    TUNING_FILE,
    FailedTrialRecord,
    Question,
    SearchRecord,
    TrialRecord,
    TuningRecord,
    read_tuning,
    write_tuning,
)
from synthbench.tuning.search import Outcome, T, Training, search
from synthbench.tuning.standing import ranked
from synthbench.tuning.trial import Trial


@dataclass(frozen=True)
class Search:
    """The finished search for the best configuration of one model on one task.

    model: the search space as it was typed. trials: in the order in which they were proposed, one
    at least. failed: those that could not be trained.
    """

    tuned: TunedTask
    model: str
    space: Space
    trials: tuple[Trial, ...]
    failed: tuple[Trial, ...] = ()

    @property
    def tried(self) -> tuple[Trial, ...]:
        """Those that could be trained, then those that could not."""
        return *self.trials, *self.failed

    @property
    def best(self) -> Trial:
        """The trial that was chosen."""
        return self.ranking[0]

    @property
    def ranking(self) -> list[Trial]:
        """The trials, the best first."""
        return [self.trials[place] for place in ranked([trial.known for trial in self.trials])]

    @property
    def edges(self) -> dict[str, Side]:
        """The fields in which the best one lies at an edge of the search space."""
        tried = [trial.proposal.fields for trial in self.tried]
        return edges(self.space, self.best.proposal.fields, tried)


def tune(
    plan: TuningPlan,
    trials: int,
    out: Path,
    settings: Settings,
    before: Callable[[Sequence[Cell]], None] = lambda cells: None,
) -> list[Search]:
    """Search every model's space on every task; their records go to `out/trials`.

    trials: configurations for each model on each task. before: told of what is to be trained
    together next, with the budgets to which it goes. For each task, every model. What is in the
    folder is not trained again, so a run that was interrupted goes on, and one with more
    trials adds to those there. A trial that fails is out, and keeps no other from being trained;
    where a search has no other, that raises TrialsFailedError once all searches have ended. Raises
    OutputError for a folder that holds another tuning, and a SynthbenchError with one clear line
    for anything else that the caller can mend.
    """
    spaces = plan.spaces
    asked = [(tuned, place) for tuned in plan.tasks for place in range(len(spaces))]
    searches = [
        _search(tuned, Proposer(spaces[place], plan.sampler, plan.sampler_seed), trials)
        for tuned, place in asked
    ]
    make_folder(out)
    refuse_another_tuning(out, plan.question)
    write_tuning(out, TuningRecord(question=plan.question))
    plain = replace(settings, pictures=False, keep_state=True)

    def train(cells: Sequence[Cell]) -> list[Outcome]:
        before(cells)
        results, failed = evaluate_each(cells, out / TRIALS, plain)
        measured = iter(results.measured)
        hashes = [cell.plan_hash() for cell in cells]
        return [failed[name] if name in failed else next(measured) for name in hashes]

    found = trained_together(searches, train)
    if not all(any(trial.error is None for trial in own) for own in found):
        raise trials_failed([trial for own in found for trial in own])
    done = [
        Search(
            tuned,
            plan.models[place],
            spaces[place],
            tuple(trial.charged() for trial in own if trial.error is None),
            tuple(trial for trial in own if trial.error is not None),
        )
        for (tuned, place), own in zip(asked, found, strict=True)
    ]
    records = tuple(_search_record(each, out) for each in done)
    write_tuning(out, TuningRecord(question=plan.question, searches=records))
    return done


def trained_together(
    searches: Sequence[Training[T]], train: Callable[[Sequence[Cell]], Sequence[Outcome]]
) -> list[T]:
    """Run searches side by side: what all of them want next is trained in one go.

    train: the outcome of each of some cells, which are all different.
    """
    found: dict[int, T] = {}
    answers: dict[int, Sequence[Outcome] | None] = dict.fromkeys(range(len(searches)))
    while answers:
        wanted: dict[int, list[Cell]] = {}
        for place, answer in answers.items():
            try:
                wanted[place] = _next(searches[place], answer)
            except StopIteration as ended:
                found[place] = ended.value
        # Two spaces may meet, and cells of a suite that differ in their budgets alone.
        distinct = {cell.plan_hash(): cell for cells in wanted.values() for cell in cells}
        outcomes = (
            dict(zip(distinct, train(list(distinct.values())), strict=True)) if distinct else {}
        )
        answers = {
            place: [outcomes[cell.plan_hash()] for cell in cells] for place, cells in wanted.items()
        }
    return [found[place] for place in range(len(searches))]


def trials_failed(trials: Sequence[Trial]) -> TrialsFailedError:
    """What to raise where some of these trials failed; each error is told once."""
    errors = {
        f'"{trial.cell.model.label()}" on "{trial.cell.task.label()}"': trial.error
        for trial in trials
        if trial.error is not None
    }
    finished = sum(trial.error is None for trial in trials)
    failed = TrialsFailedError(errors, finished)
    failed.__cause__ = next(iter(errors.values()))
    return failed


def refuse_another_tuning(folder: Path, question: Question) -> None:
    """Raise OutputError where a folder holds the trials of another question.

    More models may join those that are there.
    """
    if not (folder / TUNING_FILE).exists():
        return
    earlier = read_tuning(folder).question
    grown = earlier.model_copy(update={"models": question.models})
    if grown == question and set(earlier.models) <= set(question.models):
        return
    differing = [
        name
        for name in type(question).model_fields
        if getattr(earlier, name) != getattr(question, name)
    ]
    raise OutputError(
        f"{folder} holds another tuning, which differs in {', '.join(differing)}; choose another "
        "--out (leaderboard submit takes several folders of trials)"
    )


def _next(search: Training[T], answer: Sequence[Outcome] | None) -> list[Cell]:
    return next(search) if answer is None else search.send(answer)


def _search(tuned: TunedTask, proposer: Proposer, trials: int) -> Training[list[Trial]]:
    def make(proposal: Proposal) -> Cell:
        return Cell(tuned.task, resolve_model(proposal.reference), tuned.protocol)

    return search(proposer, make, trials)


def _search_record(done: Search, out: Path) -> SearchRecord:
    return SearchRecord(
        task=done.tuned.task.label(),
        cell=done.tuned.number,
        space=done.model,
        trials=tuple(_trial_record(trial, out) for trial in done.trials),
        ranking=tuple(trial.number for trial in done.ranking),
        edges=done.edges,
        failed=tuple(_failed_record(trial) for trial in done.failed),
    )


def _failed_record(trial: Trial) -> FailedTrialRecord:
    assert trial.error is not None
    return FailedTrialRecord(
        number=trial.number,
        model=trial.cell.model.label(),
        fields=dict(trial.proposal.fields),
        reason=reason(trial.error),
    )


def _trial_record(trial: Trial, out: Path) -> TrialRecord:
    known = trial.known
    return TrialRecord(
        number=trial.number,
        model=trial.cell.model.label(),
        fields=dict(trial.proposal.fields),
        budget=known.samples,
        stopped=not known.complete,
        replicas=known.replicas,
        solved=known.solved,
        diverged=known.diverged,
        samples_to_target=trial.samples_to_target,
        samples=trial.samples,
        flops=trial.flops,
        folder=trial.latest.folder.relative_to(out).as_posix(),
    )
