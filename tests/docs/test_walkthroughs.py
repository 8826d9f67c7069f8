"""Pages that begin with `synthbench plugin new`, followed to the letter in an empty folder.

By default the files that they say to write pass their tests, and a stranger's plugin goes the same
way in `tests/distributions`; `pytest -m slow tests/docs/test_walkthroughs.py` follows them.

Each page's commands run in order, with what the page calls the text of a file written where the
page says so. The environment is fresh and holds the project's wheel, nothing of
the checkout; pip installs into it without the network.
"""

from __future__ import annotations

import difflib
import itertools
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthbench.scaffold import PluginNames, write_plugin
from tests.docs.exempt import exempt
from tests.docs.pages import ROOT, WALKTHROUGHS, blocks, page_id, shell_lines
from tests.fresh_environment import Ended, FreshEnvironment, clean

WRITE_A_TASK = ROOT / "docs" / "write-a-task.md"
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
"""pip reads the second as "without isolation": the environment has the build's own needs."""


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> FreshEnvironment:
    """With SynthBench, pip and pytest as programs."""
    made = FreshEnvironment.create(tmp_path_factory.mktemp("fresh"))
    made.install(wheel)
    for name in ("pip", "pytest"):
        program = made.python.with_name(name)
        program.write_text(f'#!/bin/sh\nexec "{made.python}" -m {name} "$@"\n')
        program.chmod(0o755)
    return made


@pytest.mark.slow
def test_write_a_task_works(environment: FreshEnvironment, tmp_path: Path) -> None:
    """`synthbench` commands that follow one another share a process, which imports torch once."""
    folder = tmp_path
    for step in grouped(steps(WRITE_A_TASK)):
        if isinstance(step, list):
            for line, done in zip(step, run_commands(environment, step, folder), strict=True):
                assert done.code in (0, None), f"{line}\n{done.out}{done.err}"
        elif step.startswith("cd "):
            folder = folder / step.removeprefix("cd ")
        else:
            run_shell(environment, step, folder)
    check_the_board(folder)


def test_the_files_of_the_pages_pass_their_tests(tmp_path: Path) -> None:
    """What the pages say to write, in what `synthbench plugin new` wrote; not installed here."""
    folders = []
    for page in WALKTHROUGHS:
        _, _, _, kind, name = next(shell_lines(page)).split()
        folders.append(write_plugin(kind, PluginNames(name), tmp_path).folder)
        for block in blocks(page):
            if block.title is not None:
                assert (folders[-1] / block.title).exists()
                (folders[-1] / block.title).write_text(block.text)
    assert len(folders) == 4
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib"]
    done = subprocess.run(
        [sys.executable, *command, *(str(folder / "tests") for folder in folders)],
        cwd=tmp_path,
        env=clean({"PYTHONPATH": os.pathsep.join(map(str, folders))}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("page", WALKTHROUGHS, ids=page_id)
def test_a_walkthrough_works_to_the_letter(
    page: Path, environment: FreshEnvironment, tmp_path: Path
) -> None:
    """One shell, one command after the other, and how long that takes."""
    began = time.perf_counter()
    run_shell(environment, "\n".join(steps(page)), tmp_path)
    print(f"{page.name}: {time.perf_counter() - began:.0f} s")


def grouped(found: Iterator[str]) -> Iterator[str | list[str]]:
    """The steps, with those that follow one another and are `synthbench` commands as a list."""
    for ours, together in itertools.groupby(found, lambda step: step.startswith("synthbench ")):
        lines = list(together)
        yield from [lines] if ours else lines


def run_commands(environment: FreshEnvironment, lines: list[str], folder: Path) -> list[Ended]:
    """Run `synthbench` commands in a process of the environment."""
    return environment.run_commands([shlex.split(line)[1:] for line in lines], folder)


def run_shell(environment: FreshEnvironment, script: str, folder: Path) -> None:
    """Run lines of a shell in a folder, where the environment's programs come first."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=variables(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"


def check_the_board(folder: Path) -> None:
    """The task has a board with both submissions."""
    board = (folder / "site" / "coin-flips-v1" / "index.html").read_text()
    assert "mlp width=50" in board and "optimizer=adam" in board
    submissions = folder / "leaderboards" / "coin-flips-v1" / "submissions"
    assert len(list(submissions.glob("*/submission.json"))) == 2


def test_the_number_of_lines_to_edit_is_as_stated(tmp_path: Path) -> None:
    written = write_plugin("task", PluginNames("coin-flips"), tmp_path)
    edited = 0
    for block in blocks(WRITE_A_TASK):
        if block.title is not None:
            before = (written.folder / block.title).read_text().splitlines()
            assert block.text.splitlines() != before
            after = difflib.ndiff(before, block.text.splitlines())
            edited += sum(line.startswith("+ ") for line in after)
    total = sum(written.lines.values())
    assert f"{edited} lines of the {total} that" in " ".join(WRITE_A_TASK.read_text().split())


def test_the_functions_that_the_page_describes_are_in_the_task() -> None:
    text = WRITE_A_TASK.read_text()
    task = next(block.text for block in blocks(WRITE_A_TASK) if block.title is not None)
    section = text[text.index("## The task") : text.index("```python")]
    described = re.findall(r"^- `(\w+)`", section, re.MULTILINE)
    assert len(described) == 3
    for name in described:
        assert f"def {name}(" in task


def steps(page: Path) -> Iterator[str]:
    """The page as shell commands."""
    for block in blocks(page):
        if block.title is not None:
            yield f"test -f {shlex.quote(block.title)}"
            yield heredoc(f"cat > {shlex.quote(block.title)}", block.text)
        elif block.language == "python":
            yield heredoc("python -", block.text)
        elif block.language == "sh":
            yield from (line for line in block.lines() if exempt(line) is None or "pip" in line)


def heredoc(command: str, text: str) -> str:
    """A command that is given a text."""
    return f"{command} <<'END OF BLOCK'\n{text}END OF BLOCK"


def variables(environment: FreshEnvironment) -> dict[str, str]:
    """The environment's programs come first."""
    programs = str(environment.python.parent)
    return clean({**OFFLINE, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"})
