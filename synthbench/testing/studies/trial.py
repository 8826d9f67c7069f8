"""What the laws of paper studies look at: the study, and the cells of its grids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from synthbench.papers.evaluating import check_answers
from synthbench.papers.measuring import MeasuredGrid
from synthbench.papers.reading import check_paper_study
from synthbench.papers.running import Size, grid_studies
from synthbench.plan.cell import Cell
from synthbench.plan.paper_study import PaperStudy
from synthbench.testing.workbench.kept import Kept


@dataclass
class StudyTrial:
    """A paper study under examination, which lies in a file."""

    subject: PaperStudy
    facts: dict[str, str] = field(default_factory=dict)
    _kept: Kept = field(default_factory=Kept)

    def check(self) -> None:
        """Raise a SynthbenchError, with its line, for what the file names and there is not."""
        check_paper_study(self.subject.path)

    def check_columns(self, full: bool) -> None:
        """Raise a SynthbenchError, with its line, for what no result of a grid will have."""
        grids = grid_studies(self.subject, size=Size(full))
        check_answers(self.subject, grids, full=full)

    def cells(self, full: bool) -> list[tuple[str, Cell]]:
        """The cells of every grid, and how they are called in a message.

        full: with the paper's sizes.
        """
        return self._kept.get(("cells", full), lambda: list(self._cells(full)))

    def _cells(self, full: bool) -> Iterator[tuple[str, Cell]]:
        for name, study in grid_studies(self.subject, size=Size(full)).items():
            if isinstance(study, MeasuredGrid):
                continue
            for cell in study.cells:
                where = f"grid {name}{' (full)' if full else ''}"
                yield f"{where}, {cell.label()} on {cell.task.label()}", cell
