"""What the commands print."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

import synthbench as sb
from synthbench.cli.list import Listed
from synthbench.cli.main import main
from synthbench.metrics.formatting import format_estimate
from synthbench.plan.counts import parse_count
from synthbench.registry.kinds import KINDS
from synthbench.registry.registry import installed
from synthbench.results import figures


def run(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", ["synthbench", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    assert ended.value.code == 0, captured.err
    return captured.out


@pytest.mark.parametrize(
    ("text", "count"), [("20000", 20_000), ("640k", 640_000), ("1.5M", 1_500_000), ("1_000", 1000)]
)
def test_counts(text: str, count: int) -> None:
    assert parse_count(text) == count


def test_list_names_everything_and_where_it_comes_from(capsys, monkeypatch) -> None:
    printed = run(capsys, monkeypatch, "list")
    for name in ("sparse-parity", "mlp", "weight-movement", "quickstart", "synthbench"):
        assert name in printed
    assert "mlp" not in run(capsys, monkeypatch, "list", "tasks")


def test_every_kind_can_be_listed() -> None:
    assert list(Listed) == [*(kind.plural for kind in KINDS), "plugins"]


@pytest.mark.parametrize("before", [None, "", "none"])
def test_no_plugins_holds_for_one_command(before: str | None, capsys, monkeypatch) -> None:
    monkeypatch.delenv("SYNTHBENCH_PLUGINS", raising=False)
    if before is not None:
        monkeypatch.setenv("SYNTHBENCH_PLUGINS", before)
    seen, registry = [], installed()
    monkeypatch.setattr(
        "synthbench.registry.registry.installed",
        lambda: seen.append(os.environ["SYNTHBENCH_PLUGINS"]) or registry,
    )
    for arguments in (["--no-plugins", "show", "mlp"], ["show", "mlp", "--no-plugins"]):
        seen.clear()
        run(capsys, monkeypatch, *arguments)
        assert "none" in seen
    assert os.environ.get("SYNTHBENCH_PLUGINS") == before


def test_list_reports_broken_plugins(capsys, monkeypatch) -> None:
    from synthbench.registry import registry
    from tests.registry.points import FakePoint, load

    host = load(FakePoint("bad", ImportError("no such library")))
    monkeypatch.setattr(registry, "installed", lambda: registry.Registry(host))
    printed = run(capsys, monkeypatch, "list", "plugins")
    heading, row = [line for line in printed.splitlines() if "third" in line or "aside" in line]
    assert heading.split() == ["set", "aside", "from", "why"]
    assert " ".join(row.split()) == "bad third-party 1.2.3 ImportError: no such library"
    assert 'plugin "bad" of third-party 1.2.3 was set aside: ImportError: no such library' in (
        " ".join(run(capsys, monkeypatch, "list", "tasks").split())
    )


def test_show_a_task(capsys, monkeypatch) -> None:
    printed = run(capsys, monkeypatch, "show", "sparse-parity n=12 noise=0.1")
    for text in (
        "signs (n=12) -> margin",
        "trivial 0.5",
        "optimal 0.9",
        "hinge",
        "arXiv:2207.08799",
    ):
        assert text in printed
    assert re.search(r"n +40 +Number of coordinates", printed)


def test_show_a_model_a_probe_and_a_suite(capsys, monkeypatch) -> None:
    assert "batch_size" in run(capsys, monkeypatch, "show", "mlp")
    assert "probe" in run(capsys, monkeypatch, "show", "weight-movement")
    assert "budget 320k samples" in run(capsys, monkeypatch, "show", "quickstart")


@pytest.mark.usefixtures("drawn")
def test_eval_prints_a_table_of_80_columns_and_draws(capsys, monkeypatch, tmp_path: Path) -> None:
    printed = run(
        capsys, monkeypatch, "eval", "quickstart", "--seeds", "3", "--budget", "6400",
        "--model", "mlp width=20 optimizer=adam lr=0.003", "--model", "mlp width=4",
        "--device", "cpu", "--out", str(tmp_path),
    )  # fmt: skip
    table = printed.split("picture:")[0]
    assert max(len(line) for line in table.splitlines()) <= 80
    assert "0/3" in table and "> 6.40k" in table and "[0.00, 0.56]" in table
    assert (tmp_path / "quickstart" / "learning_curves.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.rglob("record.json"))) == 2


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models on one task, measured with a probe on a crossed design of 4 x 4."""
    registry = installed()
    protocol = sb.Protocol(budget=38_400, seeds=16, initializations=4, evaluation_samples=256)
    cells = [
        sb.Cell(registry.task("sparse-parity n=8 k=2"), registry.model(model), protocol,
                (registry.probe("weight-movement"),))
        for model in ("mlp width=16", "mlp width=64")
    ]  # fmt: skip
    settings = sb.Settings(sb.TrainerOptions(accelerator="cpu"), replicas_per_block=16)
    folder = tmp_path_factory.mktemp("run")
    sb.evaluate_cells(cells, folder, settings)
    return folder


def test_metrics_prints_every_table_in_80_columns(capsys, monkeypatch, run_folder: Path) -> None:
    printed = run(capsys, monkeypatch, "metrics", str(run_folder))
    assert max(len(line) for line in printed.splitlines()) <= 80
    for heading in (
        "efficiency", "transition", "is it random search?", "hidden progress",
        "variance of log time", "comparison", "Holm's method over 1 comparison\n",
    ):  # fmt: skip
        assert heading in printed, heading
    regret = sb.read_results(run_folder)[0].metrics.regret
    assert format_estimate(regret)[0] in printed


def test_plot_draws_what_can_be_drawn_and_says_what_cannot(
    capsys, monkeypatch, run_folder: Path, tmp_path: Path
) -> None:
    printed = run(
        capsys, monkeypatch, "plot", str(run_folder), "--format", "svg", "--out", str(tmp_path)
    )
    drawn = {path.name for path in tmp_path.iterdir()}
    for stem in ("learning_curves", "survival", "raster", "probes", "scaling"):
        assert f"{stem}.svg" in drawn and f"{stem}.svg" in printed
    # Of one cell, the two kinds that say what there is to see: by default as PNG and SVG.
    monkeypatch.setattr(figures, "KINDS", ("survival", "scaling"))
    (only,) = [p for p in run_folder.iterdir() if p.is_dir() and "width16" in p.name]
    printed = run(capsys, monkeypatch, "plot", str(only), "--out", str(tmp_path / "one"))
    assert "no scaling: a scaling fit needs cells of several sizes" in printed
    assert "survival.png  (and .svg)" in printed
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"survival.png", "survival.svg"}
