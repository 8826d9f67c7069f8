"""`synthbench plot` as one types it: kinds, fields, formats, sizes, numbers, mistakes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

import synthbench as sb
from synthbench.cli.main import app
from synthbench.records.content import record_bytes
from synthbench.records.reading import RECORD_FILE
from synthbench.results.figures import KINDS, draw
from tests.cli.command import run_command
from tests.results.figures.studies import grid


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sizes and widths, as `eval` leaves them."""
    folder = tmp_path_factory.mktemp("runs")
    for cell in grid(folder):
        (cell.folder / RECORD_FILE).write_bytes(record_bytes(cell.record))
    return folder


def plot(run: Path, *arguments: str) -> str:
    outcome = CliRunner().invoke(app, ["plot", str(run), *arguments], catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return outcome.output


def test_formats_size_and_numbers(run_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "pictures"
    printed = plot(
        run_folder, "--kind", "heatmap", "--x", "n", "--y", "width", "--value", "regret",
        "--format", "png,svg,pdf", "--size", "column", "--data", "--out", str(out),
    )  # fmt: skip
    stem = "heatmap--n--width--regret"
    assert {path.name for path in out.iterdir()} == {
        f"{stem}{suffix}" for suffix in (".png", ".svg", ".pdf", ".csv")
    }
    assert f"{stem}.png" in printed and "(and .svg, .pdf, .csv)" in printed
    with Image.open(out / f"{stem}.png") as picture:
        assert picture.width == 975, "3.25 inches of 300 points"
    assert b"<text" in (out / f"{stem}.svg").read_bytes()
    assert (out / f"{stem}.pdf").read_bytes().startswith(b"%PDF")
    read = pd.read_csv(out / f"{stem}.csv", float_precision="round_trip")
    whole = sb.read_results(run_folder).table()
    for name in ("regret", "regret_low", "regret_high"):
        np.testing.assert_array_equal(read[name], whole[name])


@pytest.mark.parametrize("kind", ["learning-curves", "survival"])
def test_numbers_come_back_to_the_last_bit(run_folder: Path, tmp_path: Path, kind: str) -> None:
    for name in ("0", "1"):
        shutil.copytree(run_folder / name, tmp_path / "two" / name)
    plot(tmp_path / "two", "-k", kind, "--data", "-f", "svg", "--out", str(tmp_path))
    (written,) = tmp_path.glob("*.csv")
    cells = sb.read_results(tmp_path / "two").measured
    drawn = draw(cells, kind).table()
    read = pd.read_csv(written, dtype={"replica": str}, float_precision="round_trip")
    assert list(read.columns) == list(drawn.columns) and len(read) == len(drawn)
    for name in drawn:
        if pd.api.types.is_numeric_dtype(drawn[name]):
            np.testing.assert_array_equal(read[name].astype(float), drawn[name].astype(float))
        else:
            assert read[name].fillna("").tolist() == drawn[name].fillna("").tolist()


def test_fields_go_to_the_kinds_that_take_them(run_folder: Path, tmp_path: Path) -> None:
    plot(
        run_folder, "-k", "scaling", "-k", "survival", "--against", "n", "--group", "width",
        "--value", "regret", "-f", "svg", "--out", str(tmp_path),
    )  # fmt: skip
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"scaling--n--regret--width.svg", "survival.svg"}


def test_help_names_every_kind_and_flag(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, printed, _ = run_command(capsys, monkeypatch, "plot", "--help", columns=80)
    assert code == 0
    words = " ".join(printed.replace("│", " ").split())
    for kind in KINDS:
        assert kind in words
    for flag in ("--x", "--y", "--value", "--group", "--format", "--size", "--style", "--data"):
        assert flag in words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--x", "n"], "x goes with the kind heatmap or scaling; name it"),
        (["-k", "heatmop"], 'unknown kind "heatmop"; did you mean "heatmap"?'),
        (["-k", "heatmap", "--x", "widht"], 'no field "widht"; did you mean "width"?'),
        (["-k", "heatmap", "--value", "regrett"], 'no number "regrett"; did you mean "regret"?'),
        (["-k", "scaling"], "several fields vary (n, model.width); choose one as x, as in --x n"),
        (["--format", "png,jpg"], 'no format "jpg"; did you mean "png"? (--format png,svg,pdf)'),
        (["--size", "huge"], "column (3.25 inches wide), page (6.75), or WIDTHxHEIGHT"),
        (["-k", "survival", "--style", "seaborn"], 'no style "seaborn"'),
    ],
)
def test_mistakes_are_one_line(
    run_folder: Path,
    tmp_path: Path,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    code, _, err = run_command(
        capsys, monkeypatch, "plot", str(run_folder), *arguments, "--out", str(out), columns=80
    )
    assert code == 2
    assert message in " ".join(err.split()) and err.count("\n") <= 3
    assert not out.exists() or not list(out.iterdir())
