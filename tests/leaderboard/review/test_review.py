"""`synthbench leaderboard review` on submissions really trained: what holds and what does not."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from synthbench.leaderboard.review import judging
from synthbench.leaderboard.review.changes import Change
from synthbench.leaderboard.review.judging import Judgement, judge_submission
from synthbench.leaderboard.verification.verify import Verification
from tests.cli.command import run_command
from tests.leaderboard.repository import Repository
from tests.leaderboard.submissions.attacks import edit_record
from tests.leaderboard.verification.jobs import dying

HOME = PurePosixPath("leaderboards/mini/submissions")


def reviewed(repository: Repository, capsys, monkeypatch, *more: str) -> tuple[int, str, str]:
    """The command, in the repository; the processes it starts know the suite."""
    monkeypatch.chdir(repository.root)
    # A process that is started takes over this one's path.
    monkeypatch.syspath_prepend(repository.site)
    monkeypatch.setenv("SYNTHBENCH_PLUGINS", "mini-suite")
    arguments = ("leaderboard", "review", "--device", "cpu", *more)
    return run_command(capsys, monkeypatch, *arguments, columns=200)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trains in this process: one of its own has to import torch anew."""
    monkeypatch.setattr(judging, "within", lambda limits, job, listener: job(listener))


def judged(folder: Path, suite: str = "mini") -> Judgement:
    """What is known of a submission, as one that is new."""
    change = Change(HOME.parent.parent / suite / "submissions" / folder.name, "new")
    own = folder.parents[3]
    assert suite != "mini" or own / change.path == folder
    if suite != "mini":
        other = own / change.path
        other.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder, other)
    return judge_submission(change, own, Verification(0.1, 0, "cpu"), 600)


def forge(folder: Path) -> None:
    """Say of its replicas that their data were others, with every hash made right again."""

    def change(record: dict[str, Any]) -> None:
        for replica in record["replicas"]:
            replica["data"] = "0" * len(replica["data"])

    edit_record(folder, change)


@pytest.mark.parametrize("where", ["here", pytest.param("there", marks=pytest.mark.slow)])
def test_the_command_reports_one_that_holds_and_one_that_is_removed(
    repository: Repository, tmp_path: Path, capsys, monkeypatch, request, where: str
) -> None:
    if where == "here":
        request.getfixturevalue("here")
    repository.git("checkout", "-qb", "published")
    shutil.copytree(repository.submit("honest"), repository.root / HOME / "removed")
    repository.git("add", str(HOME / "removed"))
    repository.git("commit", "-qm", "published")
    repository.git("checkout", "-qb", "work")
    shutil.rmtree(repository.root / HOME / "removed")
    report = tmp_path / "report.md"
    more = ("--base", "published", "--out", str(report))
    code, out, err = reviewed(repository, capsys, monkeypatch, *more)
    assert code == 0 and err == "", out + err
    assert out.splitlines() == ["'honest' (new): holds", "'removed' (removed): removed"]
    text = report.read_text(encoding="utf-8")
    assert "| `honest` | `mini` | new | ✅ holds: 2 replicas of 1 of 1 cells trained" in text
    assert "### `honest`: `honest ¦ 'of' @ada`" in text
    assert "| 1. `sparse-parity n=6 k=2` | 2 of 6 | `identical` | ✅ holds |" in text


@pytest.mark.usefixtures("here")
def test_a_forgery_is_named_with_what_gives_it_away(repository: Repository) -> None:
    folder = repository.submit("forged")
    forge(folder)
    found = judged(folder)
    assert found.outcome == "does not hold"
    assert "cell 1: the data of replica" in found.failures[0]


@pytest.mark.parametrize(
    ("suite", "break_it", "reason"),
    [
        ("mini", lambda folder: (folder / "virus.exe").touch(), "unexpected file 'virus.exe'"),
        ("mini", lambda folder: folder.rename(folder.with_name("other")), "is not a folder"),
        ("unknown", lambda folder: None, 'unknown suite "unknown"'),
        ("quickstart", lambda folder: None, "suite"),
    ],
)
def test_what_breaks_a_rule_is_refused(
    repository: Repository, suite: str, break_it: Any, reason: str
) -> None:
    """Among others: to lie in the folder of another suite than it says it is for."""
    folder = repository.submit("broken")
    break_it(folder)
    found = judged(folder, suite)
    assert found.outcome == "refused" and reason in found.reason


@pytest.mark.usefixtures("here")
def test_an_error_of_a_plugin_leaves_it_undecided(repository: Repository, monkeypatch) -> None:
    def fails(*given: object, **named: object) -> None:
        raise RuntimeError("first line\nsecond")

    folder = repository.submit("unlucky")
    monkeypatch.setattr("synthbench.leaderboard.verification.verify.rerun_replicas", fails)
    found = judged(folder)
    assert found.outcome == "undecided" and found.reason == "RuntimeError: first line"


def test_what_takes_too_long_is_undecided(repository: Repository, capsys, monkeypatch) -> None:
    repository.submit("slow")
    code, out, _ = reviewed(repository, capsys, monkeypatch, "--base", "main", "--minutes", "0")
    assert code == 1 and out == "'slow' (new): undecided: not finished within 0 minutes\n"


def test_a_process_that_dies_is_no_verdict(repository: Repository, monkeypatch) -> None:
    monkeypatch.setattr(judging, "partial", lambda *given: dying)
    found = judged(repository.submit("deadly"))
    assert found.outcome == "undecided" and "ended its process (exit code 7)" in found.reason


@pytest.mark.parametrize(
    ("more", "expected", "says"),
    [
        (("--base", "main"), 0, "no submission was changed"),
        (("--base", "nowhere"), 2, "is no commit from which this branch parted"),
        (("--base", "main", "--boards", "/etc"), 2, "--boards is within the repository"),
        (("--base", "main", "--boards", "../x"), 2, "--boards is within the repository"),
    ],
)
def test_nothing_to_judge(
    repository: Repository, capsys, monkeypatch, more: tuple[str, ...], expected: int, says: str
) -> None:
    code, out, err = reviewed(repository, capsys, monkeypatch, *more)
    assert code == expected and says in out + err
    assert len((out + err).splitlines()) == 1


def test_a_result_on_fresh_seeds_is_the_verifiers_to_write(repository: Repository) -> None:
    change = Change(HOME / "anything", "new", fresh=True)
    found = judge_submission(change, repository.root, Verification(0.1, 0, "cpu"), 600)
    assert found.outcome == "refused"
    assert found.reason.startswith("it brings, changes or removes fresh.json, which is the verif")
    # Whether a whole submission may go is for a person to say.
    gone = judge_submission(
        Change(HOME / "anything", "removed", fresh=True),
        repository.root,
        Verification(0.1, 0, "cpu"),
        600,
    )
    assert gone.outcome == "removed"
