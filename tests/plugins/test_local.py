"""Processes of this machine: what they are given comes back, and they end with who started them.

Workers here import nothing ahead: what a training needs, and they import, is for the tests of
launchers (`tests/launchers/test_local.py`).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import synthbench as sb
from synthbench_local.crew import LocalCrew
from synthbench_local.devices import own_device

SECONDS = 60
PYTHON_HERE = sys.executable


PYTHON = """#!{python}
import sys
sys.path[:] = {path!r}
from synthbench_local import worker
worker._import = lambda: None
exec(sys.argv[2])
"""
"""What starts workers in the place of Python: their job is `-c code`."""


@pytest.fixture
def bare_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Workers that are ready at once, without torch."""
    found = tmp_path / "python"
    found.write_text(PYTHON.format(python=sys.executable, path=sys.path))
    found.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(found))
    return found


def identity(_: Callable[[Any], None]) -> int:
    return os.getpid()


def talk(words: list[str], tell: Callable[[Any], None]) -> str:
    print("not an answer")
    for word in words:
        tell(word)
    return "".join(words)


def fail(_: Callable[[Any], None]) -> None:
    raise sb.InterfaceError("it does not fit")


def return_what_stays(_: Callable[[Any], None]) -> object:
    return threading.Lock()


def wait_long(tell: Callable[[Any], None]) -> None:
    tell(os.getpid())
    time.sleep(SECONDS)


def is_gone(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.usefixtures("bare_python")
def test_workers_answer_are_replaced_when_killed_and_end_when_the_crew_does() -> None:
    heard: list[Any] = []
    with LocalCrew(1, heard.append) as crew:
        assert (crew.slots, crew.room) == (1, 2)
        first, second = crew.submit(identity), crew.submit(partial(talk, ["a", "b"]))
        assert first.result(SECONDS) != os.getpid()
        assert second.result(SECONDS) == "ab"
        assert heard == ["a", "b"], "said before the result is there"

        with pytest.raises(sb.InterfaceError, match="it does not fit") as raised:
            crew.submit(fail).result(SECONDS)
        assert "in fail" in "".join(raised.value.__notes__)
        with pytest.raises(RuntimeError, match="cannot leave its worker"):
            crew.submit(return_what_stays).result(SECONDS)
        heard.clear()

        lost, next_one = crew.submit(wait_long), crew.submit(wait_long)
        wait_until(lambda: len(heard) == 1)
        os.kill(heard[0], signal.SIGKILL)
        with pytest.raises(sb.WorkerLost, match=r"a worker was killed \(SIGKILL\)"):
            lost.result(SECONDS)
        wait_until(lambda: len(heard) == 2)
        assert heard[1] != heard[0] and not next_one.done()
    assert is_gone(heard[1]), "in the middle of a job"


def test_a_crew_that_never_starts_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with LocalCrew(1, print) as crew:
        with pytest.raises(sb.LaunchError, match="a worker ended with exit code 1 before it could"):
            crew.submit(identity).result(SECONDS)


OWNER = """
import os
import sys
import time
from synthbench_local.crew import LocalCrew

def wait_long(tell):
    tell(os.getpid())
    time.sleep(60)

sys.executable = sys.argv[1]
crew = LocalCrew(1, lambda process: print(process, flush=True))
crew.submit(wait_long)
time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked for in /proc")
def test_workers_do_not_outlive_who_started_them(bare_python: Path) -> None:
    command = [PYTHON_HERE, "-c", OWNER, str(bare_python)]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with owner:
        assert owner.stdout is not None
        worker = int(owner.stdout.readline())
        assert not is_gone(worker)
        owner.kill()
    wait_until(lambda: is_gone(worker))


def test_each_worker_sees_one_of_several_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    seen = [own_device(place, {})["CUDA_VISIBLE_DEVICES"] for place in range(3)]
    assert seen == ["0", "1", "0"]
    named = {"CUDA_VISIBLE_DEVICES": "5,3", "HOME": "/root"}
    assert own_device(1, named) == {"CUDA_VISIBLE_DEVICES": "3", "HOME": "/root"}
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    assert own_device(1, {"HOME": "/root"}) == {"HOME": "/root"}
