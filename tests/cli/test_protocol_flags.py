"""The flags that are made from the protocol's fields: what they take, say and refuse."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from synthbench.cli.main import main
from synthbench.cli.protocol_flags import FLAGS, OF_SUITES
from synthbench.plan.protocol import Protocol
from synthbench.plan.suite import Suite, SuiteCell


def test_help_says_what_the_docstrings_say() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "synthbench", "eval", "--help"],
        env={"COLUMNS": "400", "PATH": ""}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    words = re.sub(r"[\s│]+", " ", shown.stdout)
    for name in FLAGS:
        field = Protocol.model_fields[name]
        assert f"--{name.replace('_', '-')}" in words
        assert " ".join(field.description.split()) in words
        if field.default is not None:
            assert f"Default: {field.default}" in words


def test_what_a_suite_fixes_is_what_a_suite_holds() -> None:
    held = {*Suite.model_fields, *SuiteCell.model_fields}
    assert set(OF_SUITES) == held & set(FLAGS)


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[Protocol]:
    """The protocols of the cells that would be evaluated."""
    seen: list[Protocol] = []

    def stop(cells, *rest: object) -> None:
        seen.extend(cell.protocol for cell in cells)
        raise KeyboardInterrupt

    monkeypatch.setattr("synthbench.evaluation.studies.study.evaluate_cells", stop)
    return seen


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["synthbench", "eval", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 130


CELL = ("--task", "sparse-parity n=8", "--model", "mlp")


def test_every_flag_reaches_the_protocol(planned, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {
        "seeds": 8,
        "first_seed": 3,
        "initializations": 4,
        "budget": 64_000,
        "train_samples": 2_000,
        "score": "accuracy@far",
        "evaluation_samples": 256,
        "until": "budget",
        "precision": "64-true",
    }
    assert set(changes) == set(FLAGS)
    typed = [f"--{name.replace('_', '-')}={value}" for name, value in changes.items()]
    run(monkeypatch, *CELL, *typed)
    assert planned == [Protocol(**changes)]


def test_without_flags_it_is_the_default(planned, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, *CELL)
    assert planned == [Protocol()]


def test_a_suite_keeps_what_no_flag_changes(planned, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, "feature-learning-v1", "--seeds", "4", "--model", "mlp")
    run(monkeypatch, "feature-learning-v1", "--budget", "3.2k", "--model", "mlp")
    few, short = planned[: len(planned) // 2], planned[len(planned) // 2 :]
    assert {p.seeds for p in few} == {4}
    assert len({p.budget for p in few}) > 1
    assert {p.seeds for p in short} == {32}
    assert {p.budget for p in short} == {3200}


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--until=done", "--until done: input should be 'solved' or 'budget'"),
        ("--precision=8", "--precision 8: input should be '32-true'"),
        ("--seeds=0", "--seeds"),
        ("--budget=few", "'few' is not a number of samples"),
    ],
)
def test_a_value_that_is_not_allowed(flag, message, monkeypatch, capsys, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["synthbench", "eval", *CELL, flag])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not any(tmp_path.iterdir())
