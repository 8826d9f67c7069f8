"""W&B runs: an offline run is read back from the file and held against the record."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import wandb

import synthbench as sb
from synthbench.cli.main import main
from synthbench.hashing import file_hash
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed
from synthbench.results.figures.picture import Picture
from synthbench_wandb.history import configuration, group_name, seedless_hash
from synthbench_wandb.tracked_run import TrackedRun
from tests.plugins.wandb_file import OfflineRun
from tests.wandb_isolation import isolated_wandb
from tests.wandb_server import KEY, wandb_server

COMMAND = [
    "eval", "--task", "sparse-parity n=10 k=2", "--model", "mlp width=16", "--seeds", "6",
    "--budget", "6400", "--evaluation-samples", "256", "--probe", "weight-movement",
    "--replicas-per-block", "4", "--device", "cpu", "--wandb", "acme/parity",
]  # fmt: skip


def run_command(patch: pytest.MonkeyPatch, *arguments: str) -> int:
    patch.setattr(sys, "argv", ["synthbench", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@dataclass
class Logged:
    """A cell, and the offline runs that its command left."""

    result: sb.CellResult
    folder: Path

    @property
    def runs(self) -> list[Path]:
        return sorted(self.folder.glob("offline-run-*"))


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    root = tmp_path_factory.mktemp("tracked")
    with isolated_wandb(root / "home"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_MODE", "offline")
        # Where words and legends go takes longest, and is looked at in the tests of figures.
        patch.setattr(Picture, "settle", lambda self: self)
        assert run_command(patch, *COMMAND, "--out", str(root / "runs")) == 0
        out = root / "runs" / "sparse-parity"
        yield Logged(sb.read_results(out)[0], out / "wandb")


@pytest.fixture(scope="module")
def run(logged: Logged) -> OfflineRun:
    (folder,) = logged.runs
    return OfflineRun(folder)


def test_the_run_is_named_after_its_plan(run: OfflineRun, logged: Logged) -> None:
    record = logged.result.record
    assert (run.run.entity, run.run.project) == ("acme", "parity")
    assert run.run.run_id == record.plan_hash[:16]
    assert run.run.display_name == "mlp width=16 on sparse-parity n=10 k=2"
    assert run.run.run_group.startswith("mlp width=16 on sparse-parity n=10 k=2 ")
    assert run.exit_code == 0


def test_the_configuration_is_the_plan(run: OfflineRun, logged: Logged) -> None:
    record, config = logged.result.record, run.config
    plan = {**record.plan, "probes": {"weight-movement": {"version": 1}}}
    assert {**config["plan"], "probes": {"weight-movement": {"version": 1}}} == plan
    assert list(config["plan"]["probes"]) == ["weight-movement"]
    assert config["plan_hash"] == record.plan_hash
    assert config["task"] == record.task and config["cell"] == "sparse-parity-n10-k2"
    assert config["environment"]["torch"] == record.environment.torch
    assert config["compute"]["parameters"] == record.compute.parameters


@pytest.mark.parametrize("column", ["accuracy", "progress", "loss", "weight-movement/l2"])
@pytest.mark.parametrize(("name", "level"), [("p10", 0.1), ("median", 0.5), ("p90", 0.9)])
def test_curves_are_quantiles_of_the_trajectories(
    column: str, name: str, level: float, run: OfflineRun, logged: Logged
) -> None:
    samples, values = logged.result.measured.trajectories.carried_forward(column)
    rows = np.array(run.rows("samples", f"{column}/{name}"))
    assert rows[:, 0].tolist() == samples.tolist()
    np.testing.assert_allclose(rows[:, 1], np.quantile(values, level, axis=0), rtol=1e-12)


@pytest.mark.parametrize("column", ["accuracy", "progress", "weight-movement/l2"])
def test_the_interval_of_the_median_stands_beside_it(
    column: str, run: OfflineRun, logged: Logged
) -> None:
    """Of six replicas it reaches from the least to the largest: 1 - 2 / 2^6 = 0.97."""
    _, values = logged.result.measured.trajectories.carried_forward(column)
    rows = np.array(run.rows(f"{column}/median_low", f"{column}/median_high"))
    np.testing.assert_allclose(rows, np.stack([values.min(0), values.max(0)], 1), rtol=1e-12)


def test_a_group_holds_what_differs_in_its_seeds_alone(small_cell: Cell) -> None:
    def other(**changes: object) -> Cell:
        protocol = small_cell.protocol.model_copy(update=changes)
        return replace(small_cell, protocol=protocol)

    group = group_name(small_cell)
    assert group == group_name(other(seeds=99)) == group_name(other(first_seed=7))
    elsewhere = [
        other(budget=6_400),
        other(train_samples=100),
        replace(small_cell, model=installed().model("mlp width=17")),
        replace(small_cell, task=installed().task("sparse-parity n=10 k=3")),
        replace(small_cell, probes=(installed().probe("weight-norm"),)),
    ]
    assert len({group, *map(group_name, elsewhere)}) == 6
    long = replace(small_cell, model=installed().model("mlp lr=0." + "1" * 200))
    assert len(group_name(long)) <= 128 and group_name(long)[-8:] == seedless_hash(long)[:8]
    assert configuration(small_cell, None)["configuration"] == seedless_hash(small_cell)


def test_curves_are_drawn_against_samples(run: OfflineRun) -> None:
    for name in ("accuracy/*", "progress/*", "loss/*", "weight-movement/l2/*", "share_solved"):
        assert run.metrics[name].step_metric == "samples", name
    assert run.metrics["samples"].options.hidden


def test_the_share_solved_rises_to_the_success_rate(run: OfflineRun, logged: Logged) -> None:
    times = [r.samples_to_target for r in logged.result.record.replicas]
    for samples, share in run.rows("samples", "share_solved"):
        assert share == np.mean([t is not None and t <= samples for t in times])


def test_training_was_watched_through_lightning(run: OfflineRun, logged: Logged) -> None:
    rows = run.rows("live/samples", "live/median/accuracy", "live/replicas_solved")
    samples = [row[0] for row in rows]
    assert len(rows) > 10 and samples.count(samples[0]) == 2, "two blocks, each from its start"
    assert max(samples) == max(logged.result.measured.trajectories.column("samples"))
    assert not [name for name in run.summary if name.startswith("live/")]


def test_the_table_has_a_row_for_every_replica(run: OfflineRun, logged: Logged) -> None:
    (found,) = [row for row in run.history if "outcomes/path" in row]
    table = json.loads((run.folder / "files" / found["outcomes/path"]).read_text())
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    scores = logged.result.measured.trajectories.by_replica("accuracy")
    for row, replica, score in zip(rows, logged.result.record.replicas, scores, strict=True):
        assert row["replica"] == replica.replica and row["outcome"] == replica.outcome
        assert row["samples_to_target"] == replica.samples_to_target
        assert {p: row[f"seed_{p}"] for p in replica.seeds} == replica.seeds
        assert row["final_accuracy"] == score[-1]


def test_the_summary_holds_estimates_with_their_intervals(run: OfflineRun, logged: Logged) -> None:
    row = logged.result.table().iloc[0]
    for name in ("samples_to_target", "success_rate", "flops_to_target", "onset", "final_score"):
        for end in ("", "_low", "_high"):
            expected = row[name + end]
            assert run.summary.get(name + end, np.nan) == pytest.approx(expected, nan_ok=True)
    assert run.summary["solved"] == logged.result.record.summary.solved


def test_figures_and_the_record_go_along(run: OfflineRun, logged: Logged) -> None:
    (found,) = [row for row in run.history if "outcomes/path" in row]
    for kind in ("learning-curves", "survival", "transition-raster", "probes"):
        picture = run.folder / "files" / found[f"figures/{kind}/path"]
        assert picture.read_bytes().startswith(b"\x89PNG")
    (artifact,) = [a for a in run.artifacts if a.type == "synthbench-record"]
    files = {entry.path: Path(entry.local_path) for entry in artifact.manifest.contents}
    assert set(files) == {"record.json", "trajectories.parquet"}
    for name, path in files.items():
        assert file_hash(path) == file_hash(logged.result.folder / name)


def test_the_same_command_again_writes_no_second_run(
    logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = logged.runs
    assert run_command(monkeypatch, *COMMAND, "--out", str(logged.folder.parents[1])) == 0
    assert logged.runs == before


@pytest.mark.parametrize("mode", ["online", "disabled"])
def test_there_is_nothing_to_upload_but_offline(
    mode: str, wandb_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "wandb" / "offline-run-1-a" / "run-a.wandb"
    run.parent.mkdir(parents=True)
    run.touch()
    tracker = installed().tracker("wandb project=acme/parity")
    monkeypatch.setenv("WANDB_MODE", mode)
    assert tracker.closing_note(tmp_path) is None
    monkeypatch.setenv("WANDB_MODE", "offline")
    wandb.teardown()
    assert tracker.closing_note(tmp_path).endswith(f"wandb sync {tmp_path}/wandb/offline-run-*")


def test_an_offline_run_can_be_synced(
    run: OfflineRun, wandb_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [str(Path(sys.executable).with_name("wandb")), "sync", str(run.folder)]
    with wandb_server(monkeypatch) as server:
        done = subprocess.run(command, cwd=wandb_home, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    (synced,) = server.runs.values()
    rows = [(row["samples"], row["progress/p90"]) for row in synced.history if "samples" in row]
    assert rows == run.rows("samples", "progress/p90")
    assert synced.summary["samples_to_target"] == run.summary["samples_to_target"]


def test_the_last_line_says_how_to_upload(
    logged: Logged, wandb_home: Path, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for synced in logged.folder.rglob("*.synced"):
        synced.unlink()
    monkeypatch.setenv("WANDB_MODE", "offline")
    arguments = [*COMMAND, "--out", str(logged.folder.parents[1])]
    assert run_command(monkeypatch, *arguments) == 0
    note = capfd.readouterr().err.splitlines()[-1]
    said, command = note.split(": wandb ")
    assert said.endswith("W&B was offline; to upload its runs")
    # The very words, as a shell reads them.
    with wandb_server(monkeypatch) as server:
        monkeypatch.delenv("WANDB_MODE")
        wandb_command = shlex.quote(str(Path(sys.executable).with_name("wandb")))
        subprocess.run(f"{wandb_command} {command}", shell=True, cwd=wandb_home, check=True)
        assert list(server.runs) == [logged.result.record.plan_hash[:16]]
    monkeypatch.setenv("WANDB_MODE", "offline")
    wandb.teardown()
    assert run_command(monkeypatch, *arguments) == 0
    assert "upload" not in capfd.readouterr().err, "nothing waits any more"


def test_a_finished_cell_is_uploaded_once_whoever_asks_again(
    logged: Logged, wandb_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Those that are drawn are looked at in the offline run.
    monkeypatch.setattr("synthbench_wandb.tracked_run._pictures", lambda *_: ())
    out = logged.folder.parents[1]
    samples, scores = logged.result.measured.trajectories.quantiles("accuracy", [0.5])
    with wandb_server(monkeypatch) as server:
        for _ in range(2):
            assert run_command(monkeypatch, *COMMAND, "--out", str(out)) == 0
            # What is known of the run comes from the server.
            for folder in logged.folder.glob("run-*"):
                shutil.rmtree(folder)
            ((name, run),) = server.runs.items()
            assert name == logged.result.record.plan_hash[:16]
            rows = [(r["samples"], r["accuracy/median"]) for r in run.history if "samples" in r]
            assert rows == list(zip(samples, scores[0], strict=True))
            assert run.summary["samples_to_target"] == (
                logged.result.record.summary.samples_to_target.value
            )
            wandb.teardown()


def test_without_an_account_one_line_and_nothing_trains(
    wandb_home: Path, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    assert run_command(monkeypatch, *COMMAND, "--out", str(out)) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert error.startswith("error: not logged in to Weights & Biases; run `wandb login`")
    assert "WANDB_MODE=offline" in error
    assert not out.exists()


NOT_IMPORTED = """
import sys
from synthbench.cli.main import main
sys.argv = ["synthbench", *{arguments}]
try:
    main()
except SystemExit as ended:
    print(ended.code, "torch" in sys.modules, "pytorch_lightning" in sys.modules)
"""


def test_without_an_account_nothing_is_imported(
    wandb_home: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = NOT_IMPORTED.format(arguments=[*COMMAND, "--out", str(out)])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["2", "False", "False"]
    assert done.stderr.startswith("error: not logged in to Weights & Biases")


def test_the_key_is_looked_for_where_wandb_looks(
    wandb_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens at the address of this server, and nobody is asked."""
    tracker = installed().tracker("wandb project=acme/parity")
    with pytest.raises(sb.SynthbenchError, match="not logged in"):
        tracker.ready()
    monkeypatch.setenv("WANDB_MODE", "offline")
    wandb.teardown()
    tracker.ready()
    monkeypatch.delenv("WANDB_MODE")
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1:9 login user password {KEY}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    wandb.teardown()
    tracker.ready()


@pytest.mark.parametrize("name", ["a/b/c", "what?", "", "a/"])
def test_a_project_that_cannot_be_is_refused(
    name: str, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    assert run_command(monkeypatch, *COMMAND[:-1], name, "--out", str(out)) == 2
    assert "must be PROJECT or ENTITY/PROJECT" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("name", ["123", "true", "a 'quoted' one"])
def test_a_project_may_look_like_a_number(name: str) -> None:
    from synthbench.cli.eval import wandb_reference

    assert installed().tracker(wandb_reference(name)).project == name


def test_ids_are_ours_under_a_sweep_too(tmp_path: Path) -> None:
    """An agent's variables name one run, which both cells would be."""
    registry = installed()
    cells = [
        sb.Cell(registry.task("sparse-parity n=6 k=2"), registry.model(model), sb.Protocol())
        for model in ("mlp width=4", "mlp width=5")
    ]
    with isolated_wandb(tmp_path / "home"), pytest.MonkeyPatch.context() as patch:
        for name, value in (("MODE", "offline"), ("SWEEP_ID", "abc"), ("RUN_ID", "ofthesweep")):
            patch.setenv(f"WANDB_{name}", value)
        for cell in cells:
            tracked = TrackedRun((None, "parity"), cell, None, tmp_path / "runs" / "cell")
            run = tracked._open()
            assert (run.id, run.project) == (cell.plan_hash()[:16], "parity")
            run.finish()
        assert wandb.setup().settings.sweep_id == "abc", "as it was"
