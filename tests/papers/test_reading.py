"""What a paper study names is looked up, and what is wrong is said with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.errors import SynthbenchError
from synthbench.papers.reading import check_paper_study, encoding_of

STUDY = """\
title = "Weights move"
paper = "Nobody 2022"
summary = "They move."

[grids.looked-at]
tasks = ["sparse-parity n=6 k=2"]
models = ["mlp width=16"]
probes = ["weight-movement", "fourier-gap"]
protocol = { seeds = 4, budget = "1.6k", evaluation_samples = 128 }

[grids.alone]
tasks = ["sparse-parity n=6 k=2"]
models = ["mlp width=16"]
protocol = { seeds = 4, budget = "1.6k", evaluation_samples = 128 }

[[figures]]
grid = "looked-at"
kind = "probes"
probes = ["weight-movement/l2"]
caption = "One of them."
"""


def refusal(tmp_path: Path, *change: str) -> str:
    """The line about STUDY with one part replaced."""
    path = tmp_path / "movement.toml"
    assert change[0] in STUDY
    path.write_text(STUDY.replace(*change))
    with pytest.raises(SynthbenchError) as found:
        check_paper_study(path)
    return str(found.value).removeprefix(f"{tmp_path}/")


def test_a_figure_chooses_probes_of_its_grid(tmp_path: Path) -> None:
    path = tmp_path / "movement.toml"
    for text, chosen in (
        ('["weight-movement/l2"]', ("weight-movement/l2",)),
        ('["fourier-gap", "weight-movement"]', ("fourier-gap", "weight-movement")),
        ('"weight-movement"', ("weight-movement",)),
    ):
        path.write_text(STUDY.replace('["weight-movement/l2"]', text))
        (figure,) = check_paper_study(path).figures
        assert encoding_of(figure).probes == chosen


def test_probes_that_the_grid_does_not_have_are_named(tmp_path: Path) -> None:
    assert refusal(tmp_path, '["weight-movement/l2"]', '["weigth-movement/l2"]') == (
        'movement.toml:19: figures.probes: the grid "looked-at" has no probe "weigth-movement"; '
        'did you mean "weight-movement"? (probes: weight-movement, fourier-gap)'
    )
    assert refusal(tmp_path, 'grid = "looked-at"', 'grid = "alone"') == (
        'movement.toml:19: figures.probes: the grid "alone" has no probes'
    )
    assert "figures.probes: " in refusal(tmp_path, '["weight-movement/l2"]', "[]")


def test_probes_go_with_their_kind(tmp_path: Path) -> None:
    assert refusal(tmp_path, 'kind = "probes"', 'kind = "survival"').endswith(
        "probes goes with the kind probes, not with survival"
    )
