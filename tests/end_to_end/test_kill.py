"""Killed at any moment and run again, an evaluation ends as if it had not been."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

COMMAND = [
    sys.executable, "-m", "synthbench", "eval",
    "--task", "sparse-parity n=16 k=3",
    "--model", "mlp width=32 optimizer=adamw lr=0.003 schedule=cosine warmup=20",
    "--probe", "weight-movement",
    "--seeds", "14", "--budget", "32k", "--until", "budget", "--device", "cpu",
    "--replicas-per-block", "7", "--keep-weights", "--checkpoint-seconds", "0",
]  # fmt: skip


def start(out: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [*COMMAND, "--out", str(out)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(out: Path) -> tuple[Path, str]:
    process = start(out)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    (record,) = out.rglob("record.json")
    assert not list(record.parent.glob(".partial*")), "nothing half-finished is left"
    return record.parent, errors


def wait_for(out: Path, pattern: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 120
    while not list(out.rglob(pattern)):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)


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
        process.kill()
        process.communicate()
        assert not list(tmp_path.rglob("record.json")), "killed before the end"
    folder, errors = finish(tmp_path)
    assert "continuing the unfinished run" in errors
    same_trajectories(folder, unbroken)
    name = "weights.safetensors"
    assert (folder / name).read_bytes() == (unbroken / name).read_bytes()


@pytest.mark.parametrize("moment", ["before_add", "after_parquet", "after_record"])
def test_killed_at_the_seams(unbroken: Path, moment: str, tmp_path: Path) -> None:
    """After the last checkpoint, between a block's file and its checkpoint, after the record."""
    target = {
        "before_add": "synthbench.evaluation.partial_run.PartialRun.add",
        "after_parquet": "pathlib.Path.unlink",
        "after_record": "synthbench.evaluation.cell_run.remove_partial",
    }[moment]
    module, _, name = target.rpartition(".")
    program = (
        "import os, pkgutil, sys\n"
        "from synthbench.cli.main import main\n"
        "import synthbench.evaluation.cell_run, synthbench.evaluation.partial_run\n"
        f"owner = pkgutil.resolve_name({module!r})\n"
        f"real = getattr(owner, {name!r})\n"
        "def fatal(self, *rest, **named):\n"
        f"    seam = {moment!r}\n"
        "    if seam == 'after_parquet' and not (\n"
        "        self.suffix == '.ckpt' and list(self.parent.glob('replicas-*.parquet'))\n"
        "    ):\n"
        "        return real(self, *rest, **named)\n"
        "    if seam == 'after_record' and not (self / 'record.json').exists():\n"
        "        return real(self, *rest, **named)\n"
        "    os.kill(os.getpid(), 9)\n"
        f"setattr(owner, {name!r}, fatal)\n"
        f"sys.argv = {['synthbench', *COMMAND[3:], '--out', str(tmp_path)]!r}\n"
        "main()\n"
    )
    killed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    folder, _ = finish(tmp_path)
    assert (folder / "learning_curves.png").exists()
    same_trajectories(folder, unbroken)


def test_interrupted_says_how_to_continue(unbroken: Path, tmp_path: Path) -> None:
    process = start(tmp_path)
    wait_for(tmp_path, "block-*.ckpt", process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command continues where it stopped" in errors and "Traceback" not in errors
    folder, _ = finish(tmp_path)
    same_trajectories(folder, unbroken)


def test_a_damaged_checkpoint_starts_the_block_again(unbroken: Path, tmp_path: Path) -> None:
    process = start(tmp_path)
    wait_for(tmp_path, "block-*.ckpt", process)
    process.kill()
    process.communicate()
    (checkpoint,) = tmp_path.rglob("block-*.ckpt")
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    folder, errors = finish(tmp_path)
    assert "could not be read" in errors
    same_trajectories(folder, unbroken)
