"""How much data a block holds at once on a device."""

from __future__ import annotations

import torch

CHUNK_BYTES = 16 * 2**20
"""Training data drawn at once: enough to spread the cost of a call, not to leave the cache."""
LONGEST_CHUNK = 64
SHARE_DRAWN = 256
"""On a GPU this part of its memory: what a call costs there is launching kernels."""
CACHE_BYTES = 512 * 2**20
"""Test sets up to this size, all together, are kept; larger ones are drawn again each time."""
SHARE_KEPT = 8
"""On a GPU this part of its memory, if that is more."""


def steps_at_once(one_step: int, device: torch.device) -> int:
    """Steps whose training data are drawn at once; one_step: bytes of a step's."""
    room = max(_part_of(device, SHARE_DRAWN), CHUNK_BYTES)
    return min(max(room // max(one_step, 1), 1), LONGEST_CHUNK)


def kept_bytes(device: torch.device) -> int:
    """Largest size of the test sets that are kept."""
    return max(_part_of(device, SHARE_KEPT), CACHE_BYTES)


def _part_of(device: torch.device, share: int) -> int:
    if device.type != "cuda":
        return 0
    return int(torch.cuda.get_device_properties(device).total_memory) // share
