"""Submissions from the Hub into a folder of leaderboards, trusted no more than any stranger's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from synthbench.errors import HubError, OutputError, SubmissionError
from synthbench.hashing import file_hash
from synthbench.leaderboard.hub.layout import Place, cells_of, foreign_file, places
from synthbench.leaderboard.hub.repository import HubRepository
from synthbench.leaderboard.submissions.expected import expected_cells
from synthbench.leaderboard.submissions.files import FRESH_FILE, LARGEST
from synthbench.leaderboard.submissions.reading import read_submission
from synthbench.leaderboard.submissions.submission import SUBMISSION_FILE, SUBMISSIONS
from synthbench.leaderboard.submissions.texts import printable
from synthbench.plan.suite import Suite
from synthbench.records.atomic import make_folder, staging, write_atomically

MOST_BYTES = 8 * 2**30
"""Of all submissions that are fetched at once."""


@dataclass(frozen=True)
class Fetched:
    """What became of one submission. reason: why it is set aside.

    "fresh": it was there, and a verifier's result on fresh seeds was put beside it.
    """

    place: Place
    outcome: Literal["fetched", "fresh", "there already", "set aside"]
    reason: str = ""


def fetch_boards(
    repository: HubRepository, suites: Mapping[str, Suite], boards: Path, every: bool
) -> Iterator[Fetched]:
    """Fetch the submissions of these suites into `boards/SUITE/submissions/NAME`.

    every: say so of submissions to other suites, too. Only files of submissions are downloaded,
    after their names and sizes are checked; a submission appears in its place once it has been read
    as a board reads it, or not at all, and replaces nothing. To one that is there already comes a
    result on fresh seeds that it has not. Raises HubError, OutputError.
    """
    sizes = repository.sizes()
    listed = places(sizes)
    wanted = []
    for place, files in listed.items():
        if place.suite not in suites:
            if every:
                yield Fetched(place, "set aside", f"no suite {place.suite} is installed")
        elif reason := _refusal(place, files, sizes, len(suites[place.suite].cells)):
            yield Fetched(place, "set aside", printable(reason))
        else:
            wanted.append(place)
    total = sum(sizes[str(place.path / file)] for place in wanted for file in listed[place])
    if total > MOST_BYTES:
        raise HubError(
            f"{repository.name} holds {total:,} bytes of submissions, at most {MOST_BYTES:,} are "
            "fetched at once; name some suites"
        )
    make_folder(boards)
    # Same file system, so that the last step is a rename; hidden, so that nothing reads it.
    with staging(boards) as staged:
        if wanted:
            repository.download([f"{place.path}/*" for place in wanted], staged)
        for place in wanted:
            yield _place(place, suites[place.suite], staged, boards)


def _refusal(
    place: Place, files: Sequence[str], sizes: Mapping[str, int], cells: int
) -> str | None:
    """Why its files are not even downloaded, if so."""
    if (foreign := foreign_file(files)) is not None:
        return f"unexpected file {foreign!r}"
    if SUBMISSION_FILE not in files or len(cells_of(files)) != cells:
        return f"it does not hold the {cells} cells of the suite"
    for file in files:
        most, size = LARGEST[file.rpartition("/")[2]], sizes[str(place.path / file)]
        if size > most:
            return f"{file} has {size:,} bytes, at most {most:,} are allowed"
    return None


def _place(place: Place, suite: Suite, staged: Path, boards: Path) -> Fetched:
    """Check a submission that was downloaded, and move it where boards look for it."""
    found = staged / place.path
    try:
        read_submission(found, suite, expected_cells(suite))
    except SubmissionError as error:
        return Fetched(place, "set aside", str(error))
    home = boards / suite.name / SUBMISSIONS
    for root in (suite.folder / SUBMISSIONS, home):
        if (root / place.name).exists():
            manifest = root / place.name / SUBMISSION_FILE
            if manifest.is_file() and file_hash(manifest) == file_hash(found / SUBMISSION_FILE):
                new = _brings_fresh(found, root / place.name) if root == home else False
                return Fetched(place, "fresh" if new else "there already")
            return Fetched(place, "set aside", f"another of that name is in {root}; move it away")
    make_folder(home)
    try:
        shutil.move(found, home / place.name)
    except OSError as error:
        raise OutputError(f"cannot write {home / place.name}: {error.strerror}") from None
    return Fetched(place, "fetched")


def _brings_fresh(found: Path, there: Path) -> bool:
    """Put a result on fresh seeds beside the same submission, where it has none."""
    new, own = found / FRESH_FILE, there / FRESH_FILE
    if not new.is_file() or own.exists() or own.is_symlink():
        return False
    write_atomically(own, new.read_bytes())
    return True
