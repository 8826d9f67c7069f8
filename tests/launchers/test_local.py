"""Evaluations on processes of this machine: killed, interrupted, of any number: the same bits.

`pytest -m slow` adds several workers at a time, signals to a command, and a script's own classes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

import synthbench as sb
from synthbench.contracts.launcher import Hear
from synthbench.evaluation.jobs import Said
from synthbench.evaluation.progress_relay import Advance
from synthbench_local.crew import LocalCrew
from tests.evaluation.test_shared_stacks import Listening
from tests.launchers.test_course import GRID, SETTINGS, assert_all_same, here, train

__all__ = ["here"]


class Killing(sb.Launcher):
    """Local workers, of which one is killed once a block of it has a checkpoint and goes on."""

    name: ClassVar[str] = "killing"
    out: Path
    workers: int
    killed: list[int] = []  # noqa: RUF012 - a field of pydantic's

    def open(self, hear: Hear) -> LocalCrew:
        """Open them."""

        def listen(said: Said) -> None:
            hear(said)
            advanced = isinstance(said.news, Advance) and said.news.steps > 0
            if advanced and not self.killed and any(self.out.rglob("block-*.ckpt")):
                # Every worker has a thread that hears it.
                slot = crew._slots[crew._threads.index(threading.current_thread())]
                self.killed.append(slot._running().pid)
                os.kill(self.killed[0], signal.SIGKILL)

        crew = LocalCrew(self.workers, listen)
        return crew


# A process that imports torch costs more than what it trains.
@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_killed_worker_costs_no_bit(workers: int, tmp_path: Path) -> None:
    launcher, listening = Killing(out=tmp_path / "killed", workers=workers), Listening()
    often = replace(SETTINGS.trainer, checkpoint_seconds=0.0)
    # Of two cells in one stack: each worker that starts records it anew.
    cells = GRID[:2]
    results = train(cells, launcher.out, launcher=launcher, listener=listening, trainer=often)
    assert_all_same(results, train(cells, tmp_path / "here", workers=0))
    assert len(launcher.killed) == 1
    assert any("a worker was killed (SIGKILL); its work begins" in n for n in listening.notes)
    for each in results:
        assert each.record.environment.threads == 1


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_any_number_of_workers_has_the_bits_of_this_process(
    workers: int, here: sb.Results, tmp_path: Path
) -> None:
    results = train(GRID, tmp_path, workers=workers, replicas_per_block=None)
    assert_all_same(results, here)


SCRIPT = """
import synthbench as sb
from torch import nn


class Wide(sb.Model):
    name = "wide"
    inputs, outputs = (sb.Signs,), (sb.Margin,)
    width: int = 8
    recipe: sb.Recipe = sb.Recipe(lr=0.1)

    def build(self, interface):
        return Net(interface.input.n, self.width)


class Net(nn.Module):
    def __init__(self, n, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(n, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, x):
        return self.layers(x).squeeze(-1)


def build(interface):
    return Net(interface.input.n, 12)


for model in (Wide(), build, lambda interface: Net(interface.input.n, 16)):
    settings = sb.Settings(workers=WORKERS, replicas_per_block=2)
    result = sb.evaluate("sparse-parity n=8 k=2", model, seeds=4, budget=6400, settings=settings)
    print(result.measured.trajectories.table.to_pandas().to_csv())
"""


@pytest.mark.slow
def test_classes_of_a_script_reach_workers_and_the_script_needs_no_guard(tmp_path: Path) -> None:
    said = []
    for workers in (0, 2):
        folder = tmp_path / str(workers)
        folder.mkdir()
        (folder / "script.py").write_text(SCRIPT.replace("WORKERS", str(workers)))
        command = [sys.executable, "script.py"]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        said.append(ran.stdout)
    assert said[0] == said[1] and len(said[0].splitlines()) > 10


COMMAND = [
    "eval", "--task", "sparse-parity n=16 k=3",
    "--model", "mlp width=32 optimizer=adamw lr=0.003", "--model", "mlp width=24",
    "--seeds", "8", "--budget", "16k", "--until", "budget", "--device", "cpu",
    "--replicas-per-block", "2", "--checkpoint-seconds", "0",
]  # fmt: skip


def workers_of(folder: Path) -> list[int]:
    """Processes whose working directory, which a command and its workers share, is the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve() == folder.resolve():
                found.append(int(process.name))
        except OSError:
            pass
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked for in /proc")
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_an_ended_evaluation_leaves_no_worker_and_continues(
    number: signal.Signals, code: int, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "synthbench", *COMMAND, "--out", "runs"]
    ended = subprocess.Popen(
        [*command, "--workers", "2"], cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    with ended:
        while not list(tmp_path.rglob("replicas-*.parquet")):
            assert ended.poll() is None
            time.sleep(0.01)
        if number == signal.SIGINT:
            os.killpg(ended.pid, number)  # As a terminal does.
        else:
            ended.send_signal(number)
        assert ended.wait(60) == code
        assert ended.stderr is not None
        errors = ended.stderr.read()
    deadline = time.monotonic() + 30
    while workers_of(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if number != signal.SIGKILL:
        assert "the same command continues where it stopped" in errors
        assert "Traceback" not in errors
    tables = []
    for folder, more in ((tmp_path, ["--workers", "2"]), (tmp_path / "unbroken", [])):
        folder.mkdir(exist_ok=True)
        ran = subprocess.run(
            [*command, *more], cwd=folder, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        runs = sorted((folder / "runs").rglob("trajectories.parquet"))
        tables.append([path.read_bytes() for path in runs])
        assert more == [] or "continuing the unfinished run" in ran.stderr
    assert len(tables[0]) == 2 and tables[0] == tables[1]
