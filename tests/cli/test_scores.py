"""`--score`: metrics and pictures of finished cells by another of their scores."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from synthbench.cli.main import app
from tests.results.synthetic import FAR, Setting, make_cells


@pytest.fixture
def run(tmp_path: Path) -> Path:
    make_cells(tmp_path / "run", [Setting(ceiling="oracle"), Setting("cnn", ceiling="oracle")])
    return tmp_path / "run"


def test_metrics_of_another_score(run: Path) -> None:
    shown = CliRunner().invoke(app, ["metrics", str(run), "--score", FAR])
    assert shown.exit_code == 0, shown.output
    assert f"by {FAR}; a replica that had solved it by accuracy" in shown.output
    assert "progress is relative to the oracle" in shown.output and "0/8" in shown.output


def test_metrics_of_the_ranked_score_say_nothing_of_scores(run: Path) -> None:
    shown = CliRunner().invoke(app, ["metrics", str(run)])
    assert shown.exit_code == 0, shown.output
    assert "8/8" in shown.output and "stopped" not in shown.output


def test_pictures_of_another_score_have_names_of_their_own(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "pictures"
    drawn = CliRunner().invoke(
        app, ["plot", str(run), "--score", FAR, "--kind", "survival", "--out", str(out)]
    )
    assert drawn.exit_code == 0, drawn.output
    assert sorted(p.name for p in out.iterdir()) == [
        f"survival--{FAR}.png", f"survival--{FAR}.svg",
    ]  # fmt: skip


def test_an_unknown_score_names_those_there_are(run: Path) -> None:
    refused = CliRunner().invoke(app, ["metrics", str(run), "--score", "acuracy"])
    assert refused.exit_code != 0
    assert 'did you mean "accuracy"' in str(refused.exception or refused.output)
