"""Mutated submissions: each is read, or refused in one line, and nothing else.

Two hundred and fifty are tried, with `pytest -m slow` two thousand.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from random import Random

import numpy as np
import pytest
from pydantic import BaseModel

from synthbench.cli.leaderboard.show import show_command
from synthbench.errors import SubmissionError
from synthbench.hashing import content_hash
from synthbench.leaderboard.standings.placing import read_board
from synthbench.records.hashed import own_hash
from synthbench.registry.kinds import SUITE
from synthbench.registry.registry import installed
from tests.leaderboard.submissions.attacks import MANIFEST, RECORD, SMALL, TABLE, read
from tests.leaderboard.submissions.mutations import Files, dump, mutate

RECORD_PATH, TABLE_PATH = f"cell-01/{RECORD}", f"cell-01/{TABLE}"
SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 8))]
EACH = 250


def seal(files: Files) -> Files:
    """Make right every hash that can still be."""
    sealed = dict(files)
    try:
        record = json.loads(sealed[RECORD_PATH])
        record["files"][TABLE] = hashlib.sha256(sealed[TABLE_PATH]).hexdigest()
        record["plan_hash"] = content_hash(record["plan"])
        record["content_hash"] = own_hash(record)
        sealed[RECORD_PATH] = dump(record)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        pass
    try:
        manifest = json.loads(sealed[MANIFEST])
        manifest["records"] = [hashlib.sha256(sealed[RECORD_PATH]).hexdigest()]
        sealed[MANIFEST] = dump(manifest)
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        pass
    return sealed


def numbers(value: object, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number in a board, with the name of its field."""
    if isinstance(value, np.ndarray):
        value = value.ravel().tolist()
    elif isinstance(value, BaseModel):
        value = value.model_dump()
    elif is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, int | float):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from numbers(item, f"{name}.{key}")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from numbers(item, name)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mutated_submission_is_read_or_refused(
    seed: int,
    small: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(installed().host.plugins[0].provided[SUITE], SMALL.name, SMALL)
    original = {name: (small / name).read_bytes() for name in (MANIFEST, RECORD_PATH, TABLE_PATH)}
    folder = tmp_path / SMALL.name / "submissions" / "honest"
    (folder / "cell-01").mkdir(parents=True)
    accepted, reasons = 0, set()
    for number in range(EACH):
        files = mutate(original, Random(f"{seed}/{number}"), seal)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        try:
            read(folder, SMALL)
        except SubmissionError as error:
            assert str(error).isprintable() and 0 < len(str(error)) < 600, (seed, number)
            reasons.add(str(error))
        else:
            accepted += 1
            check_board(tmp_path, f"{seed}/{number}")
            assert capsys.readouterr().out
    # The mutations reach far: many reasons, and some are no forgery.
    assert 0 < accepted < EACH / 2 and len(reasons) > EACH / 5


def check_board(folder: Path, which: str) -> None:
    """What was accepted can be ranked and shown, in finite numbers."""
    board = read_board(SMALL, folder)
    assert not board.refused and len(board.entries) == 1
    for name, value in numbers(board.entries):
        # Curves have gaps and profiles no end where nothing was measured or solved.
        undefined = ".curve." in name or name == ".profile"
        assert undefined or math.isfinite(value), (which, name, value)
    show_command(SMALL.name, boards=folder)
