"""Where things lie in a dataset repository of leaderboards.

    README.md                                               the card
    SUITE/submissions/NAME/submission.json                  as in a folder of leaderboards
    SUITE/submissions/NAME/fresh.json                       where a verifier has written one
    SUITE/submissions/NAME/cell-01/record.json
    SUITE/submissions/NAME/cell-01/trajectories.parquet
    SUITE/outcomes/NAME.parquet                             a row for each replica, to be loaded

Names are lower-case words joined by hyphens, so that no path leads elsewhere and none is a pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

from synthbench.leaderboard.submissions.files import FRESH_FILE
from synthbench.leaderboard.submissions.submission import SUBMISSION_FILE, SUBMISSIONS
from synthbench.records.reading import RECORD_FILE, TRAJECTORIES_FILE

CARD = "README.md"
OUTCOMES = "outcomes"
WORDS = "[a-z0-9]+(?:-[a-z0-9]+)*"
HOME = re.compile(rf"({WORDS})/{SUBMISSIONS}/({WORDS})/(.+)", re.DOTALL)
CELL_FILE = re.compile(
    rf"(cell-[0-9]{{2,4}})/(?:{re.escape(RECORD_FILE)}|{re.escape(TRAJECTORIES_FILE)})"
)


class Place(NamedTuple):
    """A submission's place in a repository."""

    suite: str
    name: str

    @property
    def path(self) -> PurePosixPath:
        """Its folder."""
        return PurePosixPath(self.suite, SUBMISSIONS, self.name)

    @property
    def outcomes(self) -> str:
        """The table of its replicas."""
        return f"{self.suite}/{OUTCOMES}/{self.name}.parquet"


def places(paths: Iterable[str]) -> dict[Place, list[str]]:
    """The files of each submission, relative to its folder; files of none are left out."""
    found: dict[Place, list[str]] = {}
    for path in sorted(paths):
        if match := HOME.fullmatch(path):
            found.setdefault(Place(match[1], match[2]), []).append(match[3])
    return found


def foreign_file(files: Iterable[str]) -> str | None:
    """The first file that belongs to no submission, if there is one."""
    known = (SUBMISSION_FILE, FRESH_FILE)
    return next((f for f in files if f not in known and not CELL_FILE.fullmatch(f)), None)


def cells_of(files: Iterable[str]) -> set[str]:
    """The names of the folders of cells, `cell-01` and so on."""
    return {match[1] for file in files if (match := CELL_FILE.fullmatch(file))}
