"""Results on fresh seeds without training: times are made up, the rest is as it should be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from synthbench.hashing import file_hash
from synthbench.leaderboard.submissions.files import FRESH_FILE
from synthbench.leaderboard.submissions.fresh import first_fresh_seed
from synthbench.plan.suite import Suite

BEACON = "2999-01-02 lottery 4 8 15 16 23 42"


def write_fresh(
    folder: Path, suite: Suite, times: Sequence[Sequence[int | None]], beacon: str = BEACON
) -> Path:
    """`fresh.json` beside a submission; times: (C, N), which must be evaluation points."""
    record = json.loads((folder / "cell-01" / "record.json").read_text())
    cells = [
        {
            "samples_to_target": list(own),
            "data": [_hash(f"{number} {seed}") for seed in range(len(own))],
            "environment": record["environment"],
            "wall_seconds": 1.0,
        }
        for number, own in enumerate(times)
    ]
    content = {
        "schema_version": 1,
        "submission": file_hash(folder / "submission.json"),
        "beacon": beacon,
        "first_seed": first_fresh_seed(beacon, suite),
        "seeds": len(times[0]),
        "created": "2999-01-03",
        "cells": cells,
    }
    path = folder / FRESH_FILE
    path.write_text(json.dumps(content))
    return path


def edit_fresh(folder: Path, change: Callable[[dict], object]) -> None:
    path = folder / FRESH_FILE
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
