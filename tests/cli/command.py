"""Running a command in this process, as a person would type it."""

from __future__ import annotations

import sys

import pytest

from synthbench.cli.main import main


def run_command(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, *arguments: str, columns: int
):
    """Exit code, output and errors of `synthbench ARGUMENTS` on a terminal of so many columns."""
    monkeypatch.setattr(sys, "argv", ["synthbench", *arguments])
    monkeypatch.setenv("COLUMNS", str(columns))
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err
