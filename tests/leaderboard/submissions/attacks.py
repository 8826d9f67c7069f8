"""Tools of an attacker: edit a submission, then make every hash right again."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthbench.errors import SubmissionError
from synthbench.hashing import content_hash
from synthbench.leaderboard.submissions.expected import ExpectedCell, expected_cells
from synthbench.leaderboard.submissions.reading import CheckedSubmission, read_submission
from synthbench.metrics.summary import summarize
from synthbench.metrics.time_to_target import Target, times_to_target
from synthbench.metrics.trajectories import Trajectories
from synthbench.plan.suite import Suite
from synthbench.records.content import parquet_bytes
from synthbench.records.hashed import own_hash
from tests.leaderboard.synthetic import make_submission

RECORD, TABLE, MANIFEST = "record.json", "trajectories.parquet", "submission.json"
MODEL = "mlp width=16"
SUITE = Suite(
    name="attacked",
    version=1,
    title="A suite under attack",
    description="Two small cells.",
    seeds=3,
    evaluation_samples=128,
    models=(MODEL,),
    probes=("weight-movement",),
    columns=("plateau", "width", "stages", "lead"),
    lead="weight-movement/l2",
    tuning_trials=2,
    cells=(
        {"task": "sparse-parity n=10 k=2", "budget": 3200},
        {"task": "sparse-parity n=12 k=2", "budget": 6400},
    ),
)
SMALL = SUITE.model_copy(update={"name": "small", "cells": SUITE.cells[:1]})
TIMES = np.array([[600.0, 900.0, np.inf], [1500.0, np.inf, 2500.0]])

Change = Callable[[dict], object]
Attack = Callable[[Path], object]


def honest(suite: Suite, folder: Path) -> Path:
    """An honest submission: in each cell two replicas solve the task, one does not."""
    return make_submission(suite, folder, "honest", TIMES[: len(suite.cells)]).folder


def read(folder: Path, suite: Suite = SUITE) -> CheckedSubmission:
    return read_submission(folder, suite, expected(suite))


def expected(suite: Suite, _known: dict[str, list[ExpectedCell]] = {}) -> list[ExpectedCell]:  # noqa: B006
    return _known.setdefault(suite.name, expected_cells(suite))


def refusal(folder: Path, suite: Suite = SUITE) -> str:
    """The line with which a submission is refused; it must be one, and nothing may change."""
    before = listing(folder.parent)
    with pytest.raises(SubmissionError) as caught:
        read(folder, suite)
    assert listing(folder.parent) == before
    reason = str(caught.value)
    assert reason.isprintable() and 0 < len(reason) < 600, ascii(reason)
    assert caught.value.__suppress_context__
    return reason


def listing(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Every path below a folder: kind, size and time of change."""
    found = {}
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            status = os.lstat(Path(root) / name)
            kind = stat.S_IFMT(status.st_mode)
            found[str(Path(root) / name)] = (kind, status.st_size, status.st_mtime_ns)
    return found


def cells_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name.startswith("cell-"))


def edit_json(path: Path, change: Change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def edit_manifest(folder: Path, change: Change) -> None:
    edit_json(folder / MANIFEST, change)


def edit_record(folder: Path, change: Change, cell: int = 1) -> None:
    """Change one cell's record; every hash is right afterwards."""
    edit_json(folder / f"cell-{cell:02d}" / RECORD, change)
    seal(folder)


def edit_records(folder: Path, change: Change) -> None:
    """Change the records of all cells alike."""
    for path in cells_of(folder):
        edit_json(path / RECORD, change)
    seal(folder)


def edit_table(
    folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame], *, follow: bool = False
) -> None:
    """Change the first cell's trajectories; every hash is right afterwards.

    follow: outcomes, times and summary of the record are computed from them anew.
    """
    path = folder / "cell-01" / TABLE
    frame = change(pq.read_table(path).to_pandas())
    path.write_bytes(parquet_bytes(pa.Table.from_pandas(frame, preserve_index=False)
                                   .replace_schema_metadata(None)))  # fmt: skip
    if follow:
        edit_json(path.parent / RECORD, lambda record: _follow(record, path))
    seal(folder)


def _follow(record: dict, path: Path) -> None:
    trajectories, protocol = Trajectories.read(path), record["plan"]["protocol"]
    target = Target(record["plan"]["task"]["target"], protocol["hold"], protocol["budget"])
    reached = times_to_target(trajectories, target)
    for replica, solved, time in zip(
        record["replicas"], reached.solved, reached.times, strict=True
    ):
        failed = "diverged" if replica["outcome"] == "diverged" else "censored"
        replica["outcome"] = "solved" if solved else failed
        replica["samples_to_target"] = int(time) if solved else None
    costs = record["compute"]
    costs["replica_steps"] = sum(int(steps[-1]) for steps in trajectories.by_replica("step"))
    record["summary"] = summarize(
        trajectories,
        target,
        batch_size=record["plan"]["model"]["recipe"]["batch_size"],
        step_flops=costs["step_flops"],
        diverged=sum(replica["outcome"] == "diverged" for replica in record["replicas"]),
    ).model_dump(mode="json")


def seal(folder: Path) -> None:
    """Make the hashes of files, plans and records right, as any attacker can."""
    digests = []
    for cell in cells_of(folder):
        content = json.loads((cell / RECORD).read_text())
        if TABLE in content["files"]:
            content["files"][TABLE] = _digest(cell / TABLE)
        content["plan_hash"] = content_hash(content["plan"])
        content["content_hash"] = own_hash(content)
        (cell / RECORD).write_text(json.dumps(content))
        digests.append(_digest(cell / RECORD))
    edit_manifest(folder, lambda manifest: manifest.update(records=digests))


def seal_records(folder: Path) -> None:
    """Make the manifest's hashes right, whatever the records hold."""
    digests = [_digest(cell / RECORD) for cell in cells_of(folder)]
    edit_manifest(folder, lambda manifest: manifest.update(records=digests))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_tuned(folder: Path, trials: list[dict] | None = None) -> None:
    """Put it into the tuned track, with one trial for each cell unless others are given."""
    cells = range(1, len(cells_of(folder)) + 1)
    own = [trial(cell=cell) for cell in cells] if trials is None else trials
    edit_manifest(folder, lambda manifest: manifest.update(track="tuned", trials=own))


def trial(**changes: object) -> dict:
    own = {"cell": 1, "model": MODEL, "first_seed": 100, "seeds": 3, "samples": 9600, "flops": 10}
    return {**own, **changes}


def set_at(*path: object) -> Change:
    """A change that puts the last item at the place that the others name."""
    *steps, key, value = path

    def change(content: dict) -> None:
        place = content
        for step in steps:
            place = place[step]
        place[key] = value

    return change


def record(*path: object) -> Attack:
    return partial(edit_record, change=set_at(*path))


def manifest(*path: object) -> Attack:
    return partial(edit_manifest, change=set_at(*path))


def plan(*path: object) -> Attack:
    """The same change to the plans of all cells."""
    return partial(edit_records, change=set_at("plan", *path))


def cheap_steps(content: dict) -> None:
    content["compute"]["step_flops"] = 10


def dearer(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(flops=frame.step * 10)
