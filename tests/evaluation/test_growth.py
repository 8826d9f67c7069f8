"""More seeds, a larger budget, another target: what is missing is trained, to the same bits.

`pytest -m slow` adds a shorter hold.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import synthbench as sb
from synthbench.evaluation import jobs
from synthbench.evaluation.forecast import forecast_cells
from synthbench.plan.cell import Cell, ReplicaSeeds
from synthbench.records import read_record
from tests.evaluation.growing import BUDGET, LESS, assert_same, cell, evaluate, trained
from tests.evaluation.notes import Notes


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four replicas, of which some are censored."""
    out = tmp_path_factory.mktemp("small")
    outcomes = {r.outcome for r in evaluate(cell(), out).record.replicas}
    assert outcomes == {"solved", "censored"}
    return out


@pytest.fixture
def store(small: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(small, tmp_path / "store"))


Train = Callable[[Cell], sb.CellResult]


@pytest.fixture(scope="module")
def fresh(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Train:
    """Trains a cell at once, in a folder of its own; each is trained for the first who asks."""
    found = {cell().plan_hash(): sb.read_results(small)[0]}

    def train(planned: Cell) -> sb.CellResult:
        name = planned.plan_hash()
        if name not in found:
            out = tmp_path_factory.mktemp("fresh")
            found[name] = evaluate(planned, out, keep_weights=(0, 30))
        return found[name]

    return train


def test_more_seeds_train_only_the_new_ones(store: Path, fresh: Train) -> None:
    notes = Notes()
    with trained() as seeds:
        grown = evaluate(cell(seeds=9), store, listener=notes)
    assert seeds == [4, 5, 6, 7, 8]
    assert "4 of 9 replicas are kept; training the other 5" in notes.messages
    assert_same(grown, fresh(cell(seeds=9)))
    assert [each.folder for each in sb.read_results(store)] == [grown.folder]


def test_a_larger_budget_keeps_what_was_solved(store: Path, fresh: Train) -> None:
    before = sb.read_results(store)[0].record.replicas
    with trained() as seeds:
        grown = evaluate(cell(budget=2 * BUDGET, seeds=5), store)
    assert seeds == [*(r.replica for r in before if r.outcome != "solved"), 4]
    assert_same(grown, fresh(cell(budget=2 * BUDGET, seeds=5)))
    assert len(list(store.glob("*/record.json"))) == 1


def test_fewer_seeds_are_the_first_of_those_that_are_there(store: Path, fresh: Train) -> None:
    with trained() as seeds:
        fewer = evaluate(cell(seeds=2), store)
    assert (seeds, fewer.reused) == ([], True)
    assert_same(fewer, fresh(cell(seeds=2)))
    assert len(sb.read_results(store)[0].record.replicas) == 4


def test_a_smaller_budget_censors_later(store: Path) -> None:
    with trained() as seeds:
        less = evaluate(cell(budget=LESS), store)
    assert seeds == []
    whole = sb.read_results(store)[0].record.replicas
    for short, full in zip(less.record.replicas, whole, strict=True):
        early = full.samples_to_target is not None and full.samples_to_target <= LESS
        assert short.outcome == ("solved" if early else "censored")
    assert less.record.budget == less.measured.context.target.budget == LESS
    assert less.measured.trajectories.column("samples").max() <= LESS


def test_more_seeds_of_a_smaller_budget_lie_beside_it(store: Path, fresh: Train) -> None:
    wanted = cell(seeds=5, budget=LESS)
    with trained() as seeds:
        other = evaluate(wanted, store)
    # One that is censored lacks the evaluation at the end of the smaller budget.
    assert seeds == [r.replica for r in other.record.replicas if r.outcome == "censored"]
    assert_same(other, fresh(wanted))
    assert len(sb.read_results(store)) == 2
    both = evaluate(cell(seeds=5), store)
    assert_same(both, fresh(cell(seeds=5)))
    assert [each.record.plan_hash for each in sb.read_results(store)] == [both.record.plan_hash]


@pytest.fixture(scope="module")
def to_the_end(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small cell with no replica stopped where it solved the task."""
    out = tmp_path_factory.mktemp("end")
    evaluate(cell(until="budget"), out)
    return out


@pytest.mark.parametrize(
    "changed",
    [
        cell(until="budget", hold=4),
        pytest.param(cell(until="budget", hold=1), marks=pytest.mark.slow),
        cell("target=0.6", until="budget"),
        cell(until="solved"),
    ],
    ids=["hold=4", "hold=1", "target", "until"],
)
def test_what_counts_as_solved_is_computed_anew(
    changed: Cell, to_the_end: Path, fresh: Train, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(to_the_end, tmp_path / "store"))
    with trained() as seeds:
        computed = evaluate(changed, out)
    assert seeds == []
    assert_same(computed, fresh(changed))
    assert len(list(out.glob("*/record.json"))) == 2


def test_a_replica_that_stopped_too_early_is_trained(store: Path, fresh: Train) -> None:
    before = sb.read_results(store)[0].record.replicas
    with trained() as seeds:
        stricter = evaluate(cell(hold=5), store)
    assert seeds == [r.replica for r in before if r.outcome == "solved"]
    assert_same(stricter, fresh(cell(hold=5)))


def test_where_the_schedule_depends_on_the_budget_all_is_trained(tmp_path: Path) -> None:
    decayed = cell(model="schedule=cosine", seeds=2, budget=640)
    evaluate(decayed, tmp_path)
    with trained() as seeds:
        evaluate(cell(model="schedule=cosine", seeds=2, budget=960), tmp_path)
    assert seeds == [0, 1]
    with trained() as seeds:
        evaluate(cell(model="schedule=cosine", seeds=3, budget=640), tmp_path)
    assert seeds == [2]
    assert len(sb.read_results(tmp_path)) == 2


def test_a_crossed_design_takes_the_replicas_of_equal_seeds(tmp_path: Path) -> None:
    small = cell(seeds=4, initializations=2, budget=640)
    large = cell(seeds=6, initializations=2, budget=640)
    evaluate(small, tmp_path)
    with trained() as seeds:
        grown = evaluate(large, tmp_path)
    lacking = [s for s in large.replica_seeds() if s not in small.replica_seeds()]
    assert seeds == [s.init for s in lacking] and lacking != [ReplicaSeeds.same(0)]
    assert_same(grown, evaluate(large, tmp_path / "fresh"))


def test_weights_grow_with_the_replicas(fresh: Train, tmp_path: Path) -> None:
    evaluate(cell(seeds=3), tmp_path, keep_weights=(0, 30))
    # Not asked for again, and not lost.
    grown = evaluate(cell(seeds=5, budget=2 * BUDGET), tmp_path)
    at_once = fresh(cell(seeds=5, budget=2 * BUDGET))
    for name in ("weights.safetensors", "checkpoints.safetensors"):
        one, other = load_file(grown.folder / name), load_file(at_once.folder / name)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)
    assert_same(grown, at_once)


def test_wanted_weights_that_are_not_there_are_trained_for(store: Path) -> None:
    with trained() as seeds:
        evaluate(cell(seeds=5), store, keep_weights=True)
    assert seeds == [0, 1, 2, 3, 4]


def test_a_kill_between_the_files_of_a_grown_cell_loses_nothing(
    store: Path, fresh: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    from synthbench.evaluation import record_writing

    real, names = record_writing.write_atomically, list[str]()

    def killed(path: Path, content: bytes) -> None:
        names.append(path.name)
        if path.name == "record.json":
            raise KeyboardInterrupt
        real(path, content)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(record_writing, "write_atomically", killed)
        evaluate(cell(seeds=9), store)
    assert names == ["trajectories.parquet", "record.json"]
    with trained() as seeds:
        grown = evaluate(cell(seeds=9), store)
    assert seeds == []
    assert_same(grown, fresh(cell(seeds=9)))


def test_an_interrupted_growth_is_continued_by_a_larger_one(store: Path, fresh: Train) -> None:
    real, calls = jobs.train_block, list[int]()

    def once(own: Cell, block, *rest):  # type: ignore[no-untyped-def]
        calls.append(block.first)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return real(own, block, *rest)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(jobs, "train_block", once)
        evaluate(cell(seeds=8), store, replicas_per_block=2)
    assert sb.read_results(store)[0].record.summary.replicas == 4
    with trained() as seeds:
        evaluate(cell(), store)  # What is there, and the half-finished run stays.
        grown = evaluate(cell(seeds=9), store)
    assert sorted(seeds) == [6, 7, 8]
    assert_same(grown, fresh(cell(seeds=9)))


def test_replicas_of_another_machine_are_named(store: Path) -> None:
    path = next(store.glob("*/record.json"))
    record = read_record(path.parent)
    elsewhere = record.environment.model_copy(update={"device_name": "another CPU"})
    other = record.model_copy(update={"environment": elsewhere})
    path.write_text(other.model_dump_json())
    grown = evaluate(cell(seeds=5), store).record
    (part,) = grown.earlier
    assert (part.replicas, part.created) == ((0, 1, 2, 3), record.created)
    assert part.environment.device_name == "another CPU"
    assert grown.environment.device_name == record.environment.device_name
    fewer = evaluate(cell(seeds=2), store).record
    assert [p.replicas for p in fewer.earlier] == [(0, 1)]


def test_a_damaged_relative_is_named_and_not_used(store: Path) -> None:
    next(store.glob("*/trajectories.parquet")).write_bytes(b"")
    notes = Notes()
    with trained() as seeds:
        evaluate(cell(hold=1), store, listener=notes)
    assert seeds == [0, 1, 2, 3]
    assert any("does not match its hash" in note for note in notes.messages)


def test_without_resumption_everything_is_trained(store: Path) -> None:
    with trained() as seeds:
        evaluate(cell(seeds=5), store, resume=False)
    assert seeds == [0, 1, 2, 3, 4]


def test_what_was_looked_at_more_often_serves_who_asks_for_less(store: Path) -> None:
    with trained() as seeds:
        coarser = evaluate(cell(resolution=0.2, seeds=3), store)
    assert seeds == [] and coarser.record.protocol["resolution"] == 0.1
    with trained() as seeds:
        finer = evaluate(cell(resolution=0.01), store)
    assert seeds == [0, 1, 2, 3]
    assert [each.folder for each in sb.read_results(store)] == [finer.folder]


def test_two_resolutions_stay_two_cells(store: Path) -> None:
    cells = [cell(resolution=each) for each in (0.1, 0.2, 0.3)]
    for _ in range(2):
        with trained():
            results = sb.evaluate_cells(cells, store, sb.Settings(sb.TrainerOptions("cpu")))
        assert [r.record.protocol["resolution"] for r in results] == [0.1, 0.2, 0.3]
    assert all(result.reused for result in results)


def test_a_dry_run_knows_what_serves(store: Path) -> None:
    (forecast,) = forecast_cells([cell(resolution=0.2, seeds=3)], store)
    assert (forecast.finished, forecast.replicas) == (3, 0)


def test_a_student_is_kept_while_its_teacher_grows(tmp_path: Path) -> None:
    task, model = "sparse-parity n=10 k=2", "mlp width=8"
    protocol = sb.Protocol(budget=640, evaluation_samples=128, until="budget", resolution=0.5)

    def distilled(seeds: int) -> sb.CellResult:
        own = protocol.model_copy(update={"seeds": seeds})
        return sb.evaluate(task, model, protocol=own, teacher="mlp width=16", out=tmp_path)

    distilled(2)
    teacher = sb.evaluate(
        task, "mlp width=16", protocol=protocol.model_copy(update={"seeds": 4}), out=tmp_path
    )
    assert (len(teacher.record.replicas), teacher.reused) == (4, False)
    with trained() as seeds:
        assert distilled(2).reused
    assert seeds == []


def test_two_budgets_in_one_evaluation_train_once(fresh: Train, tmp_path: Path) -> None:
    cells = [cell(budget=budget, seeds=5) for budget in (BUDGET, LESS, 2 * BUDGET)]
    with trained() as seeds:
        results = sb.evaluate_cells(cells, tmp_path, sb.Settings(sb.TrainerOptions("cpu")))
    solved = [r.replica for r in results[0].record.replicas if r.outcome == "solved"]
    early = [r.replica for r in results[1].record.replicas if r.outcome == "solved"]
    again = [r for r in range(5) if r not in early]
    last = [r for r in range(5) if r not in solved]
    assert seeds == [0, 1, 2, 3, 4, *again, *last]
    for planned, result in zip(cells, results, strict=True):
        assert_same(result, fresh(planned))
    later = sb.evaluate_cells(cells, tmp_path, sb.Settings(sb.TrainerOptions("cpu")))
    assert [result.reused for result in later] == [True] * 3


@pytest.mark.parametrize(
    ("smaller", "settings"),
    [
        (cell(budget=LESS), {"keep_weights": True}),
        (cell(seeds=2), {"keep_weights": True}),
        (cell(seeds=2), {"resume": False}),
    ],
    ids=["weights of a smaller budget", "weights of fewer", "again"],
)
def test_what_is_trained_again_never_takes_the_place_of_more(
    smaller: Cell, settings: dict[str, object], store: Path, fresh: Train
) -> None:
    (before,) = sb.read_results(store)
    with trained() as seeds:
        again = evaluate(smaller, store, **settings)
    assert len(seeds) == smaller.protocol.seeds and again.folder != before.folder
    assert_same(again, fresh(smaller))
    (after,) = sb.read_results(store)
    assert after.folder == before.folder
    assert_same(after, before)
