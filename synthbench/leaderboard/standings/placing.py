"""Placing the submissions of one suite on its board: read, checked, measured and ranked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthbench.errors import ConfigurationError, SubmissionError
from synthbench.leaderboard.standings.base import find_base
from synthbench.leaderboard.standings.board import Board, Refused
from synthbench.leaderboard.standings.bounds import Bound, which_way
from synthbench.leaderboard.standings.entry import (
    Entry,
    EntryCell,
    MeasuredSubmission,
    measure_submission,
)
from synthbench.leaderboard.standings.fresh import FreshStanding, stand_on_fresh_seeds
from synthbench.leaderboard.standings.likeness import marks_among
from synthbench.leaderboard.standings.ranking import pareto_front, performance_profile
from synthbench.leaderboard.standings.readers import read_side_by_side
from synthbench.leaderboard.standings.reference_rows import reference_rows
from synthbench.leaderboard.standings.scales import (
    Resampled,
    Scale,
    flops_scale,
    resample,
    samples_scale,
)
from synthbench.leaderboard.submissions.expected import expected_cells
from synthbench.leaderboard.submissions.reading import read_submission
from synthbench.leaderboard.submissions.submission import SUBMISSIONS
from synthbench.metrics.comparison import ratio_estimate
from synthbench.metrics.estimate import Estimate
from synthbench.plan.suite import Suite
from synthbench.registry.registry import installed

DEFAULT_FOLDER = Path("leaderboards")
Progress = Callable[[int, int], None]
WORTH_PROCESSES = 24
"""Submissions from which several processes read faster than one."""


def read_board(
    suite: Suite | str, folder: Path | str = DEFAULT_FOLDER, progress: Progress | None = None
) -> Board:
    """Read, check, measure and rank the submissions of a suite, or of the suite of that name.

    Those that come with the suite and those in `folder/<suite>/submissions`. A submission that
    breaks a rule is set aside with its reason; nothing it holds is trusted. progress: called with
    the number of submissions read so far, and of all.
    """
    suite = installed().suite(suite) if isinstance(suite, str) else suite
    # The default need not be there: bundled submissions come with their suites.
    if not Path(folder).is_dir() and (Path(folder).exists() or Path(folder) != DEFAULT_FOLDER):
        raise ConfigurationError(f"{folder} is not a folder of leaderboards; see --boards")
    folders = list(submission_folders(suite, Path(folder)))
    measured, refused = _separated(_read_all(suite, folders, progress))
    return place(suite, measured, refused)


def submission_folders(suite: Suite, folder: Path) -> Iterator[Path]:
    """Every folder of a submission: the suite's own, then those of `folder`, by name.

    SubmissionError where they may not be listed.
    """
    seen: set[Path] = set()
    for root in (suite.folder / SUBMISSIONS, folder / suite.name / SUBMISSIONS):
        try:
            if root.is_dir() and root.resolve() not in seen:
                seen.add(root.resolve())
                yield from sorted(p for p in root.iterdir() if not p.name.startswith("."))
        except OSError as error:
            raise SubmissionError(f"{root} cannot be read: {error.strerror}") from None


def _read_all(
    suite: Suite, folders: Sequence[Path], progress: Progress | None
) -> list[MeasuredSubmission | Refused]:
    read = partial(_read, suite)
    many = len(folders) >= WORTH_PROCESSES
    found = read_side_by_side(read, folders) if many else map(read, folders)
    return _counted(found, len(folders), progress)


def _read(suite: Suite, folder: Path) -> MeasuredSubmission | Refused:
    try:
        return measure_submission(read_submission(folder, suite, expected_cells(suite)), suite)
    except SubmissionError as error:
        return Refused(folder, str(error))


def _counted(
    found: Iterable[MeasuredSubmission | Refused], count: int, progress: Progress | None
) -> list[MeasuredSubmission | Refused]:
    collected = []
    for one in found:
        collected.append(one)
        if progress is not None:
            progress(len(collected), count)
    return collected


def _separated(
    found: Sequence[MeasuredSubmission | Refused],
) -> tuple[list[MeasuredSubmission], list[Refused]]:
    """Those that have a place on the board, and those that are set aside: of a name, one stays."""
    measured = [one for one in found if isinstance(one, MeasuredSubmission)]
    refused = [one for one in found if isinstance(one, Refused)]
    names = {one.submission.name: one.folder for one in reversed(measured)}
    for one in measured:
        first = names[one.submission.name]
        if first != one.folder:
            refused.append(Refused(one.folder, f"its name is taken by {first}"))
    return [one for one in measured if names[one.submission.name] == one.folder], refused


def place(
    suite: Suite, measured: Sequence[MeasuredSubmission], refused: Sequence[Refused] = ()
) -> Board:
    """The board of these submissions, best first; their names differ."""
    base = find_base(suite, measured)
    entries = _entries(suite, measured, base.entry) if measured else []
    entries.sort(key=lambda entry: (entry.samples.value, entry.submission.name))
    return Board(
        suite=suite,
        tasks=tuple(cell.task.label() for cell in expected_cells(suite)),
        entries=tuple(entries),
        refused=tuple(refused),
        reference_rows=reference_rows(suite, base.entry or next(iter(measured), None)),
        relative_to=suite.reference if base.entry else "the budget",
        base_note=base.note,
    )


def _entries(
    suite: Suite, measured: Sequence[MeasuredSubmission], base: MeasuredSubmission | None
) -> list[Entry]:
    """Each submission with its place among the others."""
    submissions = resample(measured, suite.seeds)
    reference = next((one for one in submissions if one.measured is base), None)
    scale = samples_scale(submissions, reference)
    samples = scale.scores(suite.seeds)
    flops = flops_scale(submissions, reference).scores(suite.seeds)
    places = zip(
        submissions,
        samples,
        flops,
        scale.ranks(suite.seeds),
        performance_profile(np.array([one.medians[:, 0] for one in submissions])),
        _front(measured, samples, flops),
        marks_among(measured, suite.reference_entry),
        [_on_fresh_seeds(one, scale) for one in measured],
        strict=True,
    )
    return [
        Entry(
            submission=one.measured.submission,
            folder=one.measured.folder,
            cells=_related_cells(one, reference),
            samples=own_samples,
            flops=own_flops,
            rank=rank,
            profile=tuple(float(ratio) for ratio in profile),
            on_front=bool(on_front),
            is_reference=one is reference,
            bound=_bound(one, reference),
            marks=(*one.measured.marks, *among, *(fresh.marks if fresh else ())),
            fresh=fresh,
            fresh_bound=_fresh_bound(fresh, reference),
        )
        for one, own_samples, own_flops, rank, profile, on_front, among, fresh in places
    ]


def _on_fresh_seeds(one: MeasuredSubmission, scale: Scale) -> FreshStanding | None:
    if one.fresh is None:
        return None
    return stand_on_fresh_seeds(one.fresh, [cell.times for cell in one.cells], scale.base)


def _front(
    measured: Sequence[MeasuredSubmission], samples: Sequence[Estimate], flops: Sequence[Estimate]
) -> NDArray[np.bool_]:
    """(S,) whether each is on the Pareto front; one that solves nothing has no time to offer."""
    solves = np.array([any(cell.solved for cell in one.cells) for one in measured])
    axes = [np.array([score.value for score in axis], float) for axis in (samples, flops)]
    front = pareto_front(*(np.where(solves, axis, np.inf) for axis in axes))
    return np.asarray(front & solves)


def _related_cells(own: Resampled, reference: Resampled | None) -> tuple[EntryCell, ...]:
    """The submission's cells with their ratios to the reference model's, where there is one."""
    cells = own.measured.cells
    if reference is None:
        return cells
    ratios = [
        ratio_estimate(one, two, mine.reached, other.reached)
        for one, two, mine, other in zip(
            own.medians, reference.medians, own.times, reference.times, strict=True
        )
    ]
    return tuple(replace(cell, ratio=ratio) for cell, ratio in zip(cells, ratios, strict=True))


def _bound(own: Resampled, reference: Resampled | None) -> Bound:
    """Which way the ratios can still go; the reference model itself is exactly 1."""
    if own is reference:
        return ""
    return which_way(_unsolved(own), reference is not None and _unsolved(reference))


def _fresh_bound(fresh: FreshStanding | None, reference: Resampled | None) -> Bound:
    more = fresh is not None and fresh.unsolved
    return which_way(more, reference is not None and _unsolved(reference))


def _unsolved(one: Resampled) -> bool:
    """Whether it leaves a cell unsolved."""
    return any(not cell.solved for cell in one.measured.cells)
