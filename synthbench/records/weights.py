"""The weights beside a record: which there are, and reading them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from synthbench.errors import RecordError
from synthbench.records.reading import CHECKPOINTS_FILE, WEIGHTS_FILE
from synthbench.records.schema import Record

if TYPE_CHECKING:
    from torch import Tensor


def kept_steps(record: Record, folder: Path) -> list[int]:
    """The optimizer steps of the evaluations whose weights are kept, beside the last."""
    from safetensors import safe_open

    if CHECKPOINTS_FILE not in record.files:
        return []
    with safe_open(folder / CHECKPOINTS_FILE, framework="numpy") as file:
        return sorted({int(name.partition("/")[0]) for name in file.keys()})


def read_weights(record: Record, folder: Path, step: int | None = None) -> dict[str, Tensor]:
    """Parameters and buffers of all replicas (R, ...) by name, on CPU.

    step: that of a kept evaluation; none: each replica's last. Raises RecordError, saying what is
    kept, where these are not.
    """
    from safetensors import safe_open
    from safetensors.torch import load_file

    if WEIGHTS_FILE not in record.files:
        raise RecordError(
            f"{folder} has no weights; evaluate with --keep-weights last, or in "
            "Python with Settings(keep_weights=True)"
        )
    if step is None:
        return load_file(folder / WEIGHTS_FILE)
    kept = kept_steps(record, folder)
    if step not in kept:
        known = ", ".join([*map(str, kept), "last"])
        raise RecordError(
            f"{folder} has no weights of step {step} (kept: {known}); evaluate it again with "
            f"--keep-weights {step}"
        )
    own = f"{step}/"
    with safe_open(folder / CHECKPOINTS_FILE, framework="pt") as file:
        names = [name for name in file.keys() if name.startswith(own)]
        return {name.removeprefix(own): file.get_tensor(name) for name in names}


def weights_hash(states: Iterable[Mapping[str, Tensor]]) -> str:
    """SHA-256 of the names, types, shapes and bits of some states, one after the other."""
    import torch

    digest = hashlib.sha256()
    for state in states:
        for name, tensor in sorted(state.items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
