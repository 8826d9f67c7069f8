"""A larger budget goes on where a smaller one ended, to the bits of one training."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from synthbench import CellResult
from synthbench.evaluation import jobs
from synthbench.plan.cell import Cell
from tests.evaluation.growing import BUDGET, LESS, assert_same, blocks, cell, evaluate
from tests.evaluation.notes import Notes


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> CellResult:
    """The cell with its whole budget."""
    return evaluate(cell(), tmp_path_factory.mktemp("once"))


def steep_cell(budget: int) -> Cell:
    protocol = {"budget": budget, "seeds": 5, "first_seed": 5, "resolution": 0.1}
    return cell(model="lr=50", until="budget", **protocol)


def test_kept_weights_let_a_larger_budget_go_on(tmp_path: Path) -> None:
    model = "momentum=0.8 lr=0.03"
    evaluate(cell(model=model, budget=LESS), tmp_path, keep_weights=True)
    # More seeds in between, which begin at the first step.
    evaluate(cell(model=model, budget=LESS, seeds=5), tmp_path)
    for budget, at, new in ((BUDGET, 34, [5]), (2 * BUDGET, 40, [])):
        with blocks() as own:
            grown = evaluate(cell(model=model, budget=budget, seeds=6), tmp_path)
        begun = {
            seeds.init: block.continuation.state.step if block.continuation else 0
            for block in own
            for seeds in block.seeds
        }
        assert [seed for seed, step in begun.items() if step == 0] == new
        assert {step for step in begun.values() if step} == {at}
    fresh = evaluate(grown.cell, tmp_path / "fresh", keep_weights=True)
    assert_same(grown, fresh)
    one, other = (load_file(r.folder / "weights.safetensors") for r in (grown, fresh))
    assert all(torch.equal(one[name], other[name]) for name in other)


def test_columns_keep_their_order_where_some_replicas_go_on(tmp_path: Path) -> None:
    finite = {"train_samples": 64, "until": "budget"}
    evaluate(cell(budget=352, seeds=1, **finite), tmp_path, keep_weights=True)
    grown = evaluate(cell(budget=672, seeds=2, **finite), tmp_path)
    assert_same(grown, evaluate(cell(budget=672, seeds=2, **finite), tmp_path / "fresh"))


def test_replicas_that_go_on_are_taken_again_where_their_copy_is_damaged(
    at_once: CellResult, tmp_path: Path
) -> None:
    evaluate(cell(budget=LESS), tmp_path, keep_weights=True)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(jobs, "train_block", _interrupt)
        evaluate(cell(), tmp_path)
    (begun,) = tmp_path.glob("*/.partial/begun-*.safetensors")
    begun.write_bytes(begun.read_bytes()[:-1])
    notes = Notes()
    grown = evaluate(cell(), tmp_path, listener=notes)
    assert any("begun-000000 is damaged" in note for note in notes.messages)
    assert_same(grown, at_once)


@pytest.fixture(scope="module")
def steep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five replicas of which all diverge, the first before step 22 and the others after it."""
    out = tmp_path_factory.mktemp("steep")
    found = evaluate(steep_cell(1_248), out, keep_weights=True)
    lasts = [int(steps[-1]) for steps in found.measured.trajectories.by_replica("step")]
    assert lasts[0] < 22 and {r.outcome for r in found.record.replicas} == {"diverged"}
    assert 22 in lasts
    return out


def test_of_what_diverges_later_the_last_weights_are_not_kept(steep: Path, tmp_path: Path) -> None:
    wanted = steep_cell(22 * 32)
    less = evaluate(wanted, steep, keep_weights=True)
    fresh = evaluate(wanted, tmp_path, keep_weights=True)
    assert_same(less, fresh)
    one, other = (load_file(r.folder / "weights.safetensors") for r in (less, fresh))
    for name, tensor in other.items():
        assert torch.equal(one[name].nan_to_num(7.0), tensor.nan_to_num(7.0))


def test_where_replicas_stand_is_kept_without_their_weights(
    at_once: CellResult, tmp_path: Path
) -> None:
    begun = evaluate(cell(budget=LESS), tmp_path, keep_state=True)
    assert "state.safetensors" in begun.record.files
    assert "weights.safetensors" not in begun.record.files
    with blocks() as own:
        grown = evaluate(cell(budget=BUDGET), tmp_path)
    assert [block.continuation is not None for block in own] == [True]
    assert_same(grown, at_once)
