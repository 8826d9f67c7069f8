"""A plugin that did not load is named by whatever command goes on without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.registry.plugin import PluginFailure
from synthbench.registry.registry import installed
from tests.cli.command import run_command


@pytest.mark.parametrize(
    "command",
    [
        ("list", "models"),
        ("leaderboard", "show", "quickstart"),
        ("eval", "-t", "sparse-parity n=6 k=2", "-m", "mlp width=4", "--print-config"),
    ],
)
def test_it_is_named_and_the_command_goes_on(
    command: tuple[str, ...], capsys, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    failure = PluginFailure("odd", "odd-tasks", "1.0", "ImportError: no module named numbers2")
    monkeypatch.setattr(installed().host, "failures", [failure])
    code, out, err = run_command(capsys, monkeypatch, *command, columns=200)
    line = 'plugin "odd" of odd-tasks 1.0 was set aside: ImportError: no module named numbers2'
    assert not code and (out + err).count(line) == 1 and len(out.splitlines()) > 2
