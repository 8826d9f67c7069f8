"""Submissions of boards onto the Hub: what holds together, once, and never over another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from synthbench.errors import SubmissionError
from synthbench.hashing import file_hash
from synthbench.leaderboard.hub.card import hub_card
from synthbench.leaderboard.hub.layout import CARD, Place, places
from synthbench.leaderboard.hub.outcomes import outcome_table
from synthbench.leaderboard.hub.repository import HubRepository
from synthbench.leaderboard.standings.placing import submission_folders
from synthbench.leaderboard.submissions.expected import expected_cells
from synthbench.leaderboard.submissions.files import FRESH_FILE
from synthbench.leaderboard.submissions.reading import CheckedSubmission, read_submission
from synthbench.leaderboard.submissions.submission import SUBMISSION_FILE
from synthbench.plan.suite import Suite
from synthbench.records.content import parquet_bytes


@dataclass(frozen=True)
class LeftOut:
    """A submission that is not published, or not fetched, and why."""

    where: str
    reason: str


@dataclass(frozen=True)
class Published:
    """address: of the commit, empty where everything was there already.

    fresh: those of the ones that were there to which a result on fresh seeds was added.
    """

    address: str
    new: tuple[Place, ...]
    there: tuple[Place, ...]
    left_out: tuple[LeftOut, ...]
    fresh: tuple[Place, ...] = ()


def publish_boards(
    repository: HubRepository,
    suites: Sequence[Suite],
    boards: Path,
    private: bool = False,
    progress: Callable[[str], None] = lambda step: None,
) -> Published:
    """Add the submissions of these suites, from `boards` and bundled ones, in one commit.

    Only those that hold together are added. Where the repository has another of the same name,
    that stays, and ours is left out. A result on fresh seeds, which a verifier writes later, is
    added to a submission that is there; where there is another result already, that stays, too.
    Raises HubError.
    """
    checked: dict[Place, CheckedSubmission] = {}
    left_out: list[LeftOut] = []
    for suite in suites:
        progress(f"reading {suite.name}")
        _read(suite, boards, checked, left_out)
    progress("asking the Hub")
    repository.create(private)
    present = set(repository.sizes())
    listed = places(present)
    taken = [place for place in checked if place in listed]
    there = [place for place in taken if _same(repository, place, checked[place])]
    for place in sorted(set(taken) - set(there)):
        reason = "another of that name is there already; submit it under a name of its own"
        left_out.append(LeftOut(str(place.path), reason))
    new = [place for place in checked if place not in taken]
    files: dict[str, Path | bytes] = {}
    fresh = []
    for place in there:
        own, path = checked[place].folder / FRESH_FILE, place.path / FRESH_FILE
        if not own.is_file():
            continue
        if str(path) not in present:
            fresh.append(place)
            files[str(path)] = own
        elif not _is_there(repository, path, own):
            reason = f"another {FRESH_FILE} is there already; delete that one first"
            left_out.append(LeftOut(str(path), reason))
    for place in new:
        files |= _files(place, checked[place])
    if files:
        files[CARD] = hub_card(repository.name, present | set(files)).encode()
        progress("uploading")
        address = repository.commit(files, _message(new, fresh))
    else:
        address = ""
    return Published(address, tuple(new), tuple(there), tuple(left_out), tuple(fresh))


def _read(
    suite: Suite,
    boards: Path,
    checked: dict[Place, CheckedSubmission],
    left_out: list[LeftOut],
) -> None:
    expected = expected_cells(suite)
    for folder in submission_folders(suite, boards):
        place = Place(suite.name, folder.name)
        try:
            found = read_submission(folder, suite, expected)
        except SubmissionError as error:
            left_out.append(LeftOut(str(folder), str(error)))
            continue
        if place in checked:
            reason = f"its name is taken by {checked[place].folder}"
            left_out.append(LeftOut(str(folder), reason))
        else:
            checked[place] = found


def _same(repository: HubRepository, place: Place, own: CheckedSubmission) -> bool:
    """Whether the repository's is this one: its manifest has the hash of every record."""
    return _is_there(repository, place.path / SUBMISSION_FILE, own.folder / SUBMISSION_FILE)


def _is_there(repository: HubRepository, path: PurePosixPath, own: Path) -> bool:
    """Whether the repository's file is this one."""
    with TemporaryDirectory() as folder:
        repository.download([str(path)], Path(folder))
        other = Path(folder) / path
        return other.is_file() and file_hash(other) == file_hash(own)


def _files(place: Place, checked: CheckedSubmission) -> dict[str, Path | bytes]:
    files: dict[str, Path | bytes] = {
        str(place.path / path.relative_to(checked.folder).as_posix()): path
        for path in sorted(checked.folder.rglob("*"))
        if path.is_file()
    }
    return {**files, place.outcomes: parquet_bytes(outcome_table(checked))}


def _message(new: Iterable[Place], fresh: Iterable[Place]) -> str:
    names = [f"{place.suite}/{place.name}" for place in new]
    names += [f"{place.suite}/{place.name} on fresh seeds" for place in fresh]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"Add {', '.join(names[:3])}{more}"
