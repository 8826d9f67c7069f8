"""What a shell is offered: by the protocol that its script speaks, and by bash itself."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from synthbench.cli import completion
from synthbench.cli.main import main
from synthbench.contracts.recipe import ELEMENTWISE
from synthbench.errors import UnknownNameError
from synthbench.registry.kinds import MODEL, SUITE
from synthbench.registry.registry import installed


def offered(capsys, monkeypatch, line: str) -> list[str]:
    """What bash is given for the last word of a line that is being typed."""
    words = line.split(" ") if "'" not in line else [*line[: line.index("'")].split(), "'"]
    monkeypatch.setenv("_SYNTHBENCH_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    monkeypatch.setattr(sys, "argv", ["synthbench"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    return capsys.readouterr().out.splitlines()


def test_commands_flags_and_kinds(capsys, monkeypatch) -> None:
    assert offered(capsys, monkeypatch, "synthbench pl") == ["plot", "plugin"]
    assert "--budget" in offered(capsys, monkeypatch, "synthbench eval --b")
    assert offered(capsys, monkeypatch, "synthbench list m") == ["models", "measurements"]


@pytest.mark.parametrize("before", ["eval", "leaderboard show", "leaderboard build"])
def test_suites(before: str, capsys, monkeypatch) -> None:
    found = offered(capsys, monkeypatch, f"synthbench {before} ")
    assert set(installed().names(SUITE)) <= set(found)
    assert offered(capsys, monkeypatch, f"synthbench {before} quick")[0].startswith("quick")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("eval --task sparse", ["sparse-parity"]),
        ("eval -p weight-m", ["weight-movement"]),
        ("eval --tracker w", ["wandb"]),
        ("data export spars", ["sparse-parity"]),
        ("plugin check weight-mo", ["weight-movement"]),
        ("plugin check hidden-pr", ["hidden-progress"]),
        ("study run hidden-pr", ["hidden-progress"]),
        ("study report hidden-pr", ["hidden-progress"]),
        ("list stu", ["studies"]),
    ],
)
def test_names_where_they_are_wanted(line: str, found: list[str], capsys, monkeypatch) -> None:
    assert offered(capsys, monkeypatch, f"synthbench {line}") == found


def test_submissions_of_the_suite_that_was_typed(capsys, monkeypatch) -> None:
    line = "synthbench leaderboard show quickstart "
    assert offered(capsys, monkeypatch, line) == ["mlp-width-100", "mlp-width-3"]
    assert offered(capsys, monkeypatch, f"{line}mlp-width-3 mlp-width-1") == ["mlp-width-100"]
    assert "".join(offered(capsys, monkeypatch, "synthbench leaderboard show nowhere ")) == ""


def test_models_and_their_fields_and_values(capsys, monkeypatch) -> None:
    assert offered(capsys, monkeypatch, "synthbench eval --model ") == sorted(
        installed().names(MODEL)
    )
    line = "synthbench eval --model 'mlp"
    fields = offered(capsys, monkeypatch, f"{line} width=3 ")
    assert "mlp width=3 lr=" in fields and "mlp width=3 width=" not in fields
    assert offered(capsys, monkeypatch, f"{line} wid") == ["mlp width=", "mlp width=100"]
    optimizers = offered(capsys, monkeypatch, f"{line} optimizer=")
    assert {f"mlp optimizer={name}" for name in (*ELEMENTWISE, "muon")} < set(optimizers)
    mixers = offered(capsys, monkeypatch, "synthbench eval -m 'transformer mixer=g")
    assert mixers == ["transformer mixer=gla", "transformer mixer=gru"]


def test_show_offers_fields_and_built_in_optimizers(capsys, monkeypatch) -> None:
    assert "lr" in offered(capsys, monkeypatch, "synthbench show l")
    assert offered(capsys, monkeypatch, "synthbench show adam")[:2] == ["adam", "adamw"]


def test_a_name_that_is_unknown_offers_nothing(capsys, monkeypatch) -> None:
    assert offered(capsys, monkeypatch, "synthbench eval --model 'mpl w") == [""]


def test_plugins_that_cannot_be_chosen_offer_nothing(monkeypatch) -> None:
    def fail() -> None:
        raise UnknownNameError("SYNTHBENCH_PLUGINS names what is not installed")

    monkeypatch.setattr("synthbench.registry.registry.installed", fail)
    assert completion.complete_suite("") == []


NO_TORCH = """
import sys
from synthbench.cli import completion
assert completion.complete_model("transformer mixer=") and completion.complete_anything("l")
sys.exit("torch" in sys.modules)
"""


def test_nothing_waits_for_torch() -> None:
    assert subprocess.run([sys.executable, "-c", NO_TORCH], check=False).returncode == 0


SHELLS = {"bash": "complete -o default", "zsh": "#compdef synthbench", "fish": "complete --command"}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_each_shell(shell: str, capsys, monkeypatch) -> None:
    monkeypatch.setenv("_SYNTHBENCH_COMPLETE", f"source_{shell}")
    monkeypatch.setattr(sys, "argv", ["synthbench"])
    with pytest.raises(SystemExit):
        main()
    assert SHELLS[shell] in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_by_the_script_that_is_shown(tmp_path: Path) -> None:
    command = tmp_path / "synthbench"
    call = "from synthbench.cli.main import main; main()"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "{call}" "$@"\n')
    command.chmod(0o755)
    script = (
        'eval "$(_SYNTHBENCH_COMPLETE=source_bash synthbench)"\n'
        "COMP_WORDS=(synthbench eval in-context-v1-) COMP_CWORD=2\n"
        "_synthbench_completion synthbench\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script], env={**os.environ, "PATH": path},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["in-context-v1-large"], done.stderr
