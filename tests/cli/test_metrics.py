"""`synthbench metrics`: tables to read, tables for other programs, mistakes in one line."""

from __future__ import annotations

import csv
import json
import shutil
from io import StringIO
from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from synthbench.records.content import record_bytes
from tests.cli.command import run_command
from tests.results.planned import Planned, planned_cells


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grid of 3 x 2 x 2: n, training set and learning rate, 0.1 by default."""
    folder = tmp_path_factory.mktemp("runs") / "grid"
    grid = product((10, 20, 40), (None, 500), (0.1, 0.05))
    cells = planned_cells(folder, *(
        Planned("mlp width=100" + ("" if lr == 0.1 else f" lr={lr}"), f"synthetic n={n}",
                task={"n": n}, recipe={"lr": lr}, protocol={"train_samples": rows},
                speed=20 / n * (1 + lr))
        for n, rows, lr in grid
    ))  # fmt: skip
    for cell in cells:
        (cell.folder / "record.json").write_bytes(record_bytes(cell.record))
    return folder


@pytest.fixture(scope="module")
def few(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cells of the grid, which differ in the learning rate, for who reads none of its rows."""
    folder = tmp_path_factory.mktemp("few") / "grid"
    for name in ("0", "1"):
        shutil.copytree(run_folder / name, folder / name)
    return folder


@pytest.fixture
def run_few(capsys, monkeypatch, few: Path):
    """As `run`, of the two cells."""

    def command(*arguments: str) -> tuple[int, str, str]:
        return run_command(capsys, monkeypatch, "metrics", str(few), *arguments, columns=80)

    return command


@pytest.fixture
def run(capsys, monkeypatch, run_folder: Path):
    """Exit code, output and errors of `synthbench metrics GRID ...`."""

    def command(*arguments: str, columns: int = 80) -> tuple[int, str, str]:
        words = ("metrics", str(run_folder), *arguments)
        return run_command(capsys, monkeypatch, *words, columns=columns)

    return command


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_the_report_is_as_wide_as_the_terminal(run, columns: int) -> None:
    code, printed, _ = run(columns=columns)
    lines = printed.splitlines()
    assert code == 0 and columns * 0.7 < max(map(len, lines)) <= columns
    assert lines[0] == "mlp width=100 on synthetic"
    rows = [line.split() for line in lines]
    if columns >= 80:
        assert sum(row[:3] == ["n", "lr", "train_samples"] for row in rows) >= 5
        assert sum(row[:3] == ["10", "0.05", "none"] for row in rows) >= 5
    else:
        assert ["#", "n", "lr", "train_samples"] in rows or ["n", "lr", "train_samples"] in [
            row[:3] for row in rows
        ]


def test_csv_and_json_are_alone_on_standard_output(run) -> None:
    code, printed, errors = run("--format", "csv", "--sort", "-n,lr", "--where", "n >= 20")
    rows = list(csv.DictReader(StringIO(printed)))
    assert code == 0 and not errors and len(rows) == 8
    assert [(row["n"], row["lr"]) for row in rows[:3]] == [
        ("40", "0.05"), ("40", "0.05"), ("40", "0.1"),
    ]  # fmt: skip
    code, printed, errors = run("-f", "json", "--columns", "n,lr,samples_to_target")
    assert code == 0 and not errors
    assert [list(row) for row in json.loads(printed)] == [["n", "lr", "samples_to_target"]] * 12


def test_a_file_says_its_format_by_its_name(run_few, tmp_path: Path) -> None:
    for name, start in (("t.csv", b"task,model"), ("t.json", b"[\n{"), ("t.tex", b"% mlp")):
        code, printed, _ = run_few("--out", str(tmp_path / name))
        assert code == 0 and printed == f"{tmp_path / name}  (2 rows)\n"
        assert (tmp_path / name).read_bytes().startswith(start)
    run_few("--out", str(tmp_path / "t.parquet"), "--per", "replica")
    assert len(pd.read_parquet(tmp_path / "t.parquet")) == 2 * 8


def test_a_baseline_pays_for_its_own_comparisons(run) -> None:
    every = run("--where", "n == 10 and train_samples == none")[1]
    assert "Holm's method over 1 comparison\n" in every
    one = run("--against", "mlp lr=0.1")[1]
    assert "comparisons against mlp width=100 lr=0.1 (paired seeds)" in one
    assert "over 6 comparisons" in one and "synthetic n=20, train_samples=500" in one
    rows = csv.DictReader(StringIO(run("--against", "mlp lr=0.1", "-f", "csv")[1]))
    assert [bool(row["p_value"]) for row in rows] == [False, True] * 6


def test_several_folders_are_one_table_and_a_cell_counts_once(run_few, few: Path) -> None:
    again = [str(few), str(few / "1")]
    assert run_few(*again, "-f", "csv")[1] == run_few("-f", "csv")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--columns", "n,regrat"], 'no column "regrat"; did you mean "regret"?'),
        (["--sort", "samples"], 'no column "samples"'),
        (["--where", "n = 20"], "cannot read the condition 'n = 20': invalid syntax"),
        (["--where", "lr == adam"], 'no column "adam"'),
        (["--where", "n > 99"], "no configuration meets the condition"),
        (["--where", "n > 99", "-f", "latex"], "no row meets the condition"),
        (["--format", "parquet"], "Parquet is not text; name a file for it with --out"),
        (["--out", "table.xls"], "does not say its format: let it end in .csv, .json"),
        (["--out", "nowhere/table.csv"], "cannot write nowhere/table.csv: No such file"),
        (["--against", "gru"], 'no model "gru" among these results'),
        (["--against", "mlp lr"], "write field=value"),
        (["--against", "mlp", "-f", "csv"], '"mlp" may be mlp width=100 lr=0.1 or mlp width'),
        (["--per", "replica", "--against", "mlp"], "compared in the table per configuration"),
    ],
)
def test_mistakes_are_one_line(run_few, arguments: list[str], message: str) -> None:
    code, printed, errors = run_few(*arguments)
    assert code == 2 and message in errors and not printed
    assert errors.startswith("error: ") and errors.count("\n") == 1


def test_copied_results_count_once_and_it_is_said(run_few, few: Path, tmp_path: Path) -> None:
    """A folder of results, and one cell beside itself."""
    copy = shutil.copytree(few, tmp_path / "copy")
    cell = next(path for path in copy.iterdir() if path.is_dir())
    shutil.copytree(cell, copy / f"{cell.name} (copy)")
    once, twice = run_few("--format", "csv"), run_few(str(copy), "--format", "csv")
    assert once[0] == twice[0] == 0 and once[2] == ""
    assert twice[1] == once[1]
    assert f"note: not counted twice: {few}" in twice[2] or str(copy) in twice[2]
    assert "and 2 more, whose replicas another folder holds too" in twice[2]


def test_a_cell_that_cannot_be_read_is_named_and_the_others_are_shown(
    capsys, monkeypatch, run_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "grid"
    shutil.copytree(run_folder, folder)
    bad = sorted(path for path in folder.iterdir() if path.is_dir())[0]
    (bad / "record.json").write_text("{")
    command = "metrics", str(folder), str(folder), "--per", "configuration", "--format", "json"
    code, out, err = run_command(capsys, monkeypatch, *command, columns=80)
    assert code == 0 and len(json.loads(out)) == 11
    assert err.splitlines() == [
        f"warning: left out: {bad}: {bad / 'record.json'} is not valid JSON; "
        "move it away, or train again with --no-resume"
    ]
    few = tmp_path / "few"
    for each in (bad, bad.with_name("3")):
        shutil.copytree(each, few / each.name)
    bad = few / bad.name
    plot = "plot", str(few), "--kind", "learning-curves", "--format", "svg"
    code, _, err = run_command(capsys, monkeypatch, *plot, columns=80)
    assert code == 0 and f"warning: left out: {bad}: " in err
