"""The steps of the workflows, run here: a pull request is judged and commented, a site is built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from synthbench.registry.registry import installed
from tests.fresh_environment import FreshEnvironment
from tests.leaderboard.repository import NAMED, Repository, make_repository
from tests.leaderboard.trained import as_plugin
from tests.workflows.workflow import ROOT, Machine, named, path_with

GH = """#!/usr/bin/env bash
# What `gh` is asked, and what GitHub would answer.
echo "$*" >> asked.txt
case "$1 $2" in
  "pr list") [ "$HEAD_SHA" = "$OPEN_SHA" ] && echo 7; exit 0 ;;
  "run download") mkdir review && cp "$REPORT" review/report.md ;;
  "api --paginate") cat "$CHANGED" ;;
  "pr comment") cp body.md commented.md ;;
  *) exit 64 ;;
esac
"""


@pytest.fixture
def github(tmp_path: Path) -> Machine:
    """A machine on which `gh` answers as GitHub does for pull request 7."""
    tools, home = tmp_path / "tools", tmp_path / "home"
    tools.mkdir()
    home.mkdir()
    (tools / "gh").write_text(GH)
    (tools / "gh").chmod(0o755)
    (tmp_path / "report.md").write_text("## Review of submissions\nall hold\n")
    (tmp_path / "changed.txt").write_text("leaderboards/mini/submissions/a/submission.json\n")
    contexts = {
        "github.token": "token",
        "github.repository": "acme/boards",
        "github.event.workflow_run.id": "41",
        "github.event.workflow_run.head_sha": "abc",
    }
    variables = {
        **os.environ,
        "PATH": path_with(tools),
        "OPEN_SHA": "abc",
        "REPORT": str(tmp_path / "report.md"),
        "CHANGED": str(tmp_path / "changed.txt"),
    }
    return Machine(home, contexts, variables)


needs_bash = pytest.mark.skipif(sys.platform == "win32", reason="the jobs run on Linux")


def comment(github: Machine) -> dict[str, int]:
    return github.run_job(named("submission-comment")["jobs"]["comment"])


@needs_bash
def test_the_report_is_posted_below_its_pull_request(github: Machine) -> None:
    assert list(comment(github).values()) == [0, 0, 0]
    assert (github.folder / "commented.md").read_text().startswith("## Review of submissions")
    asked = (github.folder / "asked.txt").read_text()
    assert "run download 41 --name review" in asked
    assert "api --paginate repos/acme/boards/pulls/7/files" in asked
    assert "pr comment 7 --edit-last --create-if-none --body-file body.md" in asked


@needs_bash
def test_a_pull_request_that_changes_more_is_not_taken_at_its_word(github: Machine) -> None:
    with Path(github.environment["CHANGED"]).open("a", encoding="utf-8") as changed:
        changed.write(".github/workflows/submission.yml\n")
    comment(github)
    text = (github.folder / "commented.md").read_text()
    assert text.startswith("> [!WARNING]\n> This pull request changes more than submissions.")
    assert "\n\n## Review of submissions" in text


@needs_bash
def test_a_pull_request_that_is_closed_gets_no_comment(github: Machine) -> None:
    github.contexts["github.event.workflow_run.head_sha"] = "another"
    assert comment(github) == {"Find the pull request": 0}
    assert not (github.folder / "commented.md").exists()


@needs_bash
def test_a_long_report_is_cut_to_what_a_comment_takes(github: Machine) -> None:
    Path(github.environment["REPORT"]).write_text("x" * 100_000)
    comment(github)
    assert len((github.folder / "commented.md").read_text()) == 60_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return make_repository(tmp_path_factory.mktemp("pull-request"))


@pytest.fixture
def runner(made: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with Python alone; `base` and `head` are checked out as the workflow says."""
    host = installed().host
    monkeypatch.setattr(host, "plugins", [*host.plugins, as_plugin(made.suite)])
    made.submit("honest")
    made.commit()
    # As GitHub does: base branch first, then the merge of the pull request into it.
    made.git("checkout", "-q", "main")
    made.git("merge", "-q", "--no-ff", "-m", "as it would be merged", "topic")
    subprocess.run(["git", *NAMED, "clone", "-q", made.root, tmp_path / "head"], check=True)
    base = tmp_path / "base"
    ignored = shutil.ignore_patterns(".git", ".venv", "runs", "build", "dist", ".*_cache")
    shutil.copytree(ROOT, base, ignore=ignored)
    environment = FreshEnvironment.create(tmp_path / "python")
    shutil.copytree(made.site, environment.site_packages, dirs_exist_ok=True)
    hidden = {"PYTHONPATH", "SYNTHBENCH_PLUGINS"}
    variables = {
        **{key: value for key, value in os.environ.items() if key not in hidden},
        "PATH": path_with(environment.python.parent),
        # Only what is installed here, so that no network is needed.
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
    }
    return Machine(tmp_path, {}, variables)


@needs_bash
@pytest.mark.slow
def test_a_pull_request_is_judged(runner: Machine) -> None:
    """`submission.yml` from its installation to its verdict; then again with a file too many."""
    job = named("submission")["jobs"]["review"]
    assert list(runner.run_job(job).values()) == [0, 0, 0]
    report = (runner.folder / "report.md").read_text(encoding="utf-8")
    assert "| `honest` | `mini` | new | ✅ holds: 2 replicas of 1 of 1 cells" in report
    assert (runner.folder / "summary.md").read_text(encoding="utf-8") == report

    (runner.folder / "head/leaderboards/mini/submissions/honest/virus.exe").write_text("")
    ended = runner.run_job(job, skip=("Install the base branch",))
    assert list(ended.values()) == [0, 1]
    assert "unexpected file" in (runner.folder / "report.md").read_text(encoding="utf-8")


@needs_bash
@pytest.mark.slow
def test_the_site_is_built_of_every_board(tmp_path: Path) -> None:
    """`site.yml`, with what is installed here."""
    shutil.copytree(ROOT / "leaderboards", tmp_path / "leaderboards")
    variables = {**os.environ, "PATH": path_with(Path(sys.executable).parent)}
    runner = Machine(tmp_path, {}, variables)
    build = named("site")["jobs"]["build"]
    assert runner.run_job(build, skip=("Install",)) == {"Build the site": 0}
    assert (tmp_path / "site" / "index.html").exists()
    assert len(list((tmp_path / "site").glob("*/index.html"))) >= 10
