"""Grids of a paper study are trained once, grow, and are found again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import synthbench as sb
from synthbench.errors import ConfigurationError, UnknownNameError
from synthbench.evaluation.failures import GridsFailedError
from synthbench.listeners.listener import Silent
from synthbench.papers.kept import kept_grid, kept_study
from synthbench.papers.running import Size, grid_studies, run_paper_study
from synthbench.plan.paper_study import PaperStudy
from tests.papers.conftest import SETTINGS


def test_every_grid_has_a_folder_of_its_own(study: PaperStudy, runs: Path) -> None:
    assert {path.name for path in (runs / "plateaus").iterdir()} == {"sizes", "released"}
    grids = grid_studies(study, runs)
    assert grids["sizes"].folder == runs / "plateaus" / "sizes"
    assert len(list(grids["sizes"].folder.glob("*/record.json"))) == 2


def test_what_is_kept_is_not_trained_again(study: PaperStudy, runs: Path) -> None:
    files = {path: path.stat().st_mtime_ns for path in runs.rglob("record.json")}
    results = run_paper_study(grid_studies(study, runs), SETTINGS)
    assert all(cell.reused for found in results.values() for cell in found)
    assert {path: path.stat().st_mtime_ns for path in runs.rglob("record.json")} == files


def test_seeds_are_added_to_those_that_are_kept(study: PaperStudy, tmp_path: Path) -> None:
    small, large = grid_studies(study, tmp_path, Size(seeds=2)), grid_studies(study, tmp_path)
    (first,) = run_paper_study({"released": small["released"]}, SETTINGS)["released"]
    (grown,) = run_paper_study({"released": large["released"]}, SETTINGS)["released"]
    assert len(first.record.replicas) == 2 and len(grown.record.replicas) == 4
    assert grown.record.replicas[:2] == first.record.replicas
    assert [part.replicas for part in grown.record.earlier] in ([], [(0, 1)])


def test_in_python_it_is_the_same(study: PaperStudy, runs: Path) -> None:
    results = sb.evaluate_paper_study(study, out=runs, settings=SETTINGS)
    assert list(results) == ["sizes", "released"]
    assert all(cell.reused for found in results.values() for cell in found)


def test_in_python_too_a_claim_about_nothing_keeps_all_from_training(
    study: PaperStudy, tmp_path: Path
) -> None:
    claim = study.claims[0].model_copy(update={"quantity": "median(tiem)"})
    changed = study.model_copy(update={"claims": (claim,)})
    with pytest.raises(UnknownNameError, match=r'toml:\d+: claims.quantity: no column "tiem"'):
        sb.evaluate_paper_study(changed, out=tmp_path, settings=SETTINGS)
    assert not list(tmp_path.iterdir())


def test_one_grid_alone(study: PaperStudy, tmp_path: Path) -> None:
    assert list(grid_studies(study, tmp_path, grids=["released"])) == ["released"]
    with pytest.raises(UnknownNameError, match='has no grid "release"; did you mean "released"'):
        grid_studies(study, tmp_path, grids=["release"])


def test_whatever_is_wrong_is_said_before_anything_trains(
    study: PaperStudy, tmp_path: Path
) -> None:
    grids = grid_studies(study, tmp_path)
    broken = {**grids, "released": replace(grids["released"], models=["mlp width=0"])}
    with pytest.raises(ConfigurationError, match="width = 0"):
        run_paper_study(broken, SETTINGS)
    assert not list(tmp_path.iterdir())


def test_kept_grids_are_those_that_are_asked_for(study: PaperStudy, runs: Path) -> None:
    small, full = kept_study(study, runs), kept_study(study, runs, full=True)
    sizes = small.grids["sizes"]
    assert (len(sizes.results), sizes.planned, sizes.seeds, sizes.is_whole) == (2, 2, 4, True)
    assert [cell.record.task_plan["n"] for cell in sizes.results] == [6, 8]
    # Of the paper's three sizes two are there, with fewer seeds.
    larger = full.grids["sizes"]
    assert (len(larger.results), larger.planned, larger.missing) == (2, 3, 1)
    assert not larger.is_whole and full.full and not full.is_empty


def test_all_seeds_that_are_kept_count_within_the_budget_of_the_grid(
    study: PaperStudy, tmp_path: Path
) -> None:
    grid = grid_studies(study, tmp_path, Size(seeds=5))["released"]
    longer = replace(grid, protocol={**grid.protocol, "budget": "3.2k", "until": "budget"})
    asked = replace(grid, protocol={**grid.protocol, "until": "budget", "seeds": 2})
    run_paper_study({"released": longer}, SETTINGS)
    (cell,) = kept_grid("released", asked).results
    assert len(cell.record.replicas) == 5 and cell.record.budget == 1_600
    assert cell.measured.trajectories.table["samples"].to_numpy().max() <= 1_600


def test_nothing_is_kept_of_what_was_never_run(study: PaperStudy, tmp_path: Path) -> None:
    kept = kept_study(study, tmp_path / "nowhere")
    assert kept.is_empty and kept.seconds == 0 and kept.grids["sizes"].seeds == 0


class Noting(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_who_runs_hears_of_each_grid(study: PaperStudy, runs: Path) -> None:
    listener = Noting()
    run_paper_study(grid_studies(study, runs), replace(SETTINGS, listener=listener))
    said = [note for note in listener.notes if note.startswith(("sizes: ", "released: "))]
    assert said == [
        "sizes: 2 tasks x 1 model = 2 cells, 8 replicas; varied: n",
        "released: 1 task x 1 model = 1 cell, 4 replicas",
    ]


def test_a_cell_and_a_grid_that_fail_keep_no_other_from_being_trained(
    study: PaperStudy, runs: Path, tmp_path: Path
) -> None:
    shutil.copytree(runs, tmp_path / "runs")
    damaged = sorted((tmp_path / "runs" / "plateaus" / "sizes").glob("*/record.json"))[0]
    damaged.write_text("{")
    shutil.rmtree(tmp_path / "runs" / "plateaus" / "released")
    with pytest.raises(GridsFailedError, match="sizes: 1 of 2 cells failed, the others are") as no:
        run_paper_study(grid_studies(study, tmp_path / "runs"), SETTINGS)
    assert list(no.value.errors) == ["sizes"] and str(damaged) in str(no.value)
    assert {name: len(found) for name, found in no.value.results.items()} == {
        "sizes": 1,
        "released": 1,
    }
    kept = kept_study(study, tmp_path / "runs")
    assert [len(grid.results) for grid in kept.grids.values()] == [1, 1]
    assert [each.folder for each in kept.unreadable] == [damaged.parent]
