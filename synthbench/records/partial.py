"""What is kept of a cell that has not finished: its plan, finished blocks, a checkpoint."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.torch import load_file, save

from synthbench.engine.block import Block, BlockResult
from synthbench.records.atomic import make_folder, write_atomically

FOLDER = ".partial"
METADATA = b"synthbench"


@dataclass(frozen=True)
class PartialIdentity:
    """What must be equal for a half-finished run to be continued bit for bit."""

    plan_hash: str
    device: str
    torch: str
    synthbench: str
    keep_weights: bool


@dataclass(frozen=True)
class PartialRun:
    """The folder of a half-finished cell and the widest block it may train."""

    folder: Path
    identity: PartialIdentity
    widest: int

    @property
    def checkpoint(self) -> Path:
        """Lightning checkpoint of the block in training."""
        return self.folder / "block.ckpt"

    def with_widest(self, widest: int) -> PartialRun:
        """Train narrower blocks from here on; the block in training starts again."""
        self.checkpoint.unlink(missing_ok=True)
        changed = replace(self, widest=widest)
        changed.save()
        return changed

    def save(self) -> None:
        """Write the state file."""
        make_folder(self.folder)
        content = {**vars(self.identity), "widest": self.widest}
        write_atomically(self.folder / "state.json", json.dumps(content).encode())

    def add(self, block: Block, result: BlockResult) -> None:
        """Keep a finished block and drop the checkpoint that led to it."""
        name = f"replicas-{block.first:06d}"
        if self.identity.keep_weights:
            weights = {key: tensor.contiguous() for key, tensor in result.weights.items()}
            write_atomically(self.folder / f"{name}.safetensors", save(weights))
        notes = {
            "references": result.references,
            "diverged": result.diverged,
            "seconds": result.seconds,
        }
        table = result.table.replace_schema_metadata({METADATA: json.dumps(notes).encode()})
        write_atomically(self.folder / f"{name}.parquet", parquet_bytes(table))
        self.checkpoint.unlink(missing_ok=True)

    def finished(self) -> list[BlockResult]:
        """The finished blocks, in the order of their replicas."""
        return [self._read(path) for path in sorted(self.folder.glob("replicas-*.parquet"))]

    def _read(self, path: Path) -> BlockResult:
        table = pq.read_table(path)
        notes: dict[str, Any] = json.loads(table.schema.metadata[METADATA])
        weights = load_file(path.with_suffix(".safetensors")) if self.identity.keep_weights else {}
        return BlockResult(table=table.replace_schema_metadata(None), weights=weights, **notes)

    def remove(self) -> None:
        """Delete the folder: the record has taken its place."""
        shutil.rmtree(self.folder, ignore_errors=True)


def find_partial(cell_folder: Path, identity: PartialIdentity) -> PartialRun | None:
    """The half-finished run in a cell's folder, if it is of the same identity."""
    folder = cell_folder / FOLDER
    try:
        content = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        widest = int(content.pop("widest"))
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return PartialRun(folder, identity, widest) if content == vars(identity) else None


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as the bytes of a parquet file."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())
