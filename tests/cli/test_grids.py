"""`synthbench eval` with several values of a field, and with a study file."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st

import synthbench as sb
from synthbench.cli.main import main
from synthbench.cli.study_flags import asked_for
from synthbench.evaluation.studies.reading import as_study, read_study
from synthbench.plan.study.file import study_toml
from tests.cli.command import run_command

SMALL = [
    "--seeds", "2", "--evaluation-samples", "128", "--device", "cpu", "--replicas-per-block", "2",
]  # fmt: skip
GRID = [
    "--task", "sparse-parity n=8 k=2", "--model", "mlp width=[4,8]", "--budget", "640",
    "--train-samples", "[64,none]",
]  # fmt: skip


def run(capsys, monkeypatch, *arguments: str):
    return run_command(capsys, monkeypatch, "eval", *arguments, columns=300)


def folders(path: Path) -> dict[str, int]:
    return {found.parent.name: found.stat().st_mtime_ns for found in path.glob("*/record.json")}


def test_a_grid_its_file_and_a_part_of_it(capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    code, written, errors = run(capsys, monkeypatch, *GRID, *SMALL, "--print-config")
    assert code == 0 and errors == "" and not any(tmp_path.iterdir())
    counted = "1 task x 2 models x 2 protocols = 4 cells, 8 replicas; varied: width, train_samples"
    assert written.startswith(f"# {counted}\nname = ")
    Path("grid.toml").write_text(written)

    code, _, errors = run(capsys, monkeypatch, *GRID, *SMALL)
    assert code == 0 and errors.startswith(f"note: {counted}\n"), errors
    assert "mlp width=4 on sparse-parity n=8 k=2, train_samples=none: finished, " in errors
    trained = folders(tmp_path / "runs" / "sparse-parity")
    records = [each.record for each in sb.read_results(tmp_path / "runs")]
    assert {(r.task, r.model, r.protocol["train_samples"]) for r in records} == {
        ("sparse-parity n=8 k=2", f"mlp width={width}", samples)
        for width in (4, 8)
        for samples in (64, None)
    }

    code, _, errors = run(capsys, monkeypatch, "grid.toml", *SMALL[4:])
    assert code == 0 and errors.count("already finished") == 4, errors
    other = ["--train-samples", "64", "--model", "mlp width=[8,4]"]
    code, _, errors = run(capsys, monkeypatch, "grid.toml", *other)
    assert code == 0 and errors.startswith("note: 1 task x 2 models = 2 cells, 4 replicas; varied:")
    assert folders(tmp_path / "runs" / "sparse-parity") == trained


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.toml"], "cannot read nowhere.toml: No such file or directory"),
        (["bad.toml"], 'bad.toml:2: models: "mlp" has no field "widht"; did you mean "width"?'),
        (
            [*GRID, "--seeds", "[2,4]"],
            "--seeds [2,4]: one number is expected; the replicas",
        ),
        ([*GRID, "--train-samples", "log(16..64)"], "--train-samples log(16..64): give a count"),
        ([*GRID, "--model", "mlp lr=log(0.1..1)"], "or search the range with synthbench tune"),
        ([*GRID, "--until", "[solved,never]"], "--until [solved,never]: never: input should be"),
        ([*GRID, "--temperature", "inf", "--teacher", "mlp"], "temperature = inf: input should be"),
        ([*GRID, "--task", "sparse-parity n=[8,1] k=2"], "1 of the 2 tasks of"),
    ],
)
def test_mistakes_are_one_line(arguments, message, capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.toml").write_text('tasks = "sparse-parity"\nmodels = ["mlp widht=[4,8]"]\n')
    code, out, errors = run(capsys, monkeypatch, *arguments)
    assert code == 2 and out == "" and message in errors and len(errors.splitlines()) == 1, errors


def test_a_grid_is_counted_without_being_trained(capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, monkeypatch, *GRID, *SMALL, "--train-samples", "64", "--dry-run")
    assert code == 0 and out.count("mlp width=") == 2 and not list(tmp_path.iterdir())


SEVERAL = {
    "budget": ["640", "[1k,2000]", "log(640..2560,3)"],
    "train_samples": ["none", "[none,64]", "linear(64..192,3)"],
    "until": ["budget", "[budget,solved]"],
    "seeds": ["2", "16"],
    "precision": ["[32-true,64-true]"],
}
PROTOCOLS = st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in SEVERAL.items()})
TASKS = st.lists(
    st.sampled_from(["sparse-parity n=8", "sparse-parity n=[9,10] k=[2, 3]", "markov"]),
    min_size=1,
    max_size=2,
    unique=True,
)
MODELS = st.lists(
    st.sampled_from(
        [
            "mlp width=[4,8] lr=log(0.01..1,3)",
            "mlp 'clip=[none, 0.5]' loss=[hinge,logistic]",
            "mlp optimizer=[muon] optimizer.momentum=[0,0.9]",
            "polynet degree=[2,3]",
        ]
    ),
    min_size=1,
    max_size=2,
    unique=True,
)
SOURCES = st.sampled_from(
    [
        {},
        {"start": "mlp width=4@3"},
        {"mask": "mlp", "sparsity": 0.5},
        {"mask": "mlp", "sparsity": "[0,log(0.1..0.9,3)]"},
    ]
)
KEPT = st.sampled_from([{}, {"keep_weights": "all"}, {"keep_weights": "0,500"}])
SUITE = st.sampled_from([(None, {}), ("feature-learning-v1", {"cells": [1, 3]})])


@given(TASKS, MODELS, PROTOCOLS, SOURCES, KEPT, SUITE)
@trials(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_printed_file_is_the_same_study(
    tmp_path: Path, tasks, models, protocol, sources, kept, suite
) -> None:
    name, own = suite
    flags = {"models": models, **sources, **kept, **(own if name else {"tasks": tasks})}
    file = asked_for(name, flags, protocol)
    study = as_study(file)
    folder = study.folder
    path = tmp_path / "printed.toml"
    path.write_text(
        study_toml(file.changed({"name": folder.name, "out": str(folder.parent)})), encoding="utf-8"
    )
    again = read_study(path)
    assert again.cells == study.cells and again.folder == folder
    assert again.keep_weights == study.keep_weights and again.plan.suite == study.plan.suite
    assert again.summary() == study.summary()


def test_the_printed_file_of_a_suite(capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    command = "synthbench eval quickstart --seeds 4 -m 'mlp lr=[0.05, 0.1]' --print-config"
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert printed == (
        "# 1 quickstart cell x 2 models = 2 cells, 8 replicas; varied: lr\n"
        'name = "quickstart"\nout = "runs"\nsuite = "quickstart"\n'
        'models = [\n    "mlp lr=[0.05, 0.1]",\n]\n\n[protocol]\nseeds = 4\n'
    )


def test_one_bad_cell_of_three_is_named_and_the_others_are_shown(
    capsys, monkeypatch, tmp_path: Path
) -> None:
    command = (
        "eval", "--task", "sparse-parity n=6 k=2", "--model", "mlp width=[4,5,6]", "--seeds", "2",
        "--budget", "320", "--evaluation-samples", "128", "--workers", "0",
        "--out", str(tmp_path / "runs"), "--compile", "never",
    )  # fmt: skip
    assert run_command(capsys, monkeypatch, *command, columns=120)[0] == 0
    (bad,) = (tmp_path / "runs").rglob("*width5*/record.json")
    bad.write_text("{")
    code, out, err = run_command(capsys, monkeypatch, *command, columns=120)
    rows = [line.split() for line in out.splitlines() if "/2 [" in line]
    assert code == 2 and [row[0] for row in rows] == ["4", "6"]
    lines = err[err.index("error:") :].splitlines()
    assert lines[0] == "error: 1 of 3 cells failed, the others are finished:"
    assert f"{bad} is not valid JSON; move it away" in lines[1] and len(lines) == 3
