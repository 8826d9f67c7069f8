"""How often `synthbench leaderboard verify` fails the honest, and how often it catches a liar.

    python benchmarks/honest_reruns.py && python benchmarks/verification.py [--draws 200]

Claims are trainings that differ from the rerun by rounding alone, as they are or forged. Replicas
and roundings are drawn anew many times; each draw is judged as `verify` judges other hardware. The
first table has honest claims, the second what share of forged ones is caught by the test of one
cell.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from forgeries import FORGERIES, Forgery
from numpy.typing import NDArray

import synthbench as sb
from synthbench.leaderboard.verification.agreement import MORE_NUDGES, NUDGES
from synthbench.leaderboard.verification.outcomes import (
    FALSE_POOLED_TIMES,
    Outcomes,
    times_p_value,
)
from synthbench.leaderboard.verification.parting import departures
from synthbench.leaderboard.verification.strays import FALSE_STRAYS, strays_of, too_many
from synthbench.metrics.time_to_target import Target
from synthbench.metrics.trajectories import Trajectories

CELLS_OF_A_BOARD = 8


@dataclass(frozen=True)
class Judged:
    """A claim about all replicas of a cell, held against its reruns.

    excess: (R,) of what rounding explains, in the first reruns; stray: (R,), whether that is so in
    all of them; close: (R,), whether the rerun alone is close enough.
    """

    excess: NDArray[np.float64]
    stray: NDArray[np.bool_]
    close: NDArray[np.bool_]
    outcomes: Outcomes

    def caught(self, rows: NDArray[np.int64], tests: int = CELLS_OF_A_BOARD) -> bool:
        """Whether some replicas of it fail."""
        if self.close[rows].all():
            return False
        odd = too_many(int(self.stray[rows].sum()), len(rows), FALSE_STRAYS / tests)
        return bool(odd or self._outcomes(rows).failures(tests))

    def strays(self, rows: NDArray[np.int64]) -> int:
        """How many of some replicas leave all of their reruns."""
        return 0 if self.close[rows].all() else int(self.stray[rows].sum())

    def times(self, rows: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """What is tested over all cells."""
        return None if self.close[rows].all() else self.outcomes.times[rows]

    def _outcomes(self, rows: NDArray[np.int64]) -> Outcomes:
        finals = {name: values[rows] for name, values in self.outcomes.finals.items()}
        return Outcomes(self.outcomes.times[rows], finals)


@dataclass(frozen=True)
class Honest:
    """A cell's rerun, its trainings with other last bits, and claims by other roundings.

    The rerun is the one that was made `here` where there is one, and the record a claim then.
    """

    name: str
    rerun: Trajectories
    nudged: list[Trajectories]
    claims: dict[str, Trajectories]
    target: Target
    samples: int

    @classmethod
    def read(cls, folder: Path) -> Honest:
        """From what `honest_reruns.py` has kept."""
        cell = sb.read_results(folder)[0].measured
        tables = {p.stem: Trajectories.read(p) for p in sorted(folder.glob("*.parquet"))}
        nudged = [tables.pop(name) for name in sorted(tables) if name.startswith("nudge")]
        samples = int(cell.record.protocol["evaluation_samples"])
        rerun = cell.trajectories
        if "here" in tables:
            tables["record"], rerun = rerun, tables.pop("here")
        return cls(folder.name, rerun, nudged, tables, cell.record.target, samples)

    def judged(self, claim: Trajectories) -> Judged:
        """Hold a claim about all replicas against them."""
        reruns = (self.rerun, *self.nudged[:NUDGES])
        near = departures(claim, self.rerun, (), self.samples)
        far = departures(claim, self.rerun, reruns[1:], self.samples)
        stray = np.zeros(len(far), dtype=bool)
        for place in strays_of(far, claim, reruns, self._more, self.samples):
            stray[place.replica] = place.excess > 1
        ends = zip(claim.by_replica("step"), self.rerun.by_replica("step"), strict=True)
        as_long = np.array([len(one) == len(other) for one, other in ends])
        return Judged(
            np.array([place.excess for place in far]),
            stray,
            as_long & np.array([place.excess <= 1 for place in near]),
            Outcomes.of((claim, *reruns), self.target),
        )

    def _more(self, places: Sequence[int]) -> list[Trajectories]:
        return [each.select(places) for each in self.nudged[NUDGES:]]

    @property
    def replicas(self) -> int:
        """How many."""
        return len(self.outcome_ends())

    def outcome_ends(self) -> list[int]:
        """The number of evaluations of each replica of the rerun."""
        return [len(steps) for steps in self.rerun.by_replica("step")]


def honest_table(
    cells: list[Honest], counts: list[int], draws: int, rng: np.random.Generator
) -> None:
    """Per cell: how far honest claims go; per number of replicas: how often they fail."""
    judged = {cell.name: [cell.judged(c) for c in cell.claims.values()] for cell in cells}
    print("| cell | pairs | close at once | times the same | largest excess | above 1 | strays |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for cell in cells:
        own = judged[cell.name]
        excess = np.concatenate([each.excess for each in own])
        close = np.concatenate([each.close for each in own])
        times = np.concatenate([each.outcomes.times[:, :2] for each in own])
        print(
            f"| {cell.name} | {len(excess)} | {close.mean():.0%} | "
            f"{(times[:, 0] == times[:, 1]).mean():.0%} | {excess.max():.2g} | "
            f"{(excess > 1).sum()} | {sum(int(each.stray.sum()) for each in own)} |"
        )
    print("\n| replicas of each cell | fails in a cell | a board of all cells |")
    print("| ---: | ---: | ---: |")
    for count in counts:
        failed, boards = 0, 0
        for _ in range(draws):
            times, alarm, strays = [], False, 0
            for cell in cells:
                claim = judged[cell.name][rng.integers(len(judged[cell.name]))]
                rows = _rows(cell, count, rng)
                caught = claim.caught(rows, len(cells))
                failed += caught
                alarm |= caught
                strays += claim.strays(rows)
                if (own := claim.times(rows)) is not None:
                    times.append(own)
            if times and times_p_value(np.concatenate(times)) < FALSE_POOLED_TIMES:
                alarm = True
            boards += alarm or too_many(strays, count * len(cells), FALSE_STRAYS)
        print(f"| {count} | {failed} of {draws * len(cells)} | {boards} of {draws} |")


def power_table(
    cells: list[Honest], counts: list[int], draws: int, rng: np.random.Generator
) -> None:
    """Share of forged claims about one cell that are caught."""
    for count in counts:
        print(f"\n{count} replicas rerun\n")
        print(f"| forgery | {' | '.join(cell.name for cell in cells)} |")
        print(f"| --- |{' ---: |' * len(cells)}")
        for name, forge in FORGERIES.items():
            shares = [_power(cell, forge, count, draws, rng) for cell in cells]
            print(f"| {name} | {' | '.join(shares)} |", flush=True)


CACHE: dict[tuple[str, int], list[Judged]] = {}


def _power(
    cell: Honest, forge: Forgery, count: int, draws: int, rng: np.random.Generator
) -> str:  # fmt: skip
    key = (cell.name, id(forge))
    if key not in CACHE:
        CACHE[key] = [
            cell.judged(forged)
            for claim in cell.claims.values()
            if (forged := forge(claim, list(cell.claims.values()), cell.target)) is not None
        ]
    if not CACHE[key]:
        return "-"
    judged = CACHE[key]
    caught = [
        judged[rng.integers(len(judged))].caught(_rows(cell, count, rng)) for _ in range(draws)
    ]
    return f"{np.mean(caught):.0%}"


def _rows(cell: Honest, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.sort(rng.choice(cell.replicas, min(count, cell.replicas), replace=False))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reruns", type=Path, default=Path("build/reruns"))
    parser.add_argument("--boards", type=int, default=2000, help="honest ones, per size of rerun")
    parser.add_argument("--draws", type=int, default=200, help="of each forgery in each cell")
    parser.add_argument("--cell", nargs="+")
    parser.add_argument("--replicas", nargs="+", type=int, default=[2, 4, 8, 16], help="rerun")
    given = parser.parse_args()
    all_nudges = NUDGES + MORE_NUDGES
    folders = sorted(p for p in given.reruns.iterdir() if len(list(p.glob("nudge*"))) >= all_nudges)
    read = [Honest.read(p) for p in folders if given.cell is None or p.name in given.cell]
    cells = [cell for cell in read if cell.claims]
    rng = np.random.default_rng(0)
    honest_table(cells, given.replicas, given.boards, rng)
    power_table(cells, given.replicas, given.draws, rng)


if __name__ == "__main__":
    main()
