"""Which checkpoints a training can go on from."""

from __future__ import annotations

import errno
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import torch

from synthbench.engine.training.checkpoints import AtomicCheckpointIO, why_unusable
from synthbench.errors import OutputError

VERSION = {"pytorch-lightning_version": version("pytorch-lightning")}
OLDER = {"finished_steps": 3, "columns": {}}
OWN = {**OLDER, "finite": torch.ones(1), "met": torch.ones(1)}
WHOLE: dict[str, Any] = {**VERSION, "synthbench": OWN, "weights": torch.arange(50.0)}


def test_damaged_ones_and_those_of_an_older_kind_are_left(tmp_path: Path) -> None:
    path = tmp_path / "block.ckpt"
    path.write_bytes(b"cut short")
    assert why_unusable(path) == "could not be read"
    torch.save({**VERSION, "synthbench": OLDER}, path)
    assert why_unusable(path) == "is of an older version", "which were finite is not in it"
    torch.save(WHOLE, path)
    assert why_unusable(path) is None, "an earlier version wrote no checksum"


def test_those_of_another_lightning_are_left(tmp_path: Path) -> None:
    path = tmp_path / "block.ckpt"
    AtomicCheckpointIO().save_checkpoint({**WHOLE, "pytorch-lightning_version": "1.9.0"}, path)
    assert str(why_unusable(path)).startswith("was written by Lightning 1.9.0, and ")


def test_every_flipped_bit_is_found_or_changes_nothing(tmp_path: Path) -> None:
    """In the mark of the checksum alone: what is before it is then whole."""
    path = tmp_path / "block.ckpt"
    AtomicCheckpointIO().save_checkpoint(WHOLE, path)
    assert why_unusable(path) is None
    content, passed = path.read_bytes(), list[int]()
    for place in [*range(0, len(content), 29), *range(len(content) - 73, len(content))]:
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        if why_unusable(path) is None:
            passed.append(place)
            loaded = torch.load(path, weights_only=True)["weights"]
            assert torch.equal(loaded, WHOLE["weights"])
    assert all(place >= len(content) - 73 for place in passed)


class Full:
    """A file on a disk that is full after some bytes."""

    def __init__(self, file: BinaryIO, room: int) -> None:
        self._file, self._room = file, room

    def __enter__(self) -> Full:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> int:
        self._room -= len(data)
        if self._room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()


@pytest.mark.parametrize("room", [0, 100, 1000, 1900])
def test_a_full_disk_is_one_line_and_keeps_the_last_checkpoint(
    room: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, real = tmp_path / "block.ckpt", Path.open
    AtomicCheckpointIO().save_checkpoint(WHOLE, path)
    before = path.read_bytes()
    assert len(before) > 1900
    with monkeypatch.context() as patch, pytest.raises(OutputError) as caught:
        patch.setattr(Path, "open", lambda own, mode: Full(real(own, mode), room))
        AtomicCheckpointIO().save_checkpoint(WHOLE, path)
    assert str(caught.value).startswith(f"cannot write {path}: No space left on device; make room")
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_limit_on_the_size_of_files_is_named(tmp_path: Path) -> None:
    """As `ulimit -f` sets it; the kernel's own refusal."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    path = tmp_path / "block.ckpt"
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
    try:
        with pytest.raises(OutputError) as caught:
            AtomicCheckpointIO().save_checkpoint(WHOLE, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "File too large; raise the limit on the size of files (ulimit -f)" in str(caught.value)
    assert not list(tmp_path.iterdir())
