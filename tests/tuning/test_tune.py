"""Tuning with real training: what is found, kept, charged and continued."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from synthbench.engine.training.block_training import TrainerOptions
from synthbench.errors import ModelError, OutputError, RecordError
from synthbench.evaluation.evaluate import evaluate_cells
from synthbench.evaluation.failures import TrialsFailedError
from synthbench.evaluation.settings import Settings
from synthbench.listeners.listener import Silent
from synthbench.plan.protocol import Protocol
from synthbench.results.results import read_results
from synthbench.tuning.plan import TuningPlan, on_tuning_seeds, tuned_on_tasks
from synthbench.tuning.record import (
    TRIALS,
    TUNING_FILE,
    Question,
    TunedOn,
    TuningRecord,
    read_tuning,
    write_tuning,
)
from synthbench.tuning.search import best_place
from synthbench.tuning.standing import standing_of
from synthbench.tuning.tune import tune
from tests.evaluation.failing import failing_where

QUIET = Settings(
    TrainerOptions("cpu"),
    replicas_per_block=64,
    compile="never",
    workers=0,
    listener=Silent(),
    pictures=False,
)
BUDGET = 9_600
CHANGES = {"budget": BUDGET, "seeds": 5, "evaluation_samples": 256}
SPACE = "mlp width=16 lr=log(0.02..0.3)"


def plan_of(*models: str, sampler: str = "quasi-random") -> TuningPlan:
    protocol = Protocol(**on_tuning_seeds(CHANGES))
    return TuningPlan(tuned_on_tasks(["sparse-parity n=10 k=2"], protocol), models, sampler)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory):
    """Four trials of one model, and the folder in which they are."""
    out = tmp_path_factory.mktemp("tuned") / "tune"
    (search,) = tune(plan_of(SPACE), 4, out, QUIET)
    return search, out


def copy_without(earlier: Path, out: Path, *folders: str) -> Path:
    """The trials of a tuning, less some, and no word of what was found; nothing else is trained."""
    shutil.copytree(earlier / TRIALS, out / TRIALS)
    for folder in folders:
        shutil.rmtree(out / folder)
    return out


def test_full_budgets_find_the_same_winner_and_the_same_median(tuned, tmp_path: Path) -> None:
    search, _ = tuned
    cells = [trial.cell for trial in search.trials]
    full = evaluate_cells(cells, tmp_path, QUIET).measured
    whole = [
        replace(trial, standing=standing_of(measured, BUDGET, whole=True))
        for trial, measured in zip(search.trials, full, strict=True)
    ]
    winner = best_place(whole)
    assert winner == best_place(search.trials)
    assert search.best.samples_to_target == full[winner].record.summary.samples_to_target
    # It took part of their cost, and some trials did not get far.
    spent = sum(each.record.compute.replica_steps * each.batch_size for each in full)
    assert sum(trial.samples for trial in search.trials) < spent
    assert min(trial.known.samples for trial in search.trials) < BUDGET


def test_every_trial_is_kept_and_charged_from_its_records(tuned) -> None:
    search, out = tuned
    (written,) = read_tuning(out).searches
    records = {
        str(cell.folder.relative_to(out)): cell.record
        for cell in read_results(out / TRIALS)
    }  # fmt: skip
    assert sorted(trial.folder for trial in written.trials) == sorted(records)
    for trial in written.trials:
        own = records[trial.folder]
        assert trial.samples == own.compute.replica_steps * own.batch_size
        assert trial.flops == own.compute.replica_steps * own.compute.step_flops
        assert own.model == trial.model and own.budget == trial.budget
    assert {record.protocol["first_seed"] for record in records.values()} == {1_000_000}
    best = written.trials[written.ranking[0] - 1]
    assert best.model == search.best.cell.model.label() and not best.stopped


def test_an_interrupted_tuning_ends_as_if_it_had_not_been(tuned, tmp_path: Path) -> None:
    class Stopping(Silent):
        """Interrupts the second evaluation of cells."""

        evaluations = 0

        def evaluation_planned(self, planned) -> None:
            self.evaluations += 1
            if self.evaluations == 2:
                raise KeyboardInterrupt

    _, out = tuned
    records = {
        str(each.folder.relative_to(out)): each.record for each in read_results(out / TRIALS)
    }
    first = min(record.budget for record in records.values())
    later = [folder for folder, record in records.items() if record.budget > first]
    assert later and len(later) < len(records)
    copy_without(out, tmp_path, *later)
    with pytest.raises(KeyboardInterrupt):
        tune(plan_of(SPACE), 4, tmp_path, replace(QUIET, listener=Stopping()))
    begun = read_tuning(tmp_path)
    assert begun.searches == ()
    tune(plan_of(SPACE), 4, tmp_path, QUIET)
    assert (tmp_path / TUNING_FILE).read_bytes() == (out / TUNING_FILE).read_bytes()


def test_more_trials_and_more_models_join_those_that_are_there(tuned, tmp_path: Path) -> None:
    search, earlier = tuned
    out = shutil.copytree(earlier, tmp_path / "tune")
    before = {path: path.stat().st_mtime_ns for path in (out / TRIALS).rglob("record.json")}
    other = "mlp width=16 optimizer=adam lr=[0.01,0.03]"
    grown, joined = tune(plan_of(SPACE, other), 5, out, QUIET)
    assert [t.proposal for t in grown.trials[:4]] == [t.proposal for t in search.trials]
    assert len(grown.trials) == 5 and len(joined.trials) == 2
    # Nothing that was there was trained again.
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_another_question_does_not_take_over_the_folder(tuned) -> None:
    _, out = tuned
    before = (out / TUNING_FILE).read_bytes()
    with pytest.raises(OutputError, match="another tuning, which differs in sampler; choose"):
        tune(plan_of(SPACE, sampler="random"), 4, out, QUIET)
    with pytest.raises(OutputError, match="differs in models"):
        tune(plan_of("mlp width=16"), 4, out, QUIET)
    assert (out / TUNING_FILE).read_bytes() == before


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / TUNING_FILE).write_text('{"schema_version": 1, "question": 7}')
    with pytest.raises(RecordError, match=r"tuning.json: question: .*; move it away"):
        read_tuning(tmp_path)
    task = TunedOn(task="sparse-parity", protocol={"seeds": 2})
    asked = Question(suite=None, tasks=(task,), models=("mlp",), sampler="random", sampler_seed=0)
    write_tuning(tmp_path, TuningRecord(question=asked))
    assert read_tuning(tmp_path).question == asked
    path = tmp_path / TUNING_FILE
    path.write_text(path.read_text().replace('"sampler_seed": 0', '"sampler_seed": 1'))
    with pytest.raises(RecordError, match=r"tuning.json was changed after it was written"):
        read_tuning(tmp_path)


def test_two_spaces_that_meet_share_their_trials(tmp_path: Path) -> None:
    found = tune(
        plan_of("mlp width=16 lr=[0.1,0.5]", "mlp width=16 lr=[0.5,1]"), 2, tmp_path, QUIET
    )
    shared = [t for s in found for t in s.trials if t.proposal.fields["lr"] == "0.5"]
    assert len(shared) == 2 and shared[0].latest.folder == shared[1].latest.folder


def test_a_trial_that_fails_ends_no_tuning_and_is_tried_again(tuned, tmp_path: Path) -> None:
    search, earlier = tuned
    bad = search.trials[1]
    label = bad.cell.model.label()
    own = [each.folder for each in read_results(earlier / TRIALS) if each.record.model == label]
    copy_without(earlier, tmp_path, *(str(folder.relative_to(earlier)) for folder in own))
    with failing_where(lambda cell: cell.model == bad.cell.model, lambda: ValueError("too large")):
        (found,) = tune(plan_of(SPACE), 4, tmp_path, QUIET)
    assert [t.number for t in found.trials] == [1, 3, 4]
    (failed,) = found.failed
    assert failed.proposal == bad.proposal and isinstance(failed.error, ValueError)
    (written,) = read_tuning(tmp_path).searches
    assert sorted(written.ranking) == [1, 3, 4]
    (reason,) = [each.reason for each in written.failed]
    assert written.failed[0].number == 2 and "too large" in reason
    # Mended, it takes its place, and nothing says any more that it failed.
    tune(plan_of(SPACE), 4, tmp_path, QUIET)
    assert (tmp_path / TUNING_FILE).read_bytes() == (earlier / TUNING_FILE).read_bytes()


def test_a_search_all_of_whose_trials_fail_names_each(tmp_path: Path) -> None:
    plan = plan_of("mlp width=16 lr=[0.1,0.2]", "mlp width=6")
    narrow = plan.spaces[1].points()[0]
    mistake = ModelError("make it wider")
    with failing_where(lambda cell: cell.model.label() == narrow, lambda: mistake):
        with pytest.raises(TrialsFailedError) as no:
            tune(plan, 2, tmp_path, QUIET)
    first, line, last = str(no.value).splitlines()
    assert first == "1 of 3 trials failed, the others are finished:"
    assert line == '  "mlp width=6" on "sparse-parity n=10 k=2": make it wider'
    assert last.startswith("mend that and run the same command again")
    assert read_tuning(tmp_path).searches == ()
