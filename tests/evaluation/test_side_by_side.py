"""The same command several times at once, on one folder: every cell is trained by one of them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from synthbench.records import read_record
from tests.end_to_end.forked import Forked

COMMAND = [
    "eval", "--task", "sparse-parity n=10 k=2", "--task", "sparse-parity n=11 k=2",
    "--model", "mlp width=16", "--model", "mlp width=17",
    "--seeds", "4", "--budget", "6400", "--device", "cpu", "--replicas-per-block", "4",
    "--workers", "0",
]  # fmt: skip
FINISHED = re.compile(r"^\[\d/4\] (.*): (already finished|finished), ", re.MULTILINE)


@pytest.mark.parametrize("count", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_every_cell_is_trained_once(count: int, tmp_path: Path) -> None:
    arguments = [*COMMAND, "--out", str(tmp_path / "runs")]
    commands = [Forked.start(arguments, tmp_path / f"{i}.txt") for i in range(count)]
    for command in commands:
        assert command.end() == 0, command.printed()
    trained: Counter[str] = Counter()
    for command in commands:
        said = FINISHED.findall(command.printed())
        assert len({name for name, _ in said}) == len(said) == 4, "each hears of every cell"
        trained.update(name for name, how in said if how == "finished")
    assert len(trained) == 4 and set(trained.values()) == {1}
    records = [read_record(path.parent) for path in tmp_path.rglob("record.json")]
    assert len(records) == 4
    assert not list(tmp_path.rglob(".partial*"))
