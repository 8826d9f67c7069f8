"""Lies about a submission: each is caught by the stage that its table names, or marked.

What a forger can make consistent is consistent: hashes are right, records follow from trajectories.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from synthbench.leaderboard.standings.entry import measure_submission
from synthbench.leaderboard.standings.placing import place
from synthbench.leaderboard.submissions.evidence import label_of
from synthbench.leaderboard.submissions.expected import expected_cells
from synthbench.leaderboard.submissions.packing import Wording, pack
from synthbench.leaderboard.submissions.reading import read_submission
from synthbench.leaderboard.verification import verify
from synthbench.leaderboard.verification.verify import Verification, verify_submission
from synthbench.listeners.listener import Silent
from synthbench.plan.suite import Suite
from synthbench.results.results import read_cells
from tests.leaderboard.fresh import write_fresh
from tests.leaderboard.lies import forgeries
from tests.leaderboard.site.boards import SUITE as LADDER
from tests.leaderboard.submissions.attacks import (
    SMALL,
    edit_manifest,
    edit_record,
    edit_records,
    edit_table,
    make_tuned,
    read,
    record,
    refusal,
    set_at,
    trial,
)
from tests.leaderboard.synthetic import log_normal_times, make_submission
from tests.leaderboard.trained import SUITE_TEXT, train, write_suite

Lie = Callable[[Path], object]

CAUGHT_BY_READING: dict[str, tuple[Lie, str]] = {
    "an earlier time": (record("replicas", 0, "samples_to_target", 32), "its trajectory says"),
    "a failure that solved it": (record("replicas", 2, "outcome", "solved"), "says not solved"),
    "a better median": (
        record("summary", "samples_to_target", "value", 32.0),
        "the trajectories give",
    ),
    "a better curve than the record": (
        partial(edit_table, change=lambda f: f.assign(accuracy=1.0, progress=1.0)),
        "its trajectory says",
    ),
    "progress without scores": (
        partial(edit_table, change=lambda f: f.assign(progress=f.progress + 0.1)),
        "does not follow from its score",
    ),
    "an optimum that is easier": (
        record("replicas", 0, "references", "optimal", "accuracy", 0.8),
        "does not follow from its score",
    ),
    "cheaper samples": (
        partial(edit_table, change=lambda f: f.assign(flops=f.flops // 2)),
        "flops are not steps times",
    ),
    "fewer samples a step": (
        partial(edit_table, change=lambda f: f.assign(samples=f.samples // 2)),
        "samples are not steps times",
    ),
    "other seeds": (record("replicas", 1, "seeds", "world", 77), "with the suite's seeds"),
    "without the failure": (forgeries.without_the_failure, "2 replicas, the suite says 3"),
    "a longer budget": (
        partial(edit_records, change=set_at("plan", "protocol", "budget", 10**6)),
        "plan: protocol.budget is 1000000, the suite says",
    ),
    "an easier task": (
        partial(edit_records, change=set_at("plan", "task", "n", 4)),
        "plan: task.n is 4, the suite says 10",
    ),
    "an easier target": (
        partial(edit_records, change=set_at("plan", "task", "target", 0.5)),
        "plan: task.target is 0.5",
    ),
    "a shorter hold": (
        partial(edit_records, change=set_at("plan", "protocol", "hold", 1)),
        "plan: protocol.hold is 1",
    ),
    "a plateau left out": (forgeries.unseen_plateau, "not measured at the protocol's points"),
    "a wide network called narrow": (forgeries.other_label, "the plan says 'mlp width=512'"),
    "weights of another": (record("sources", {"start": "0" * 64}), "stands on another cell"),
    "two machines": (
        lambda f: edit_record(
            f,
            lambda r: r.update(
                earlier=[
                    {
                        "replicas": [1],
                        "created": r["created"],
                        "environment": r["environment"],
                    }
                ]
            ),
        ),
        "were trained elsewhere than the rest",
    ),
    "no time at all": (record("compute", "wall_seconds", -1.0), "is no cost"),
    "steps that were not counted": (record("compute", "replica_steps", 1), "the trajectories have"),
    "a suite that was changed": (record("suite", "hash", "0" * 64), "has another hash"),
    "tuned on the ranked seeds": (
        partial(make_tuned, trials=[trial(first_seed=0)]),
        "are the leaderboard's own",
    ),
    "more trials than allowed": (
        partial(make_tuned, trials=[trial()] * 3),
        "3 configurations were tried",
    ),
    "never tried": (partial(make_tuned, trials=[trial(model="mlp")]), "is not among its trials"),
    "a choice for nothing": (forgeries.free_trial, "has cost 0 samples and 0 FLOPs"),
    "fresh seeds that were chosen": (
        forgeries.chosen_fresh_seeds,
        "first_seed is not what its beacon",
    ),
    "fresh seeds of another": (forgeries.fresh_of_another, "it is of another submission"),
    "a beacon that was known": (forgeries.known_beacon, "it must be younger"),
    "fresh times that cannot be": (
        forgeries.impossible_fresh_times,
        "nothing is measured after 33",
    ),
}
MARKED_ALONE: dict[str, tuple[Lie, str]] = {
    "a model that nobody has": (forgeries.foreign_model, 'no plugin installed here provides "for'),
    "rivals for nothing": (forgeries.free_rivals, "1 of its trials have cost nothing"),
    "a cheaper trial": (forgeries.cheap_trial, "FLOPs in its trial"),
    "a worse choice": (forgeries.worse_choice, "in its own trials 'mlp' took 500 samples"),
}
CAUGHT_BY_A_RERUN: dict[str, tuple[Lie, str]] = {
    "all curves earlier": (forgeries.earlier, "replica"),
    "the curves of another replica": (forgeries.swapped_replicas, "replica"),
    "the best replica in every place": (forgeries.best_replica_thrice, "replica"),
    "a better loss": (forgeries.better_loss, "replica"),
    "a better training loss": (forgeries.better_train_loss, "replica"),
    "a calmer probe": (forgeries.calmer_probe, "replica"),
    "a worse trivial predictor": (forgeries.worse_trivial, "references of replica"),
    "data of other seeds": (forgeries.data_of_others, "are not those of its seeds"),
    "fewer FLOPs": (forgeries.fewer_flops(0.9905), "step_flops is recorded as"),
    "fewer parameters": (record("compute", "parameters", 100), "parameters is recorded as 100"),
    "a smaller state": (record("compute", "state_size", 3), "state_size is recorded as 3"),
}
CLAIMS: dict[str, tuple[Lie, str]] = {
    "an hour in a second": (record("compute", "wall_seconds", 0.001), "compute.wall_seconds"),
    "another machine": (record("environment", "device_name", "abacus"), "environment.device_name"),
    "last year": (record("created", "2025-01-01T00:00:00"), "record.created"),
    "somebody else's": (
        partial(edit_manifest, change=set_at("authors", ["Ada Lovelace"])),
        "submission.authors",
    ),
}


def test_there_are_enough_of_them() -> None:
    tables = (CAUGHT_BY_READING, MARKED_ALONE, CAUGHT_BY_A_RERUN, CLAIMS)
    assert sum(map(len, tables)) + 5 >= 50


@pytest.mark.parametrize("name", CAUGHT_BY_READING)
def test_reading_refuses(name: str, small: Path) -> None:
    lie, reason = CAUGHT_BY_READING[name]
    lie(small)
    assert reason in refusal(small, SMALL)


@pytest.mark.parametrize("name", MARKED_ALONE)
def test_a_board_marks(name: str, small: Path) -> None:
    lie, reason = MARKED_ALONE[name]
    lie(small)
    (entry,) = place(SMALL, [measure_submission(read(small, SMALL), SMALL)]).entries
    assert any(reason in mark.text for mark in entry.marks), entry.marks


@pytest.mark.parametrize("name", CLAIMS)
def test_what_nothing_can_contradict_is_shown_as_submitted(name: str, small: Path) -> None:
    lie, field = CLAIMS[name]
    lie(small)
    read(small, SMALL)
    assert label_of(field) == "as submitted"


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An honest entry of the reference model."""
    folder = tmp_path_factory.mktemp("ladder")
    return make_submission(LADDER, folder, "honest", log_normal_times(LADDER, 0.4, 0)).folder


def board_of(*folders: Path, suite: Suite = LADDER):
    expected = expected_cells(suite)
    found = [measure_submission(read_submission(f, suite, expected), suite) for f in folders]
    return place(suite, found)


def fresh_copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "honest"))


def test_a_copy_under_another_models_name_is_marked(ladder: Path, tmp_path: Path) -> None:
    honest = fresh_copy(ladder, tmp_path)
    board = board_of(honest, forgeries.renamed_copy(honest, "ours", "mlp width=17"))
    assert 'has the times of "honest", another model' in board.entry("ours").marks[0].text


def test_a_copy_under_another_name_is_marked(ladder: Path, tmp_path: Path) -> None:
    honest = fresh_copy(ladder, tmp_path)
    board = board_of(honest, forgeries.renamed_copy(honest, "ours", "mlp width=16"))
    assert 'has the times of "honest", the same model' in board.entry("ours").marks[0].text


def test_invented_times_of_the_reference_model_are_no_base(ladder: Path, tmp_path: Path) -> None:
    honest = fresh_copy(ladder, tmp_path)
    slow = np.full((len(LADDER.cells), LADDER.seeds), 25_000.0)
    invented = make_submission(LADDER, tmp_path / "other", "aaa", slow).folder
    digest = measure_submission(
        read_submission(honest, LADDER, expected_cells(LADDER)), LADDER
    ).digest
    suite = LADDER.model_copy(update={"reference_entry": digest})
    board = board_of(invented, honest, suite=suite)
    assert [e.submission.name for e in board.entries if e.is_reference] == ["honest"]
    (mark,) = board.entry("aaa").marks
    assert mark.kind == "contradiction" and board.entry("honest").marks == ()


def test_a_recipe_that_was_chosen_on_the_ranked_seeds_is_marked(
    ladder: Path, tmp_path: Path
) -> None:
    honest = fresh_copy(ladder, tmp_path)
    late = [[25_600 - 25_600 % 32] * 12, [51_200 - 51_200 % 32] * 12]
    write_fresh(honest, LADDER, late)
    (mark,) = board_of(honest).entry("honest").marks
    assert mark.kind == "fresh" and "does not hold on others" in mark.text


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Suite, Path]:
    """A submission to one small cell that was really trained."""
    home = tmp_path_factory.mktemp("trained")
    text = SUITE_TEXT.rpartition("[[cells]]")[0].replace("12_800", "6_400")
    suite = write_suite(home / "tiny", text)
    cells = read_cells(train(suite, home / "runs", "mlp width=16"))
    wording = Wording("honest", "Honest", ("Ada Lovelace",))
    return suite, pack(cells, suite, wording, "fixed-recipe", [], home / "boards").folder


@pytest.fixture(scope="module")
def reruns() -> dict:
    """Of the honest model: what every lie is held against is trained once."""
    return {}


def failures(folder: Path, suite: Suite, reruns: dict, monkeypatch) -> list[str]:
    rerun = verify.rerun_replicas

    def kept(cell, replicas, accelerator, listener, record, nudge=None):
        key = (tuple(replicas), nudge)
        if key not in reruns:
            reruns[key] = rerun(cell, replicas, accelerator, listener, record, nudge)
        return reruns[key]

    monkeypatch.setattr(verify, "rerun_replicas", kept)
    checked = read_submission(folder, suite, expected_cells(suite))
    verdicts = verify_submission(checked, suite, Verification(1.0, 0, "cpu"), Silent())
    return [line for verdict in verdicts for line in verdict.agreement.failures]


@pytest.mark.parametrize("name", [None, *CAUGHT_BY_A_RERUN])
def test_a_rerun_catches(
    name: str | None, trained: tuple[Suite, Path], reruns: dict, tmp_path: Path, monkeypatch
) -> None:
    suite, honest = trained
    folder = fresh_copy(honest, tmp_path)
    if name is None:
        assert failures(folder, suite, reruns, monkeypatch) == []
        return
    lie, reason = CAUGHT_BY_A_RERUN[name]
    lie(folder)
    found = failures(folder, suite, reruns, monkeypatch)
    assert any(reason in line for line in found), found
