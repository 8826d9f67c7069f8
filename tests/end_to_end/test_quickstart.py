"""The bundled suite, whole, as the README runs it."""

from __future__ import annotations

import json
from pathlib import Path

from synthbench.registry.registry import installed
from tests.cli.command import run_command


def test_quickstart_shows_the_plateau_and_the_transition(
    tmp_path: Path, capsys, monkeypatch
) -> None:
    command = ("eval", "quickstart", "--out", str(tmp_path), "--workers", "0")
    code, _, err = run_command(capsys, monkeypatch, *command, columns=100)
    assert code == 0 and "Warning" not in err, err
    records = [json.loads(path.read_text()) for path in tmp_path.rglob("record.json")]
    by_model = {record["model"]: record for record in records}
    wide, narrow = by_model["mlp width=100"], by_model["mlp width=3"]
    assert len(wide["replicas"]) == len(narrow["replicas"]) == installed().suite("quickstart").seeds
    # science: 1,250 steps median in two prototypes, all solved; width 3 solves about half.
    assert wide["summary"]["solved"] == 32
    assert 0.75 * 1250 < wide["summary"]["steps_to_target"]["value"] < 1.25 * 1250
    assert 0 < narrow["summary"]["solved"] < 32
    assert (tmp_path / "quickstart" / "learning_curves.png").exists()
