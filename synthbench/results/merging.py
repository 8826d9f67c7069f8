"""Folders of results from several people or machines, as one."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from synthbench.errors import OutputError, RecordError
from synthbench.plan.growth import mergeable_hash
from synthbench.records import Record, read_record
from synthbench.records.atomic import make_folder, staging, write_atomically
from synthbench.records.content import record_bytes
from synthbench.records.reading import RECORD_FILE
from synthbench.results.agreement import find_conflict
from synthbench.results.joined import JoinedCell, Portion, joined
from synthbench.results.measured_cell import MeasuredCell

NAMED = 5
"""Conflicts that an error names."""


@dataclass(frozen=True)
class SourcedCell:
    """A finished cell in one of the folders that are merged. root: that folder."""

    cell: MeasuredCell
    root: Path

    @property
    def place(self) -> Path:
        """Where it lies below its root."""
        return self.cell.folder.relative_to(self.root)

    @property
    def seeds(self) -> range:
        """Of its replicas."""
        first = self.cell.record.protocol["first_seed"]
        return range(first, first + len(self.cell.record.replicas))

    @property
    def looks(self) -> tuple[int, float]:
        """Budget and resolution: up to where its replicas were watched, and how often."""
        return self.cell.budget, self.cell.record.protocol["resolution"]


@dataclass(frozen=True)
class Merged:
    """What a merge has done: cells that were copied, joined from several, or left out.

    held: each of these was whole in another. passed_over: folders that a preferred one contradicts.
    """

    copied: int
    joined: int
    held: int
    passed_over: tuple[Path, ...]


def merge(sources: Sequence[Path], to: Path, prefer: Path | None = None) -> Merged:
    """Write the finished cells of all folders into a new one, each configuration once.

    Replicas of one configuration are put together where their seeds follow one another and they
    were watched alike. Replicas that two folders have must be equal, bit for bit. prefer: the
    source that is right where two differ. `to` appears whole or not at all. Raises OutputError
    where it is there already, lies in a source, or two folders contradict one another,
    RecordError for a source that cannot be read.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        others = "" if to in sources else f", and {to} among the others"
        raise OutputError(f"{to} is there already; name a new folder{others}")
    if prefer is not None and prefer not in sources:
        raise OutputError(f"--prefer {prefer} is not among the folders that are merged")
    for source in sources:
        if to.resolve().is_relative_to(source.resolve()):
            raise OutputError(f"{to} lies in {source}, which is merged; name a folder outside")
    groups = _groups(_read(sources))
    passed_over = _passed_over(groups, prefer)
    parts: list[list[SourcedCell]] = []
    held = 0
    for group in groups:
        right = [each for each in group if each.cell.folder not in passed_over]
        chains, left_out = _chains(right)
        parts += chains
        held += left_out
    _write(parts, to)
    several = sum(len(part) > 1 for part in parts)
    return Merged(len(parts) - several, several, held, tuple(sorted(passed_over)))


def _read(sources: Sequence[Path]) -> list[SourcedCell]:
    found = []
    for root in sources:
        paths = sorted(root.rglob(RECORD_FILE)) if root.is_dir() else []
        if not paths:
            raise RecordError(
                f"no finished cell in {root}; name folders that `synthbench eval` has written"
            )
        found += [
            SourcedCell(MeasuredCell(read_record(path.parent), path.parent), root) for path in paths
        ]
    return found


def _groups(cells: Iterable[SourcedCell]) -> list[list[SourcedCell]]:
    """Those that may be put together: of one configuration, in one place below their roots."""
    groups: dict[tuple[Path, str], list[SourcedCell]] = {}
    for each in cells:
        key = each.place.parent, mergeable_hash(each.cell.record.plan)
        groups.setdefault(key, []).append(each)
    return list(groups.values())


def _passed_over(groups: Iterable[Sequence[SourcedCell]], prefer: Path | None) -> set[Path]:
    """Folders that the preferred source contradicts; OutputError where two others differ."""
    passed_over, conflicts = set[Path](), []
    for group in groups:
        for one, other in combinations(group, 2):
            conflict = _contradiction(one, other)
            if conflict is None:
                continue
            worse = [each for each in (one, other) if each.root != prefer]
            if len(worse) == 1:
                passed_over.add(worse[0].cell.folder)
            else:
                conflicts.append(conflict)
    if conflicts:
        shown = "\n  ".join(conflicts[:NAMED])
        more = f"\n  and {len(conflicts) - NAMED} more" if len(conflicts) > NAMED else ""
        raise OutputError(
            f"nothing is merged, the folders differ:\n  {shown}{more}\n"
            "name the one that is right: --prefer FOLDER"
        )
    return passed_over


def _contradiction(one: SourcedCell, other: SourcedCell) -> str | None:
    first, second = _codes(one.cell.record), _codes(other.cell.record)
    changed = [name for name in first.keys() & second.keys() if first[name] != second[name]]
    if changed:
        names = ", ".join(sorted(changed))
        return f"{one.cell.folder} and {other.cell.folder} were trained by other code of {names}"
    found = find_conflict(one.cell, other.cell)
    return None if found is None else str(found)


def _codes(record: Record) -> dict[str, str]:
    """Version and code of the plugins that are not bundled."""
    return {
        p.plugin: p.version for p in record.environment.plugins if p.distribution != "synthbench"
    }


def _chains(group: Sequence[SourcedCell]) -> tuple[list[list[SourcedCell]], int]:
    """Cells that make one together, in the order of their seeds; and how many another holds."""
    kept: list[SourcedCell] = []
    for each in sorted(group, key=_size, reverse=True):
        if not any(_holds(other, each) for other in kept):
            kept.append(each)
    chains: list[list[SourcedCell]] = []
    for each in sorted(kept, key=lambda own: (own.looks, own.seeds.start)):
        last = chains[-1][-1] if chains else None
        follows = last is not None and last.looks == each.looks
        if last is not None and follows and each.seeds.start <= last.seeds.stop:
            chains[-1].append(each)
        else:
            chains.append([each])
    return chains, len(group) - len(kept)


def _size(own: SourcedCell) -> tuple[int, float, int, int]:
    budget, resolution = own.looks
    return budget, -resolution, len(own.seeds), len(own.cell.record.files)


def _holds(one: SourcedCell, other: SourcedCell) -> bool:
    (budget, resolution), (less, coarser) = one.looks, other.looks
    inside = one.seeds.start <= other.seeds.start and other.seeds.stop <= one.seeds.stop
    return inside and budget >= less and resolution <= coarser


def _write(parts: Sequence[Sequence[SourcedCell]], to: Path) -> None:
    make_folder(to.parent)
    with staging(to.parent) as stage:
        staged = stage / to.name
        for part in parts:
            folder = _free(staged / part[0].place, part[0])
            make_folder(folder)
            if len(part) == 1:
                _copy(part[0].cell, folder)
            else:
                _save(joined(_portions(part)), folder)
        if to.exists():
            to.rmdir()
        staged.rename(to)


def _free(folder: Path, own: SourcedCell) -> Path:
    """That folder, or one beside it where a cell of another budget has the name."""
    taken = folder.exists()
    return folder.with_name(f"{folder.name}-{own.cell.record.plan_hash[:8]}") if taken else folder


def _portions(part: Sequence[SourcedCell]) -> list[Portion]:
    """Of every cell the replicas that no earlier one has."""
    portions, done = [], part[0].seeds.start
    for own in part:
        portions.append(Portion(own.cell, done - own.seeds.start, len(own.seeds)))
        done = own.seeds.stop
    return portions


def _copy(cell: MeasuredCell, folder: Path) -> None:
    for name in cell.record.files:
        shutil.copyfile(cell.folder / name, folder / name)
    # Last: a folder with a record is a finished cell.
    shutil.copyfile(cell.folder / RECORD_FILE, folder / RECORD_FILE)


def _save(cell: JoinedCell, folder: Path) -> None:
    for name, content in cell.files.items():
        write_atomically(folder / name, content)
    write_atomically(folder / RECORD_FILE, record_bytes(cell.record))
