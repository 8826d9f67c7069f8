"""Which checkpoints a training can go on from."""

from __future__ import annotations

from pathlib import Path

import torch

from synthbench.engine.training.checkpoints import is_readable


def test_damaged_ones_and_those_of_an_older_kind_are_left(tmp_path: Path) -> None:
    path = tmp_path / "block.ckpt"
    path.write_bytes(b"cut short")
    assert not is_readable(path)
    older = {"finished_steps": 3, "columns": {}}
    torch.save({"synthbench": older}, path)
    assert not is_readable(path), "which replicas were finite is not in it"
    torch.save({"synthbench": {**older, "finite": torch.ones(1), "met": torch.ones(1)}}, path)
    assert is_readable(path)
