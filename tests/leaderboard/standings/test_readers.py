"""Many submissions are read by several processes, by a script without a guard too."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from synthbench.errors import SubmissionError
from synthbench.leaderboard.standings.readers import read_side_by_side

FOLDERS = [Path(f"folder-{place}") for place in range(17)]
SCRIPT = """
import os
from pathlib import Path
from synthbench.leaderboard.standings.readers import read_side_by_side

class Local:
    def __call__(self, folder):
        return folder.name, os.getpid()

print("once")
folders = [Path(str(n)) for n in range(16)]
print([n == str(p) for p, n in zip(folders, read_side_by_side(os.path.basename, folders, 2))])
print({pid == os.getpid() for _, pid in read_side_by_side(Local(), folders, 2)})
"""


def name_and_process(folder: Path) -> tuple[str, int]:
    """Where a folder is read."""
    return folder.name, os.getpid()


def test_folders_come_back_in_their_order_from_other_processes() -> None:
    found = list(read_side_by_side(name_and_process, FOLDERS, processes=2))
    assert [name for name, _ in found] == [folder.name for folder in FOLDERS]
    processes = {process for _, process in found}
    assert os.getpid() not in processes and 1 <= len(processes) <= 2


def test_a_few_are_read_here() -> None:
    found = read_side_by_side(name_and_process, FOLDERS[:15], processes=2)
    assert {process for _, process in found} == {os.getpid()}


def die(folder: Path) -> int:
    """Be killed, as by a system without memory, unless it is the process of the test."""
    if os.environ.get("SYNTHBENCH_TEST_PROCESS") != str(os.getpid()):
        os.kill(os.getpid(), signal.SIGTERM)
    return len(folder.name)


def test_what_a_killed_process_was_to_read_is_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHBENCH_TEST_PROCESS", str(os.getpid()))
    found = list(read_side_by_side(die, FOLDERS, processes=2))
    assert found == [len(folder.name) for folder in FOLDERS]


def refuse(folder: Path) -> None:
    raise SubmissionError(f"{folder} is refused")


def test_an_error_is_that_of_reading_here(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SubmissionError, match="folder-0 is refused"):
        list(read_side_by_side(refuse, FOLDERS, processes=2))
    assert capfd.readouterr().err == ""


def test_a_script_needs_no_guard_and_its_own_classes_are_read_in_it(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == ["once", str([True] * 16), "{True}"]
