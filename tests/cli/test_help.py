"""What `-h` shows on 80 columns: every command, every flag, nothing cut short."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from synthbench.cli.main import app, main

Place = tuple[str, ...]


def commands(command: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every command of the app, groups among them, by the words that name it."""
    yield place, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*place, name))


FOUND = dict(commands(typer.main.get_command(app)))


@pytest.fixture(params=list(FOUND), ids=" ".join)
def shown(request, capsys, monkeypatch) -> tuple[Any, str]:
    """A command, and its help as a terminal of 80 columns shows it."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "argv", ["synthbench", *request.param, "-h"])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    assert ended.value.code == 0 and captured.err == ""
    return FOUND[request.param], captured.out


def test_commands_are_found_in_the_app() -> None:
    assert {("eval",), ("leaderboard", "submit"), ("plugin", "new")} < set(FOUND)


def test_it_fits_the_terminal_and_cuts_nothing(shown: tuple[Any, str]) -> None:
    _, text = shown
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


def test_every_flag_stands_whole_beside_what_it_takes(shown: tuple[Any, str]) -> None:
    command, text = shown
    # The first column of the options: what a line begins with, two blanks in.
    heads = re.findall(r"^  (-.*?)(?:  |$)", text, re.MULTILINE)
    options = [each for each in command.params if each.param_type_name == "option"]
    assert len(heads) == len(options) + 1, "and --help"
    for option in options:
        names = {*option.opts, *option.secondary_opts}
        (head,) = [each for each in heads if names <= set(re.split(r"[ ,/]+", each))]
        if not option.is_flag:
            rest = re.split(r"[ ,]+", head, maxsplit=len(names))[-1]
            assert rest and not rest.startswith("-"), f"{head} says nothing of its value"
        assert option.help, f"{head} says nothing"


def test_every_command_is_named_with_its_whole_first_sentence(shown: tuple[Any, str]) -> None:
    command, text = shown
    words = re.sub(r"\s+", " ", text)
    for name, below in getattr(command, "commands", {}).items():
        assert f" {name} {' '.join(below.get_short_help_str(10_000).split())}" in words


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_both_flags_are_help(flag: str, capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["synthbench", "leaderboard", "submit", flag])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("Usage: synthbench leaderboard submit [OPTIONS]")
