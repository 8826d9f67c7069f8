"""Results by another score than the ranked one: times, censoring, metrics, words, mistakes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthbench.errors import UnknownNameError
from synthbench.metrics.time_to_target import first_held
from synthbench.records.reading import read_record
from synthbench.results.results import CellResult, Results, read_results
from synthbench.results.scored_cell import scored_by
from tests.results.synthetic import BUDGET, FAR, Setting, make_cell, make_cells


def test_times_are_those_of_the_other_score(tmp_path: Path) -> None:
    whole = scored_by(make_cell(tmp_path / "a", Setting(until="budget")), FAR)
    raw = whole.own.trajectories
    for replica, time in enumerate(whole.metrics.reached.times):
        trivial, ceiling = whole.record.scale(FAR)[replica]
        above = (raw.by_replica(FAR)[replica] - trivial) / (ceiling - trivial) >= 0.96
        index = first_held(above, 2)
        assert time == raw.by_replica("samples")[replica][index]
    assert whole.record.summary.score == whole.trajectories.ranked == FAR
    assert whole.record.summary.samples_to_target.value == np.median(whole.metrics.reached.times)


def test_a_replica_that_stopped_is_censored_where_it_stopped(tmp_path: Path) -> None:
    cell = make_cell(tmp_path / "a")
    far = scored_by(cell, FAR)
    reached = far.metrics.reached
    last = [samples[-1] for samples in cell.trajectories.by_replica("samples")]
    assert not reached.solved.any() and reached.times.tolist() == last
    assert max(last) < BUDGET and cell.record.summary.solved == 8
    assert far.record.summary.solved == 0
    assert far.metrics.random_search is None, "its law is of one budget"
    assert far.metrics.transitions.completion.value is None


def test_one_that_diverged_or_was_never_solved_is_censored_at_the_budget(tmp_path: Path) -> None:
    cell = make_cell(tmp_path / "a", Setting(score=FAR, far=1.5))
    outcomes = ["diverged", "censored", *["solved"] * 6]
    replicas = [
        r.model_copy(update={"outcome": outcome})
        for r, outcome in zip(cell.record.replicas, outcomes, strict=True)
    ]
    cell = replace(cell, record=cell.record.model_copy(update={"replicas": tuple(replicas)}))
    near = scored_by(cell, "accuracy")
    assert near.context.ends()[:2].tolist() == [BUDGET, BUDGET]
    assert (near.context.ends()[2:] < BUDGET).all()
    assert near.metrics.reached.solved.all(), "the nearer set is learnt first"
    assert (near.metrics.reached.times < cell.metrics.reached.times).all()


def test_the_ranked_score_gives_the_cell_itself(tmp_path: Path) -> None:
    cell = make_cell(tmp_path / "a")
    assert scored_by(cell, "accuracy") is cell
    assert scored_by(scored_by(cell, FAR), "accuracy") is cell


def test_references_are_those_of_the_score(tmp_path: Path) -> None:
    cell = scored_by(make_cell(tmp_path / "a", Setting(ceiling="oracle", until="budget")), FAR)
    assert cell.context.references[0] == {"trivial": 0.5, "unigram": 0.6, "oracle": 0.9}
    assert list(cell.metrics.near) == ["trivial", "unigram", "oracle"]


def test_a_raw_target_is_that_of_its_score_on_every_test_set(tmp_path: Path) -> None:
    setting = Setting(target_score=0.8, until="budget")
    cell = make_cell(tmp_path / "a", setting)
    assert cell.record.target.score == 0.8 and cell.record.target.higher_is_better
    for one in (cell, scored_by(cell, FAR)):
        scores = one.trajectories.by_replica(one.trajectories.ranked)
        indices = [first_held(score >= 0.8, 2) for score in scores]
        samples = one.trajectories.by_replica("samples")
        times = [s[i] for s, i in zip(samples, indices, strict=True)]
        assert one.metrics.reached.times.tolist() == times
        # 0.8 is 60% of the way for the first set: replicas may stop there.
        assert one.metrics.transitions.completion.value <= np.median(times)


def test_results_by_a_score(tmp_path: Path) -> None:
    settings = [Setting(until="budget"), Setting("cnn", speed=2.0, until="budget")]
    results = Results([CellResult(c, True) for c in make_cells(tmp_path, settings)])
    far = results.scored_by(FAR)
    table = far.table()
    assert (table["samples_to_target"] > results.table()["samples_to_target"]).all()
    (one,) = far.compare()
    assert one.comparison.ratio_of_medians.value == pytest.approx(2, rel=0.1)
    assert FAR in repr(far) or "length-80" in repr(far)
    assert far.plot().axes[0].get_ylabel() == f"{FAR} (higher is better)"


@pytest.mark.parametrize(
    ("score", "message"),
    [
        ("accuracy@length-8", r'no score "accuracy@length-8".*did you mean "accuracy@length-80"'),
        ("excess", r'"excess" is a curve.*\(scores: accuracy, accuracy@length-80\)'),
        ("loss", r'no score "loss"'),
    ],
)
def test_a_score_that_cannot_rank_says_why(tmp_path: Path, score: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        scored_by(make_cell(tmp_path / "a"), score)


def test_a_scale_without_length_is_refused(tmp_path: Path) -> None:
    cell = make_cell(tmp_path / "a")
    first = cell.record.replicas[0]
    references = {name: {**scores, FAR: 0.5} for name, scores in first.references.items()}
    replicas = (first.model_copy(update={"references": references}), *cell.record.replicas[1:])
    flat = replace(cell, record=cell.record.model_copy(update={"replicas": replicas}))
    with pytest.raises(UnknownNameError, match=r"trivial and optimal both score 0.5 in replica 0"):
        scored_by(flat, FAR)


def test_a_record_with_curves_reads_back(tmp_path: Path) -> None:
    cell = make_cell(tmp_path / "a", Setting(ceiling="best-known"))
    record = read_record(cell.folder)
    assert record == cell.record
    assert isinstance(record.replicas[0].references["trivial"]["excess"], list)
    assert record.ceiling == "best-known" and record.scores == ["accuracy", FAR]
    assert record.test_sets == ["", "length-80"]
    (again,) = read_results(tmp_path)
    assert again.metrics.near.keys() == {"trivial", "unigram", "best-known"}


def test_the_size_of_a_full_batch_is_that_of_the_record(tmp_path: Path) -> None:
    record = make_cell(tmp_path / "a").record
    model = {**record.model_plan, "recipe": {"batch_size": "full"}}
    full = record.model_copy(
        update={
            "plan": {**record.plan, "model": model},
            "compute": record.compute.model_copy(update={"batch_size": 662}),
        }
    )
    assert full.batch_size == 662 and full.steps == BUDGET // 662
    assert "batch_size" not in record.compute.model_dump()
