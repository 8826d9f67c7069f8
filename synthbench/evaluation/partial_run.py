"""What is kept of a cell that has not finished: its plan, finished blocks, a checkpoint."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.torch import load, save

from synthbench.engine.axis.way import Executor, Way
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import BlockResult
from synthbench.errors import OutputError
from synthbench.evaluation.begun_replicas import BegunReplicas, read_begun
from synthbench.evaluation.kept_replicas import KeptReplicas
from synthbench.evaluation.state_files import read_state, state_bytes
from synthbench.evaluation.training_choice import TrainingChoice
from synthbench.hashing import checked_content, content_hash, with_checksum
from synthbench.records.atomic import make_folder, remove_file, write_atomically
from synthbench.records.content import parquet_bytes
from synthbench.records.schema import EarlierReplicas

FOLDER = ".partial"
STATES = ("state.json", "state-copy.json")
"""Twice, since without it nothing else can be used."""
METADATA = b"synthbench"
SNAPSHOTS = ".checkpoints.safetensors"
EARLIER = "earlier.json"
STATE = ".state.safetensors"
REPLICAS, TAKEN_OVER, BEGUN = "replicas", "taken-over", "begun"


@dataclass(frozen=True)
class PartialIdentity:
    """What must be equal for a half-finished run to be continued bit for bit."""

    plan_hash: str
    """Of the plan less the number of seeds: `seedless_hash`."""
    device: str
    device_name: str
    """With the vector instructions of a CPU, as far as variables let libraries use them."""
    torch: str
    torch_settings: dict[str, bool]
    synthbench: str
    keep_weights: bool
    plugins: list[str]
    """Third-party ones with their versions and code."""
    kept_steps: list[int]
    """Evaluations whose weights are kept, beside the last."""
    sources: dict[str, str]
    """Hashes of the weights that the cell takes over from others."""


@dataclass(frozen=True)
class PartialRun:
    """The folder of a half-finished cell, and how it is trained.

    Every file carries a checksum; those of earlier versions do not. damaged: names of what is not
    what was written, without their suffixes, and is left out.
    """

    folder: Path
    identity: PartialIdentity
    choice: TrainingChoice
    damaged: frozenset[str] = frozenset()

    @property
    def fingerprint(self) -> str:
        """Of what must be equal for its checkpoints to be used, with how it is trained."""
        return content_hash(self._state())[:16]

    def missing(self, count: int) -> list[int]:
        """The numbers below `count` of the replicas that are not finished, in order."""
        done = set(self._done_numbers())
        return [number for number in range(count) if number not in done]

    def checkpoint(self, block: Block) -> Path:
        """Lightning checkpoint of a block: its replicas are in the name, so no other takes it."""
        company = f"-{_company(block)}" if block.cells or block.numbers else ""
        name = f"block-{block.first:06d}-{len(block.seeds)}-{block.width}{company}.ckpt"
        return self.folder / name

    def with_widest(self, widest: int) -> PartialRun:
        """Train narrower blocks from here on; the block in training starts again."""
        for path in self.folder.glob("block-*.ckpt"):
            remove_file(path)
        changed = replace(self, choice=replace(self.choice, widest=widest))
        changed.save()
        return changed

    def save(self) -> None:
        """Write the state file, and a copy of it."""
        make_folder(self.folder)
        for name in STATES:
            self._write(name, json.dumps(self._state()).encode())

    def add(self, block: Block, result: BlockResult, name: str = REPLICAS) -> None:
        """Keep a finished block and drop the checkpoint that led to it."""
        name = f"{name}-{block.first:06d}"
        if self.identity.keep_weights:
            weights = {key: tensor.contiguous() for key, tensor in result.weights.items()}
            self._write(f"{name}.safetensors", save(weights))
        if self.identity.kept_steps:
            taken = {key: tensor.contiguous() for key, tensor in result.snapshots.items()}
            self._write(f"{name}{SNAPSHOTS}", save(taken))
        if result.state is not None:
            self._write(f"{name}{STATE}", state_bytes(result.state))
        notes = {
            "references": result.references,
            "diverged": result.diverged,
            "seconds": result.seconds,
            "graphs": result.graphs,
        }
        table = result.table.replace_schema_metadata({METADATA: json.dumps(notes).encode()})
        self._write(f"{name}.parquet", parquet_bytes(table))
        remove_file(self.checkpoint(block))

    def finished(self, count: int) -> list[BlockResult]:
        """The finished blocks with replicas below `count`, in the order of their first ones."""
        blocks = [_below(count, self._read(path)) for path in self._paths()]
        return [block for block in blocks if block is not None]

    def take_over(self, finished: Sequence[KeptReplicas], begun: Sequence[BegunReplicas]) -> None:
        """Keep replicas of finished cells: those that are finished here too, and those that go on.

        Before any block is trained: what blocks there are depends on it.
        """
        for kept in finished:
            self.add(kept.block, kept.result, TAKEN_OVER)
        for place, own in enumerate(begun):
            self._write(f"{BEGUN}-{place:06d}.safetensors", own.as_bytes())

    def taken_over(self) -> list[int]:
        """The replicas that were finished before its first block was trained."""
        return _numbers(self._paths(TAKEN_OVER))

    def begun(self) -> list[BegunReplicas]:
        """The replicas that do not begin at the first step."""
        return [read_begun(_content(path)) for path in self._begun_paths()]

    def remember(self, earlier: Sequence[EarlierReplicas]) -> None:
        """Keep which of the finished replicas were trained elsewhere."""
        content = [part.model_dump(mode="json") for part in earlier]
        self._write(EARLIER, json.dumps(content).encode())

    def earlier(self) -> tuple[EarlierReplicas, ...]:
        """Those that were remembered."""
        path = self.folder / EARLIER
        content = json.loads(_content(path)) if path.exists() else []
        return tuple(EarlierReplicas.model_validate(part) for part in content)

    def without_damage(self) -> PartialRun | None:
        """The same less what is damaged; None where two blocks hold one replica. Only reads."""
        kinds = ((self._paths(), self._read), (self._begun_paths(), _read_begun))
        damaged = {path.stem for paths, read in kinds for path in paths if not _can(read, path)}
        if not _can(lambda _: self.earlier(), self.folder):
            # Where they were trained is not known any more.
            damaged |= {EARLIER, *(path.stem for path in self._paths(TAKEN_OVER))}
        sound = replace(self, damaged=frozenset(damaged))
        numbers = sound._done_numbers()
        return sound if len(numbers) == len(set(numbers)) else None

    def drop_damaged(self) -> PartialRun:
        """Delete what is damaged and, where that was taken over, all that was taken over."""
        names = set(self.damaged)
        if self.took_damage:
            names |= {EARLIER}
            names |= {path.stem for path in (*self._paths(TAKEN_OVER), *self._begun_paths())}
        for path in self.folder.iterdir():
            if {path.name, path.name.partition(".")[0]} & names:
                remove_file(path)
        # One of its two copies may be damaged, too.
        whole = replace(self, damaged=frozenset())
        whole.save()
        return whole

    @property
    def took_damage(self) -> bool:
        """Whether something that was taken over from other cells is damaged."""
        return any(not name.startswith(f"{REPLICAS}-") for name in self.damaged)

    def _state(self) -> dict[str, Any]:
        return {**vars(self.identity), "choice": vars(self.choice)}

    def _done_numbers(self) -> list[int]:
        """The replicas of every finished block, one block after the other."""
        return _numbers(self._paths())

    def _paths(self, *kinds: str) -> list[Path]:
        """The tables of finished blocks, of some kinds or of both, less the damaged ones."""
        found = (
            path
            for kind in kinds or (REPLICAS, TAKEN_OVER)
            for path in self.folder.glob(f"{kind}-*.parquet")
        )
        return sorted(path for path in found if path.stem not in self.damaged)

    def _begun_paths(self) -> list[Path]:
        found = self.folder.glob(f"{BEGUN}-*.safetensors")
        return sorted(path for path in found if path.stem not in self.damaged)

    def _write(self, name: str, content: bytes) -> None:
        write_atomically(self.folder / name, with_checksum(content))

    def _read(self, path: Path) -> BlockResult:
        """Raises one of many kinds of error where a file of a block is damaged."""
        table = pq.read_table(pa.BufferReader(_content(path)))
        notes: dict[str, Any] = json.loads(table.schema.metadata[METADATA])
        if len(table["replica"].unique()) != len(notes["diverged"]):
            raise ValueError(f"{path} holds other replicas than it says")
        weights, kept, state = self.identity.keep_weights, self.identity.kept_steps, None
        if path.with_suffix(STATE).exists():
            state = read_state(_content(path.with_suffix(STATE)))[0]
        return BlockResult(
            table=table.replace_schema_metadata(None),
            weights=load(_content(path.with_suffix(".safetensors"))) if weights else {},
            snapshots=load(_content(path.with_suffix(SNAPSHOTS))) if kept else {},
            state=state,
            **notes,
        )


def _content(path: Path) -> bytes:
    """Of a file of an unfinished run. Raises OSError or ValueError where it is damaged."""
    return checked_content(path.read_bytes())


def _read_begun(path: Path) -> BegunReplicas:
    return read_begun(_content(path))


def _can(read: Callable[[Path], object], path: Path) -> bool:
    try:
        read(path)
    # Arrow, safetensors and pydantic raise many kinds of error for damaged files.
    except Exception:
        return False
    return True


def _numbers(paths: Sequence[Path]) -> list[int]:
    """The replicas in some tables, one table after the other."""
    tables = [pq.read_table(pa.BufferReader(_content(path)), columns=["replica"]) for path in paths]
    return [number for table in tables for number in table["replica"].unique().to_pylist()]


def _below(count: int, block: BlockResult) -> BlockResult | None:
    """The replicas of a block with numbers below `count`; an earlier run may have wanted more."""
    numbers = [n for n in block.table["replica"].unique().to_pylist() if n < count]
    return block.rows(0, len(numbers), numbers) if numbers else None


def _company(block: Block) -> str:
    """Short hash of the cells whose replicas share a block."""
    hashes = {id(cell): cell.plan_hash() for cell in block.cells}
    every = [hashes[id(cell)] for cell in block.cells]
    return content_hash({"cells": every, "seeds": [own.init for own in block.seeds]})[:12]


def has_partial(cell_folder: Path) -> bool:
    """Whether a cell's folder holds a half-finished run, of whatever identity."""
    return (cell_folder / FOLDER).exists()


def start_partial(
    cell_folder: Path, identity: PartialIdentity, choice: TrainingChoice
) -> PartialRun:
    """A run that nothing is finished of, and its state file."""
    fresh = PartialRun(cell_folder / FOLDER, identity, choice)
    fresh.save()
    return fresh


def remove_partial(cell_folder: Path) -> None:
    """Delete what is left of a half-finished run; without its state files it is nothing."""
    folder = cell_folder / FOLDER
    if folder.is_symlink() or folder.is_file():
        remove_file(folder)
    elif folder.exists():
        for name in reversed(STATES):
            remove_file(folder / name)
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise OutputError(f"cannot delete {folder}: {error.strerror}") from None


def remove_spent_partial(cell_folder: Path, seedless_hash: str, count: int) -> None:
    """Delete what is left of the run that led to a record of `count` replicas.

    One for more replicas, or of another plan, is not finished, and stays.
    """
    folder = cell_folder / FOLDER
    try:
        content = _read_state_file(folder)
        numbers = [int(path.stem.rpartition("-")[2]) for path in folder.glob("*-*.parquet")]
        spent = content["plan_hash"] == seedless_hash and max(numbers, default=0) < count
    except (OSError, ValueError, KeyError, TypeError):
        spent = True
    if spent:
        remove_partial(cell_folder)


def find_partial(cell_folder: Path, identity: PartialIdentity) -> PartialRun | None:
    """The half-finished run in a cell's folder, if it is of the same identity. Only reads.

    What of it is damaged is left out, and named by `PartialRun.damaged`.
    """
    folder = cell_folder / FOLDER
    try:
        content = _read_state_file(folder)
        chosen = content.pop("choice")
        choice = TrainingChoice(
            Way(chosen["way"]),
            int(chosen["widest"]),
            Executor(chosen["executor"]),
            int(chosen["threads"]),
        )
        same = content == vars(identity)
        return PartialRun(folder, identity, choice).without_damage() if same else None
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None


def began_on(cell_folder: Path) -> str | None:
    """The `device_name` of the half-finished run in a cell's folder; None where it cannot be read.

    Only reads.
    """
    try:
        name = _read_state_file(cell_folder / FOLDER)["device_name"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return name if isinstance(name, str) else None


def _read_state_file(folder: Path) -> dict[str, Any]:
    """From the first of the two that is not damaged; raises what the last of them does."""
    first, copy = STATES
    try:
        content: dict[str, Any] = json.loads(_content(folder / first))
    except (OSError, ValueError):
        content = json.loads(_content(folder / copy))
    return content
