"""Every task from the command line, with bundled models, and under the laws of tasks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import synthbench_field

import synthbench as sb
from synthbench.cli.main import main
from synthbench.registry.registry import installed
from synthbench.testing import check_task

FULL = "mlp width=16 optimizer=adam lr=0.01 batch_size=full"
MLP = "mlp width=16 batch_size=16"
SEQUENCES = "transformer layers=1 width=8 batch_size=16"
COMMANDS = {
    "modular-addition p=5 share=0.5": FULL,
    "automaton group=s3 length=6 longer=[9]": SEQUENCES,
    "dyck k=2 m=2 length=8 longer=[12]": SEQUENCES,
    "mqar pairs=2 symbols=4": SEQUENCES,
    "icl-regression d=2 examples=3 pool=2": SEQUENCES,
    "spurious-parity n=8": MLP,
    "multi-index d=4 link=he1": MLP,
    "tabular table=breast-cancer rows=20": FULL,
    "curriculum-parity n=8 biased_steps=2": MLP,
}
"""Task -> a model for it."""
LONG = {"icl-regression"}
"""Tasks whose evaluation takes longest; others show the same."""
CONSTANT = {"automaton", "mqar"}
"""Tasks that hide nothing."""


def test_every_task_is_here() -> None:
    names = sorted(task.name for task in synthbench_field.register_tasks())
    assert names == sorted(reference.split()[0] for reference in COMMANDS) and len(names) == 9


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param(each, marks=[pytest.mark.slow] if each.split()[0] in LONG else [])
        for each in COMMANDS
    ],
    ids=lambda reference: reference.split()[0],
)
def test_evaluation_by_command(
    reference: str, field: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["eval", "--task", reference, "--model", COMMANDS[reference], "--budget", "64",
             "--seeds", "2", "--device", "cpu", "--replicas-per-block", "2"]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["synthbench", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    (result,) = sb.read_results("runs")
    assert result.record.summary.replicas == 2
    # Every test set but the first has columns of its own.
    columns, task = result.trajectories.column_names, installed().task(reference)
    for place, name in enumerate(task.test_sets()):
        assert (f"progress@{name}" if place else "progress") in columns
        assert (f"loss@{name}" if place else "loss") in columns


@pytest.mark.slow
@pytest.mark.parametrize("task", synthbench_field.register_tasks(), ids=lambda task: task.name)
def test_every_law(task: type[sb.Task]) -> None:
    check_task(task(), constant_world=task.name in CONSTANT)
