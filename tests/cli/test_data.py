"""`synthbench data export`: what cannot be written or sent is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.cli.data import push
from synthbench.errors import OutputError
from tests.cli.command import run_command

TASK = "sparse-parity n=6 k=2"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--to", "file"), "file is no folder; choose another --to"),
        (("--to", "full"), "full is not empty; choose another --to"),
        (("--to", "new", "--seed", str(2**64)), "Invalid value for '--seed'"),
    ],
)
def test_what_cannot_be_is_a_line(
    arguments: tuple[str, ...],
    line: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    Path("full").mkdir()
    Path("full", "note").write_text("")
    code, _, error = run_command(
        capsys, monkeypatch, "data", "export", TASK, *arguments, columns=200
    )
    assert code == 2 and line in error and "Traceback" not in error
    assert not Path("new").exists()


@pytest.mark.parametrize("error", [ConnectionError("no route\nto it"), ValueError("bad name")])
def test_a_hub_that_is_not_there_is_a_line(error: Exception) -> None:
    class Unreachable:
        def push_to_hub(self, name: str) -> None:
            raise error

    with pytest.raises(OutputError, match=r"cannot push to a/b: .*(no route|bad name)") as found:
        push(Unreachable(), "a/b")  # type: ignore[arg-type]
    assert "\n" not in str(found.value) and "--to" in str(found.value)
