"""A figure of what no cell will have is refused before anything trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.errors import SynthbenchError
from synthbench.papers.drawable import check_figures
from synthbench.papers.expected_columns import expected_columns
from synthbench.papers.running import grid_studies
from synthbench.plan.paper_study import PaperStudy, read_paper_study
from tests.papers.conftest import STUDY


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ('x = "m"', 'figures.x: no field "m"'),
        ('x = "n"\ngroup = "model.widht"', 'group: no field "model.widht"; did you mean "model.w'),
        ('x = "n"\nscore = "acuracy"', 'score: no score "acuracy"; did you mean "accuracy"'),
        (
            'x = "n"\nvalue = "solved_shares"',
            'value: no number "solved_shares"; did you mean "solved',
        ),
        ('x = "n"\nwhere = "m == 6"', 'where: no column "m"'),
        ('x = "n"\nscore = "accuracy@far"', r'score: no score "accuracy@far".*\(scores: accuracy'),
    ],
)
def test_what_no_cell_has_is_refused_with_its_line(given: str, line: str, tmp_path: Path) -> None:
    path = tmp_path / "plateaus.toml"
    path.write_text(STUDY.replace('x = "n"', given))
    study = read_paper_study(path)
    with pytest.raises(SynthbenchError, match=rf"plateaus.toml:\d+: .*{line}"):
        check_figures(study, expected_columns(grid_studies(study, tmp_path)))
    # Of a grid that is not trained nothing is asked.
    check_figures(study, expected_columns(grid_studies(study, tmp_path, grids=["released"])))


@pytest.mark.parametrize("value", ["solved_share", "median", "regret", "measured/lead", "budget"])
def test_every_number_and_column_is_known(value: str, study: PaperStudy) -> None:
    where = "model.width == 16 and solved > 2 and samples_to_target_low < inf"
    figure = study.figures[0].model_copy(update={"value": value, "where": where})
    grid = study.grids["sizes"]
    small = grid.small.changed({"probes": ["weight-movement"]})
    if "/" in value:
        figure = figure.model_copy(update={"value": "weight-movement/l2/lead"})
    changed = study.model_copy(
        update={"figures": (figure,), "grids": {"sizes": grid.model_copy(update={"small": small})}}
    )
    check_figures(changed, expected_columns(grid_studies(changed)))


@pytest.mark.parametrize("x", ["n", "task.n", "lr", "model.lr", "model", "budget", "width"])
def test_every_name_of_a_field_is_known(x: str, study: PaperStudy) -> None:
    figure = study.figures[0].model_copy(update={"x": x, "score": "accuracy"})
    changed = study.model_copy(update={"figures": (figure,)})
    check_figures(changed, expected_columns(grid_studies(study)))
