"""The chosen configurations on fresh seeds, which alone say how good they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthbench.evaluation.evaluate import evaluate_cells
from synthbench.evaluation.settings import Settings
from synthbench.plan.cell import Cell
from synthbench.plan.suite import Suite
from synthbench.registry.registry import installed
from synthbench.results.results import CellResult, Comparisons, Results
from synthbench.tuning.plan import CONFIRM_SEEDS, TuningPlan
from synthbench.tuning.record import CONFIRMED
from synthbench.tuning.tune import Search


@dataclass(frozen=True)
class Confirmation:
    """What the winners of all models did on fresh seeds.

    folders: of each model, in the order of the plan. results: task by task, every model.
    """

    folders: tuple[Path, ...]
    results: Results

    @property
    def comparisons(self) -> Comparisons:
        """Every two models on each task, corrected for the number of comparisons."""
        return self.results.compare()


def confirm(
    plan: TuningPlan,
    searches: Sequence[Search],
    out: Path,
    settings: Settings,
    seeds: int,
) -> Confirmation:
    """Train the best configuration of each search on seeds that it was not tuned on.

    searches: what `tune` found. Records go to `out/confirmed/MODEL`. seeds: replicas, of the seeds
    0, 1, ... (`fresh_seeds`). Raises as `evaluate_cells` does.
    """
    folders = tuple(out / CONFIRMED / name for name in folder_names(plan))
    by_model = {model: [s for s in searches if s.model == model] for model in plan.models}
    found: dict[int, CellResult] = {}
    for folder, own in zip(folders, by_model.values(), strict=True):
        cells = [fresh_cell(each, plan.suite, seeds) for each in own]
        results = evaluate_cells(cells, folder, settings, plan.suite)
        found |= {id(search): result for search, result in zip(own, results, strict=True)}
    return Confirmation(folders, Results([found[id(each)] for each in searches]))


def fresh_seeds(suite: Suite | None) -> int:
    """How many of the seeds 0, 1, ... a confirmation takes unless it is told."""
    return CONFIRM_SEEDS if suite is None else suite.seeds


def fresh_cell(search: Search, suite: Suite | None, seeds: int) -> Cell:
    """The chosen configuration as it is ranked: on the first seeds, with the suite's probes."""
    protocol = search.tuned.protocol.model_copy(update={"first_seed": 0, "seeds": seeds})
    probes = () if suite is None else suite.probes
    measured = tuple(installed().probe(probe) for probe in probes)
    return Cell(search.tuned.task, search.best.cell.model, protocol, measured)


def folder_names(plan: TuningPlan) -> list[str]:
    """A folder name for each model: its own, with a number where a name comes again."""
    names: list[str] = []
    for space in plan.spaces:
        earlier = sum(name == space.name or name.startswith(f"{space.name}.") for name in names)
        names.append(f"{space.name}.{earlier + 1}" if earlier else space.name)
    return names
