"""Submissions tampered with: hashes are right wherever an attacker can make them so."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from tests.leaderboard.submissions.attacks import (
    MANIFEST,
    MODEL,
    RECORD,
    TABLE,
    Attack,
    edit_json,
    edit_manifest,
    edit_record,
    listing,
    make_tuned,
    manifest,
    read,
    record,
    refusal,
    seal,
    seal_records,
    set_at,
    trial,
)


def other_model(content: dict) -> None:
    content["plan"]["model"]["width"] = 32
    content["model"] = "mlp width=32"


def swap_cells(folder: Path) -> None:
    (folder / "cell-01").rename(folder / "kept")
    (folder / "cell-02").rename(folder / "cell-01")
    (folder / "kept").rename(folder / "cell-02")
    seal(folder)


def link(folder: Path, name: str) -> None:
    path = folder / name
    away = path.rename(folder.parent.parent / path.name)
    path.symlink_to(away)


def copy(folder: Path) -> None:
    shutil.copytree(folder / "cell-01", folder / "cell-03")
    seal(folder)


HASHES: dict[str, tuple[Attack, str]] = {
    "record edited": (
        lambda f: edit_json(f / "cell-02" / RECORD, set_at("created", "2026-01-01T00:00:00")),
        "cell 2: record.json does not match its hash in submission.json",
    ),
    "trajectories edited": (
        lambda f: (f / "cell-01" / TABLE).write_bytes((f / "cell-02" / TABLE).read_bytes()),
        "cell 1: trajectories.parquet does not match its hash",
    ),
    "plan edited": (
        lambda f: (
            edit_json(f / "cell-01" / RECORD, set_at("plan_hash", "0" * 64)),
            seal_records(f),
        ),
        "cell 1: record.json: plan_hash does not match the plan",
    ),
    "hashes swapped": (
        lambda f: edit_manifest(f, lambda m: m["records"].reverse()),
        "cell 1: record.json does not match its hash",
    ),
    "hash left out": (lambda f: edit_manifest(f, lambda m: m["records"].pop()), "1 records, the"),
}
TRACKS: dict[str, tuple[Attack, str]] = {
    "mixed models": (partial(edit_record, change=other_model), "one configuration for all cells"),
    "trials in the other track": (manifest("trials", [trial()]), "trials are for the tuned track"),
    "tuned without trials": (partial(make_tuned, trials=[]), "and it needs some"),
    "a cell without trials": (
        partial(make_tuned, trials=[trial()]),
        "cell 2: 0 configurations were",
    ),
    "trials on the board's seeds": (
        partial(make_tuned, trials=[trial(first_seed=2), trial(cell=2)]),
        "trials: seeds 2... are the leaderboard's own",
    ),
    "too many trials": (
        partial(make_tuned, trials=[trial()] * 3 + [trial(cell=2)]),
        "cell 1: 3 configurations were tried, the suite asks for 1 to 2",
    ),
    "trials of no cell": (
        partial(make_tuned, trials=[trial(), trial(cell=3)]),
        "there is no cell 3",
    ),
    "never tried": (
        partial(make_tuned, trials=[trial(), trial(cell=2, model="mlp width=17")]),
        f"cell 2: the submitted model '{MODEL}' is not among its trials",
    ),
    "tried on another cell": (
        partial(make_tuned, trials=[trial(model="mlp"), trial(cell=2)]),
        f"cell 1: the submitted model '{MODEL}' is not among its trials",
    ),
}
FILES: dict[str, tuple[Attack, str]] = {
    "cells swapped": (swap_cells, "cell 1: plan: task.n is 12, the suite says 10"),
    "cell missing": (lambda f: shutil.rmtree(f / "cell-02"), "cell-02 is missing"),
    "cell too many": (copy, "unexpected file 'cell-03' in honest"),
    "record missing": (
        lambda f: (f / "cell-01" / RECORD).unlink(),
        "cell-01/record.json is missing",
    ),
    "table missing": (
        lambda f: (f / "cell-01" / TABLE).unlink(),
        "trajectories.parquet is missing",
    ),
    "manifest missing": (lambda f: (f / MANIFEST).unlink(), "submission.json is missing"),
    "a file too many": (
        lambda f: (f / "README.md").touch(),
        "unexpected file 'README.md' in honest",
    ),
    "a hidden file": (lambda f: (f / "cell-02" / ".x").touch(), "unexpected file '.x' in cell-02"),
    "weights": (
        lambda f: (f / "cell-02" / "weights.safetensors").touch(),
        "unexpected file 'weights",
    ),
    "weights listed": (record("files", "weights.safetensors", "0" * 64), "weights.safetensors"),
    "linked record": (
        partial(link, name="cell-01/record.json"),
        "cell-01/record.json is not an ord",
    ),
    "linked cell": (partial(link, name="cell-02"), "cell-02 is missing or not a folder"),
    "linked manifest": (partial(link, name=MANIFEST), "submission.json is not an ordinary file"),
    "file for a cell": (
        lambda f: (shutil.rmtree(f / "cell-01"), (f / "cell-01").touch()),
        "cell-01 is missing or not a folder",
    ),
    "other name": (manifest("name", "honestly"), "name is 'honestly', its folder is 'honest'"),
    "unknown field": (manifest("rank", 1), "submission.json: rank: extra inputs are not permitted"),
    "unknown field of a record": (record("rank", 1), "cell 1: record.json: rank: extra inputs"),
}
ATTACKS = {
    f"{kind}: {name}": attack
    for kind, attacks in {
        "hash": HASHES,
        "track": TRACKS,
        "files": FILES,
    }.items()
    for name, attack in attacks.items()
}


@pytest.mark.parametrize("name", ATTACKS)
def test_tampering_is_refused_with_its_reason(name: str, attacked: Path) -> None:
    attack, reason = ATTACKS[name]
    attack(attacked)
    assert reason in refusal(attacked)


def test_the_honest_are_accepted(attacked: Path) -> None:
    before = listing(attacked)
    found = read(attacked)
    assert [cell.record.model for cell in found.cells] == [MODEL, MODEL]
    assert found.submission.tuning_samples == 0
    seal(attacked)
    assert read(attacked).cells[0].record == found.cells[0].record
    make_tuned(attacked)
    assert read(attacked).submission.tuning_samples == 2 * 9600
    assert listing(attacked).keys() == before.keys()


def test_a_folder_that_is_a_link_is_refused(attacked: Path) -> None:
    other = attacked.with_name("other")
    attacked.rename(other)
    attacked.symlink_to(other)
    assert "is not a folder with a submission" in refusal(attacked)
