"""What a branch changes: submissions, by folder, and all else."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath

import pytest

from synthbench.errors import ConfigurationError
from synthbench.leaderboard.review.changes import Changes, changes_since, submission_of
from tests.leaderboard.repository import Repository

BOARDS = Path("leaderboards")
HOME = "leaderboards/mini/submissions"


def seen(repository: Repository, base: str = "main") -> Changes:
    return changes_since(base, repository.root, BOARDS)


def kinds(changes: Changes) -> dict[str, str]:
    return {change.name: change.kind for change in changes.submissions}


def write(repository: Repository, path: str, text: str) -> None:
    (repository.root / path).parent.mkdir(parents=True, exist_ok=True)
    (repository.root / path).write_text(text)


def test_nothing_is_changed(repository: Repository) -> None:
    assert not seen(repository).submissions and not seen(repository).others


def test_each_kind_of_change_committed_or_not(repository: Repository) -> None:
    repository.git("checkout", "-qb", "published")
    for name in ("kept", "edited", "gone"):
        write(repository, f"{HOME}/{name}/submission.json", "{}")
    repository.commit()
    repository.git("checkout", "-qb", "work")
    write(repository, f"{HOME}/edited/cell-01/record.json", "{}")
    shutil.rmtree(repository.root / HOME / "gone")
    write(repository, f"{HOME}/committed/submission.json", "{}")
    repository.commit()
    write(repository, f"{HOME}/not-yet/submission.json", "{}")
    write(repository, "notes.md", "words")
    changes = seen(repository, "published")
    assert kinds(changes) == {
        "edited": "changed", "gone": "removed", "committed": "new", "not-yet": "new",
    }  # fmt: skip
    assert changes.others == (PurePosixPath("notes.md"),)
    assert {change.suite for change in changes.submissions} == {"mini"}


def test_what_the_base_did_meanwhile_is_no_change(repository: Repository) -> None:
    write(repository, f"{HOME}/mine/submission.json", "{}")
    repository.commit()
    repository.git("checkout", "-qB", "moved", "main")
    write(repository, f"{HOME}/theirs/submission.json", "{}")
    repository.commit()
    repository.git("checkout", "-q", "topic")
    assert kinds(seen(repository, "moved")) == {"mine": "new"}


@pytest.mark.parametrize("name", ["with space", "päper", "--upload-pack=x", "a'b\nc"])
def test_names_are_taken_as_they_are(repository: Repository, name: str) -> None:
    write(repository, f"{HOME}/{name}/submission.json", "{}")
    assert kinds(seen(repository)) == {name: "new"}


def test_a_moved_file_is_a_change_of_both_folders(repository: Repository) -> None:
    write(repository, f"{HOME}/one/submission.json", "{}" * 100)
    repository.commit()
    repository.git("branch", "-f", "published")
    (repository.root / HOME / "one").rename(repository.root / HOME / "two")
    assert kinds(seen(repository, "published")) == {"one": "removed", "two": "new"}


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("leaderboards/mini/submissions/a/submission.json", True),
        ("leaderboards/mini/submissions/a/cell-01/record.json", True),
        ("leaderboards/mini/submissions/a", False),
        ("leaderboards/mini/suite.toml", False),
        ("leaderboards/mini/other/a/submission.json", False),
        ("docs/leaderboards/mini/submissions/a/b", False),
    ],
)
def test_where_a_submission_lies(path: str, inside: bool) -> None:
    found = submission_of(PurePosixPath(path), PurePosixPath("leaderboards"))
    assert found == (PurePosixPath("leaderboards/mini/submissions/a") if inside else None)


@pytest.mark.parametrize("base", ["nowhere", "--output=/tmp/x", "", "main..topic"])
def test_a_base_that_is_none_is_one_line(repository: Repository, base: str) -> None:
    with pytest.raises(ConfigurationError, match="is no commit from which this branch parted"):
        seen(repository, base)


def test_a_folder_that_is_no_repository_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"git: .*not a git repository"):
        changes_since("main", tmp_path, BOARDS)


def test_a_branch_names_no_program_that_git_runs(repository: Repository) -> None:
    """Its attributes may ask for a differ; one that is configured here is not run."""
    repository.git("config", "diff.evil.command", "touch ran #")
    repository.git("config", "diff.evil.textconv", "touch ran #")
    try:
        write(repository, ".gitattributes", "* diff=evil\n")
        write(repository, "README.md", "other words\n")
        assert len(seen(repository).others) == 2
        assert not (repository.root / "ran").exists()
    finally:
        repository.git("config", "--remove-section", "diff.evil")


def test_a_result_on_fresh_seeds_is_noticed_however_it_is_touched(repository: Repository) -> None:
    repository.git("checkout", "-qb", "with-results")
    for name in ("kept", "edited", "stripped"):
        write(repository, f"{HOME}/{name}/submission.json", "{}")
        write(repository, f"{HOME}/{name}/fresh.json", "{}")
    repository.commit()
    write(repository, f"{HOME}/kept/submission.json", "{ }")
    write(repository, f"{HOME}/edited/fresh.json", "{ }")
    (repository.root / HOME / "stripped" / "fresh.json").unlink()
    write(repository, f"{HOME}/brought/fresh.json", "{}")
    touched = {each.name: each.fresh for each in seen(repository, "with-results").submissions}
    assert touched == {"kept": False, "edited": True, "stripped": True, "brought": True}
