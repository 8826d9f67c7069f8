"""A study of seconds, and what its grids found."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.evaluation.settings import Settings
from synthbench.papers.kept import KeptStudy, kept_study
from synthbench.papers.running import grid_studies, run_paper_study
from synthbench.plan.paper_study import PaperStudy, read_paper_study
from tests.papers.stand_in import stand_in_claims

__all__ = ["stand_in_claims"]
SETTINGS = Settings(replicas_per_block=4, compile="never", workers=0, pictures=False)
STUDY = """\
title = "Parities & <b>plateaus</b>"
paper = "Nobody <script>alert(1)</script> 2022"
summary = "Found by `SGD`, in less than n^k | k = 2."
departures = ["smaller <i>n</i>", "four seeds"]

[grids.sizes]
tasks = ["sparse-parity n=[6,8] k=2"]
models = ["mlp width=16"]
protocol = { seeds = 4, budget = "1.6k", evaluation_samples = 128 }

[grids.sizes.full]
tasks = ["sparse-parity n=[6,8,10] k=2"]
protocol = { seeds = 6 }

[grids.released]
says = "the released code's learning rate"
tasks = ["sparse-parity n=6 k=2"]
models = ["mlp width=16 lr=0.2"]
protocol = { seeds = 4, budget = "1.6k", evaluation_samples = 128 }

[[figures]]
grid = "sizes"
kind = "scaling"
x = "n"
source = "Figure <2>"
caption = "Grows like a power, <em>says</em> the paper."

[[figures]]
grid = "sizes"
kind = "survival"
where = "n == 6"
caption = "Of six."

[[figures]]
grid = "sizes"
kind = "curves"
caption = "Nothing was measured for it."

[[claims]]
name = "holds"
says = "It <u>holds</u>."
source = "Section 1"
grid = ["sizes", "released"]
quantity = "share(`final_score` > 0.5 and task != 'a | b')"
holds = ">= 0.9"
note = "With & without."

[[claims]]
name = "best"
says = "One does."
source = "Section 2"
grid = "sizes"
quantity = "share(censored)"
holds = "> 1"

[[claims]]
name = "fails"
says = "It does not."
source = "Section 3"
grid = "sizes"
quantity = "share(regret < 1)"
holds = "< 0.5"

[[claims]]
name = "undecided"
says = "Who knows?"
source = "Section 4"
grid = "released"
quantity = "share(onset < 9)"
holds = "> 0.9"
"""


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> PaperStudy:
    """Two grids, of three cells, with every verdict."""
    path = tmp_path_factory.mktemp("study") / "plateaus.toml"
    path.write_text(STUDY)
    return read_paper_study(path)


@pytest.fixture(scope="session")
def runs(study: PaperStudy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which both grids have been run."""
    out = tmp_path_factory.mktemp("runs")
    run_paper_study(grid_studies(study, out), SETTINGS)
    return out


@pytest.fixture
def kept(study: PaperStudy, runs: Path) -> KeptStudy:
    """What was found."""
    return kept_study(study, runs)
