"""Output is readable wherever a command runs: in ASCII, in a log, in no width at all."""

from __future__ import annotations

import io
import os
import sys

import pytest
from rich.console import Console

from synthbench.cli.surroundings import make_output_readable, watched
from tests.cli.command import run_command


def test_what_ascii_has_no_letter_for_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    make_output_readable()
    print("holds ✓ → 3", flush=True)
    assert written.getvalue() == b"holds ? ? 3\n"


def test_a_stream_that_says_what_it_does_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")
    monkeypatch.setattr(sys, "stdout", stream)
    make_output_readable()
    assert stream.errors == "backslashreplace"


@pytest.mark.parametrize(
    ("width", "kept"), [("0", False), ("-3", False), ("", False), ("70", True)]
)
def test_no_width_in_which_nothing_has_a_place(
    width: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    make_output_readable()
    assert ("COLUMNS" in os.environ) == kept


def test_a_table_in_a_width_of_0_is_not_empty(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, output, _ = run_command(capsys, monkeypatch, "list", "probes", columns=0)
    assert "weight-movement" in output


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_in_a_log_are_no_terminal_to_be_animated() -> None:
    log, terminal = (
        Console(file=file, force_terminal=True) for file in (io.StringIO(), _Terminal())
    )
    assert watched(log).quiet and watched(terminal) is terminal
    with watched(log).status("working"):
        pass
    assert log.file.getvalue() == ""  # type: ignore[attr-defined]
