"""The bundled suite, whole, as the README runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from synthbench.registry.registry import installed


def test_quickstart_shows_the_plateau_and_the_transition(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "synthbench", "eval", "quickstart", "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr, done.stderr
    records = [json.loads(path.read_text()) for path in tmp_path.rglob("record.json")]
    by_model = {record["model"]: record for record in records}
    wide, narrow = by_model["mlp width=100"], by_model["mlp width=3"]
    assert len(wide["replicas"]) == len(narrow["replicas"]) == installed().suite("quickstart").seeds
    # science: 1,250 steps median in two prototypes, all solved; width 3 solves about half.
    assert wide["summary"]["solved"] == 32
    assert 0.75 * 1250 < wide["summary"]["steps_to_target"]["value"] < 1.25 * 1250
    assert 0 < narrow["summary"]["solved"] < 32
    assert (tmp_path / "quickstart" / "learning_curves.png").exists()
