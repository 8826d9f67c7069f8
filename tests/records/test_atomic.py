"""Files and folders that are whole or absent, whatever is killed meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

from synthbench.records import atomic


def test_a_stage_is_gone_afterwards_and_those_of_killed_processes_go_with_the_next(
    tmp_path: Path,
) -> None:
    machine = atomic._machine()
    gone = [f".stagingab_c1.{machine}-{2**22 + 1}.partial", ".abcd_ef1.partial"]
    stay = [f".stagingab_c1.{machine}-{os.getpid()}.partial", ".downloads.partial", ".partial"]
    for name in (*gone, *stay):
        (tmp_path / name / "cell").mkdir(parents=True)
    # Of an earlier version: whose it is cannot be known, so it has to be an hour old.
    (tmp_path / ".abcd_ef2.partial").mkdir()
    os.utime(tmp_path / gone[1], (0, 0))
    os.utime(tmp_path / stay[1], (0, 0))
    with atomic.staging(tmp_path) as stage:
        (stage / "cell").mkdir()
        with atomic.staging(tmp_path) as other:
            assert stage.is_dir() and other != stage
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {*stay, ".abcd_ef2.partial"}
