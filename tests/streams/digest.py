"""A short hash of drawn tensors, held against that of earlier versions."""

from __future__ import annotations

import hashlib

from torch import Tensor


def digest(tensors: list[Tensor]) -> str:
    found = hashlib.sha256()
    for each in tensors:
        found.update(f"{each.dtype}{tuple(each.shape)}".encode())
        found.update(each.contiguous().numpy().tobytes())
    return found.hexdigest()[:16]
