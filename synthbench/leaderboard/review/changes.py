"""Which submissions a branch changes, as git says."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from synthbench.errors import ConfigurationError, first_line
from synthbench.leaderboard.submissions.files import FRESH_FILE
from synthbench.leaderboard.submissions.submission import SUBMISSIONS
from synthbench.leaderboard.submissions.texts import printable


@dataclass(frozen=True)
class Change:
    """A submission's folder of which files were added, changed or removed.

    path: from the root of the repository. kind: "changed" where the base has it too. fresh: whether
    its result on fresh seeds is among those files.
    """

    path: PurePosixPath
    kind: Literal["new", "changed", "removed"]
    fresh: bool = False

    @property
    def suite(self) -> str:
        """Name of the folder of its suite."""
        return self.path.parts[-3]

    @property
    def name(self) -> str:
        """Name of its own folder."""
        return self.path.name


@dataclass(frozen=True)
class Changes:
    """Everything that a branch changes.

    root: of the repository. base: the commit from which the branch parted. others: files that
    belong to no submission.
    """

    root: Path
    base: str
    submissions: tuple[Change, ...]
    others: tuple[PurePosixPath, ...]


def changes_since(base: str, repository: Path, boards: Path) -> Changes:
    """What differs between the working tree and the commit at which it parted from `base`.

    boards: folder of the leaderboards in the repository. Files that git does not know yet count.
    Raises ConfigurationError where it is no repository, or `base` is unknown there.
    """
    root = Path(_git(repository, "rev-parse", "--show-toplevel").rstrip("\n"))
    try:
        _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")
        parted = _git(root, "merge-base", base, "HEAD").strip()
    except ConfigurationError:
        raise ConfigurationError(
            f"--base {printable(base)} is no commit from which this branch parted; fetch it, with "
            "its history (`git fetch --unshallow`)"
        ) from None
    # A branch names no programs: no external differ, and names as they are.
    plain = ("--no-ext-diff", "--no-textconv", "--no-renames", "--name-only", "-z")
    known = _git(root, "diff", *plain, parted, "--").split("\0")
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z").split("\0")
    paths = sorted({PurePosixPath(path) for path in (*known, *new) if path})
    home = PurePosixPath(boards.as_posix())
    folders = dict.fromkeys(folder for path in paths if (folder := submission_of(path, home)))
    return Changes(
        root=root,
        base=parted,
        submissions=tuple(
            Change(folder, _kind(root, parted, folder), folder / FRESH_FILE in paths)
            for folder in folders
        ),
        others=tuple(path for path in paths if submission_of(path, home) is None),
    )


def submission_of(path: PurePosixPath, boards: PurePosixPath) -> PurePosixPath | None:
    """The submission's folder in which a file lies: BOARDS/SUITE/submissions/NAME."""
    depth = len(boards.parts)
    parts = path.parts
    inside = parts[:depth] == boards.parts and len(parts) > depth + 3
    if not inside or parts[depth + 1] != SUBMISSIONS:
        return None
    return PurePosixPath(*parts[: depth + 3])


def _kind(root: Path, base: str, folder: PurePosixPath) -> Literal["new", "changed", "removed"]:
    if not any(_files(root / folder)):
        return "removed"
    before = _git(root, "ls-tree", "--name-only", base, "--", str(folder))
    return "changed" if before else "new"


def _files(folder: Path) -> Iterable[Path]:
    if folder.is_symlink() or not folder.is_dir():
        return [folder] if folder.is_symlink() or folder.exists() else []
    return (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())


def _git(folder: Path, *arguments: str) -> str:
    """What git prints; ConfigurationError with its first line where it fails."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=True)
    except FileNotFoundError:
        raise ConfigurationError("a review needs git, which is not installed") from None
    except subprocess.CalledProcessError as error:
        said = first_line(ValueError(error.stderr.decode(errors="replace")))
        raise ConfigurationError(f"git: {printable(said)}") from None
    return done.stdout.decode(errors="surrogateescape")
