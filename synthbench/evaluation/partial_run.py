"""What is kept of a cell that has not finished: its plan, finished blocks, a checkpoint."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from synthbench.engine.axis.way import Executor, Way
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import BlockResult
from synthbench.errors import OutputError
from synthbench.evaluation.begun_replicas import BegunReplicas, read_begun
from synthbench.evaluation.kept_replicas import KeptReplicas
from synthbench.evaluation.state_files import read_state, state_bytes
from synthbench.evaluation.training_choice import TrainingChoice
from synthbench.hashing import content_hash
from synthbench.records.atomic import make_folder, write_atomically
from synthbench.records.content import parquet_bytes
from synthbench.records.schema import EarlierReplicas

FOLDER = ".partial"
METADATA = b"synthbench"
SNAPSHOTS = ".checkpoints.safetensors"
EARLIER = "earlier.json"
STATE = ".state.safetensors"
TAKEN_OVER, BEGUN = "taken-over", "begun"


@dataclass(frozen=True)
class PartialIdentity:
    """What must be equal for a half-finished run to be continued bit for bit."""

    plan_hash: str
    """Of the plan less the number of seeds: `seedless_hash`."""
    device: str
    device_name: str
    """With the vector instructions of a CPU."""
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
    """The folder of a half-finished cell, and how it is trained."""

    folder: Path
    identity: PartialIdentity
    choice: TrainingChoice

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
            path.unlink()
        changed = replace(self, choice=replace(self.choice, widest=widest))
        changed.save()
        return changed

    def save(self) -> None:
        """Write the state file."""
        make_folder(self.folder)
        write_atomically(self.folder / "state.json", json.dumps(self._state()).encode())

    def add(self, block: Block, result: BlockResult, name: str = "replicas") -> None:
        """Keep a finished block and drop the checkpoint that led to it."""
        name = f"{name}-{block.first:06d}"
        if self.identity.keep_weights:
            weights = {key: tensor.contiguous() for key, tensor in result.weights.items()}
            write_atomically(self.folder / f"{name}.safetensors", save(weights))
        if self.identity.kept_steps:
            taken = {key: tensor.contiguous() for key, tensor in result.snapshots.items()}
            write_atomically(self.folder / f"{name}{SNAPSHOTS}", save(taken))
        if result.state is not None:
            write_atomically(self.folder / f"{name}{STATE}", state_bytes(result.state))
        notes = {
            "references": result.references,
            "diverged": result.diverged,
            "seconds": result.seconds,
            "graphs": result.graphs,
        }
        table = result.table.replace_schema_metadata({METADATA: json.dumps(notes).encode()})
        write_atomically(self.folder / f"{name}.parquet", parquet_bytes(table))
        self.checkpoint(block).unlink(missing_ok=True)

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
            write_atomically(self.folder / f"{BEGUN}-{place:06d}.safetensors", own.as_bytes())

    def taken_over(self) -> list[int]:
        """The replicas that were finished before its first block was trained."""
        return _numbers(sorted(self.folder.glob(f"{TAKEN_OVER}-*.parquet")))

    def begun(self) -> list[BegunReplicas]:
        """The replicas that do not begin at the first step."""
        paths = sorted(self.folder.glob(f"{BEGUN}-*.safetensors"))
        return [read_begun(path) for path in paths]

    def remember(self, earlier: Sequence[EarlierReplicas]) -> None:
        """Keep which of the finished replicas were trained elsewhere."""
        content = [part.model_dump(mode="json") for part in earlier]
        write_atomically(self.folder / EARLIER, json.dumps(content).encode())

    def earlier(self) -> tuple[EarlierReplicas, ...]:
        """Those that were remembered."""
        path = self.folder / EARLIER
        content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        return tuple(EarlierReplicas.model_validate(part) for part in content)

    def is_whole(self) -> bool:
        """Whether everything can be read, and no finished block holds a replica of another."""
        self.begun()
        sizes = [len(self._read(path).diverged) for path in self._paths()]
        numbers = self._done_numbers()
        return len(numbers) == len(set(numbers)) == sum(sizes)

    def _state(self) -> dict[str, Any]:
        return {**vars(self.identity), "choice": vars(self.choice)}

    def _done_numbers(self) -> list[int]:
        """The replicas of every finished block, one block after the other."""
        return _numbers(self._paths())

    def _paths(self) -> list[Path]:
        kinds = ("replicas", TAKEN_OVER)
        return sorted(path for kind in kinds for path in self.folder.glob(f"{kind}-*.parquet"))

    def _read(self, path: Path) -> BlockResult:
        table = pq.read_table(path)
        notes: dict[str, Any] = json.loads(table.schema.metadata[METADATA])
        weights = load_file(path.with_suffix(".safetensors")) if self.identity.keep_weights else {}
        kept, state = self.identity.kept_steps, path.with_suffix(STATE)
        return BlockResult(
            table=table.replace_schema_metadata(None),
            weights=weights,
            snapshots=load_file(path.with_suffix(SNAPSHOTS)) if kept else {},
            state=read_state(state)[0] if state.exists() else None,
            **notes,
        )


def _numbers(paths: Sequence[Path]) -> list[int]:
    """The replicas in some tables, one table after the other."""
    tables = [pq.read_table(path, columns=["replica"]) for path in paths]
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
    """Delete what is left of a half-finished run; without its state file it is nothing."""
    folder = cell_folder / FOLDER
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        (folder / "state.json").unlink(missing_ok=True)
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
        content = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        numbers = [int(path.stem.rpartition("-")[2]) for path in folder.glob("*-*.parquet")]
        spent = content["plan_hash"] == seedless_hash and max(numbers, default=0) < count
    except (OSError, ValueError, KeyError, TypeError):
        spent = True
    if spent:
        remove_partial(cell_folder)


def find_partial(cell_folder: Path, identity: PartialIdentity) -> PartialRun | None:
    """The half-finished run in a cell's folder, if it is whole and of the same identity."""
    folder = cell_folder / FOLDER
    try:
        content = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        chosen = content.pop("choice")
        choice = TrainingChoice(
            Way(chosen["way"]),
            int(chosen["widest"]),
            Executor(chosen["executor"]),
            int(chosen["threads"]),
        )
        found = PartialRun(folder, identity, choice)
        return found if content == vars(identity) and found.is_whole() else None
    except (OSError, ValueError, KeyError, AttributeError, TypeError, SafetensorError):
        return None
