"""A paper study with a grid of measurements beside one of cells."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import synthbench as sb
from synthbench.cli.main import app
from synthbench.errors import ConfigurationError, UnknownNameError
from synthbench.papers.kept import KeptMeasurements, kept_study
from synthbench.papers.reading import check_paper_study
from synthbench.testing import check_study
from tests.measurements.conftest import ASKED
from tests.papers.conftest import SETTINGS

TEXT = """\
title = "Costs"
paper = "Nobody 2022"
summary = "Costs are squares."

[grids.costs]
says = "of three sizes"
measurements = ["powers size=[2,4,8]"]
seeds = 6

[grids.costs.full]
measurements = ["powers size=[2,4,8,16]"]

[grids.networks]
tasks = ["sparse-parity n=6 k=2"]
models = ["mlp width=16"]
protocol = { seeds = 4, budget = "1.6k", evaluation_samples = 128 }

[[figures]]
grid = "costs"
kind = "scaling"
x = "size"
value = "cost"
caption = "A line."

[[figures]]
grid = "networks"
kind = "survival"
caption = "Networks."

[[claims]]
name = "square"
says = "Costs are squares."
source = "Section 1"
grid = "costs"
quantity = "exponent(median(cost), by=size)"
holds = "in [1.9, 2.1]"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "costs.toml"
    path.write_text(TEXT)
    return path


def test_it_is_run_judged_and_reported(file: Path, tmp_path: Path) -> None:
    study, runs = sb.find_paper_study(str(file)), tmp_path / "runs"
    assert kept_study(study, runs).is_empty
    results = sb.evaluate_paper_study(study, out=runs, settings=SETTINGS)
    assert isinstance(results["costs"], sb.MeasuredRows) and len(results["networks"]) == 1
    assert (runs / "costs" / "costs").is_dir()
    kept = kept_study(study, runs)
    costs = kept.grids["costs"]
    assert isinstance(costs, KeptMeasurements)
    assert (costs.planned, costs.seeds, costs.is_whole, costs.missing) == (3, 6, True, 0)
    larger = kept_study(study, runs, full=True).grids["costs"]
    assert (larger.planned, larger.missing, larger.is_whole) == (4, 1, False)
    page = sb.report_paper_study(study, tmp_path / "page", runs=runs)
    text = (page.parent / "README.md").read_text()
    assert "✓ holds" in text and "3 measurements x 6 seeds; varied: size" in text
    assert (page.parent / "figure-1.png").stat().st_size > 5_000


def test_commands(file: Path, tmp_path: Path) -> None:
    def said(*words: str) -> str:
        result = CliRunner().invoke(app, ["study", *words])
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    runs = ["--runs", str(tmp_path), "--grid", "costs", "--workers", "0"]
    assert "powers size=[2,4,8]; seeds=6; larger with --full (of three" in said("show", str(file))
    assert "18 of 18 rows to measure" in said("run", str(file), *runs, "--dry-run")
    assert "✓ holds" in said("run", str(file), *runs)
    said("run", str(file), *runs, "--seeds", "8")
    assert ASKED[-1] == (8, [6, 7])


def test_its_laws(file: Path) -> None:
    assert check_study(sb.find_paper_study(str(file))).facts["cells"].startswith("1, ")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("powers size=[2,4,8]", "power", r":7: grids.costs.measurements: unknown measurement "),
        ("powers size=[2,4,8,16]", "powers sise=2", r":11: grids.costs.full.measurements: .*sise"),
        ("seeds = 6", "sedes = 6", r":8: grids.costs.sedes: .*no such key; did you mean .*seeds"),
        ("seeds = 6", "seeds = 0", r":8: grids.costs.seeds: "),
        ('["powers size=[2,4,8]"]', "[]", r":7: grids.costs.measurements: "),
        ('kind = "scaling"', 'kind = "raster"', r"figures"),
        ('value = "cost"', "", r"figures.*needs value"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, message: str, file: Path) -> None:
    file.write_text(TEXT.replace(old, new, 1))
    with pytest.raises((ConfigurationError, UnknownNameError), match=message):
        check_paper_study(file)
