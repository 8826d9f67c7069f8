"""Evaluations on a Ray cluster of two nodes on this machine: what is lost is trained again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

import synthbench as sb
from synthbench.contracts.launcher import Hear
from synthbench.evaluation.jobs import Said
from synthbench.evaluation.progress_relay import Advance
from synthbench.registry.registry import installed
from tests.evaluation.test_shared_stacks import Listening, cell
from tests.launchers.test_course import SETTINGS, assert_all_same

pytestmark = [
    pytest.mark.ray,
    # Ray leaves sockets and files to the end of the process.
    *map(
        pytest.mark.filterwarnings,
        (
            "ignore::ResourceWarning",
            "ignore::DeprecationWarning",
            "ignore::FutureWarning",
            "ignore::pytest.PytestUnraisableExceptionWarning",
        ),
    ),
]
# Long enough that a node can be lost in the middle of a block.
GRID = [
    cell("mlp width=32 lr=0.02", "sparse-parity n=12 k=3", budget=192_000, until="budget", seeds=6),
    cell("mlp width=24 lr=0.02", "sparse-parity n=12 k=3", budget=192_000, until="budget", seeds=4),
]
OFTEN = replace(SETTINGS.trainer, checkpoint_seconds=0.0)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> sb.Results:
    return sb.evaluate_cells(GRID, tmp_path_factory.mktemp("here"), replace(SETTINGS, workers=0))


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A head that trains nothing, and two nodes with a CPU each."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield cluster
    cluster.shutdown()


class Watched(sb.Launcher):
    """The launcher that is watched, and something that happens once a block has a checkpoint."""

    name: ClassVar[str] = "watched"
    launcher: sb.Launcher
    out: Path
    accident: Callable[[], None]
    happened: list[int] = []  # noqa: RUF012 - a field of pydantic's

    def open(self, hear: Hear) -> sb.Crew:
        """Open its crew."""

        def listen(said: Said) -> None:
            hear(said)
            advanced = isinstance(said.news, Advance) and said.news.steps > 100
            if advanced and not self.happened and any(self.out.rglob("block-*.ckpt")):
                self.happened.append(said.job)
                self.accident()

        return self.launcher.open(listen)


def ray(cluster: Any, more: str = "") -> sb.Launcher:
    return installed().launcher(f"ray address={cluster.address} {more}")


def tasks() -> list[int]:
    """The processes that do a job now."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cmdline").read_bytes().startswith(b"ray::do"):
                found.append(int(process.name))
        except OSError:
            pass
    return found


def lose_a_node(cluster: Any) -> None:
    cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)


def lose_a_worker(cluster: Any) -> None:
    os.kill(tasks()[0], signal.SIGKILL)


@pytest.mark.parametrize("lose", [lose_a_node, lose_a_worker])
@pytest.mark.parametrize("shared", [False, True], ids=["own folders", "shared folder"])
def test_what_is_lost_is_trained_again_to_the_same_bits(
    lose: Callable[[Any], None], shared: bool, cluster: Any, here: sb.Results, tmp_path: Path
) -> None:
    checkpoints = tmp_path / "checkpoints"
    launcher = Watched(
        launcher=ray(cluster, f"checkpoints={checkpoints}" if shared else ""),
        out=tmp_path,
        accident=lambda: lose(cluster),
        checkpoints=str(checkpoints) if shared else None,
    )
    listening = Listening()
    settings = replace(SETTINGS, launcher=launcher, listener=listening, trainer=OFTEN)
    results = sb.evaluate_cells(GRID, tmp_path / "runs", settings)
    assert_all_same(results, here)
    assert launcher.happened
    assert any("a task of the cluster was lost" in note for note in listening.notes)
    assert not list(tmp_path.rglob("*.ckpt"))


def test_a_driver_that_is_killed_goes_on_where_it_was(
    cluster: Any, here: sb.Results, tmp_path: Path
) -> None:
    command = [
        sys.executable, "-m", "synthbench", "eval", "--task", "sparse-parity n=12 k=3",
        "--model", "mlp width=32 lr=0.02", "--seeds", "6", "--budget", "192000",
        "--until", "budget", "--device", "cpu", "--replicas-per-block", "2",
        "--keep-weights", "last", "--out", "runs", "--checkpoint-seconds", "0",
    ]  # fmt: skip
    command += ["--launcher", f"ray address={cluster.address}"]
    command += ["--evaluation-samples", "256"]
    log = tmp_path / "log.txt"
    with log.open("w") as file:
        killed = subprocess.Popen(command, cwd=tmp_path, stdout=file, stderr=file)
        while not list(tmp_path.rglob("replicas-*.parquet")):
            assert killed.poll() is None, log.read_text()
            time.sleep(0.02)
        killed.kill()
        killed.wait()
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "continuing the unfinished run" in again.stderr
    (found,) = sb.read_results(tmp_path / "runs")
    expected = here[0]
    assert found.measured.trajectories.table.equals(expected.measured.trajectories.table)


def test_a_cluster_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = replace(SETTINGS, launcher="ray address=localhost:1")
    with pytest.raises(sb.LaunchError, match='no Ray cluster at address "localhost:1"'):
        sb.evaluate_cells(GRID, tmp_path, settings)
    with pytest.raises(sb.LaunchError, match="run the command on a node of the cluster"):
        sb.evaluate_cells(GRID, tmp_path, replace(settings, launcher="ray address=ray://host:1"))
