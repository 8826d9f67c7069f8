"""Killed at any moment and run again, an evaluation ends as if it had not been."""

from __future__ import annotations

import os
import pkgutil
import signal
import time
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.end_to_end.forked import Forked, nothing

COMMAND = [
    "eval",
    "--task", "sparse-parity n=16 k=3",
    "--model", "mlp width=32 optimizer=adamw lr=0.003 schedule=cosine warmup=20",
    "--probe", "weight-movement",
    "--seeds", "14", "--budget", "16k", "--until", "budget", "--device", "cpu",
    "--replicas-per-block", "7", "--keep-weights", "last", "--checkpoint-seconds", "0",
]  # fmt: skip
SEAMS = {
    "before_add": "synthbench.evaluation.partial_run.PartialRun.add",
    "after_parquet": "pathlib.Path.unlink",
    "after_record": "synthbench.evaluation.cell_run.remove_partial",
}
"""Moment -> what is about to be called."""


def start(folder: Path, before: Any = nothing) -> Forked:
    """Start the command in a process; its results go to `runs` in the folder."""
    arguments = [*COMMAND, "--out", str(folder / "runs")]
    return Forked.start(arguments, folder / "printed.txt", before)


def finish(folder: Path) -> tuple[Path, str]:
    """Run the command to its end; returns the cell's folder and what was printed."""
    process = start(folder)
    assert process.end() == 0, process.printed()
    (record,) = folder.rglob("record.json")
    assert not list(record.parent.glob(".partial*")), "nothing half-finished is left"
    return record.parent, process.printed()


def wait_for(folder: Path, pattern: str, process: Forked) -> None:
    deadline = time.monotonic() + 120
    while not list(folder.rglob(pattern)):
        assert process.is_running(), "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def kill_at(moment: str) -> None:
    """Have this process kill itself where the seam's function would be called."""
    module, _, name = SEAMS[moment].rpartition(".")
    owner = pkgutil.resolve_name(module)
    real = getattr(owner, name)

    def fatal(self: Any, *rest: Any, **named: Any) -> Any:
        reached = {
            "before_add": lambda: True,
            "after_parquet": lambda: (
                self.suffix == ".ckpt" and any(self.parent.glob("replicas-*.parquet"))
            ),
            "after_record": lambda: (self / "record.json").exists(),
        }[moment]
        if reached():
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, *rest, **named)

    setattr(owner, name, fatal)


def same_trajectories(folder: Path, unbroken: Path) -> None:
    """Equal to the bit; where not, the failure names the first row of each column that differs."""
    name = "trajectories.parquet"
    found, expected = pq.read_table(folder / name), pq.read_table(unbroken / name)
    differing = {
        column: next(
            (row, a, b)
            for row, (a, b) in enumerate(zip(x.to_pylist(), y.to_pylist(), strict=True))
            if a != b
        )
        for column in expected.column_names
        for x, y in [(found[column], expected[column])]
        if not x.equals(y)
    }
    assert not differing
    assert (folder / name).read_bytes() == (unbroken / name).read_bytes(), "tables are equal"


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finish(tmp_path_factory.mktemp("unbroken"))[0]


def test_killed_three_times_gives_the_same_bytes(unbroken: Path, tmp_path: Path) -> None:
    # In the first block, between the blocks, and in the second block.
    for pattern, delay in (
        ("block-*.ckpt", 0.2),
        ("replicas-000000.parquet", 0.0),
        ("block-*.ckpt", 0.1),
    ):
        process = start(tmp_path)
        wait_for(tmp_path, pattern, process)
        time.sleep(delay)
        process.signal(signal.SIGKILL)
        process.end()
        assert not list(tmp_path.rglob("record.json")), "killed before the end"
    folder, errors = finish(tmp_path)
    assert "continuing the unfinished run" in errors
    same_trajectories(folder, unbroken)
    name = "weights.safetensors"
    assert (folder / name).read_bytes() == (unbroken / name).read_bytes()


@pytest.mark.parametrize("moment", SEAMS)
def test_killed_at_the_seams(unbroken: Path, moment: str, tmp_path: Path) -> None:
    """After the last checkpoint, between a block's file and its checkpoint, after the record."""
    killed = start(tmp_path, partial(kill_at, moment))
    assert killed.end() == -signal.SIGKILL, killed.printed()
    folder, _ = finish(tmp_path)
    assert (folder / "learning_curves.png").exists()
    same_trajectories(folder, unbroken)


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_interrupted_says_how_to_continue(
    number: signal.Signals, code: int, word: str, unbroken: Path, tmp_path: Path
) -> None:
    process = start(tmp_path)
    wait_for(tmp_path, "block-*.ckpt", process)
    process.signal(number)
    assert process.end(60) == code
    errors = process.printed()
    assert (
        f"{word}; the same command continues where it stopped" in errors
        and "Traceback" not in errors
    )
    folder, _ = finish(tmp_path)
    same_trajectories(folder, unbroken)


def test_a_damaged_checkpoint_starts_the_block_again(unbroken: Path, tmp_path: Path) -> None:
    process = start(tmp_path)
    wait_for(tmp_path, "block-*.ckpt", process)
    process.signal(signal.SIGKILL)
    process.end()
    (checkpoint,) = tmp_path.rglob("block-*.ckpt")
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    folder, errors = finish(tmp_path)
    assert "could not be read" in errors
    same_trajectories(folder, unbroken)
