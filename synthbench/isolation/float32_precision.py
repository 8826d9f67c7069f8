"""How torch rounds the products of float32 numbers, at its defaults for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch

DEFAULTS = {
    # What the others inherit comes first: where it says nothing, they show their own.
    ("generic", "all"): ("none",),
    ("cuda", "all"): ("none",),
    ("mkldnn", "all"): ("none",),
    ("cuda", "matmul"): ("none", "ieee"),
    ("cuda", "conv"): ("tf32",),
    ("cuda", "rnn"): ("tf32",),
    ("mkldnn", "matmul"): ("none", "ieee"),
    ("mkldnn", "conv"): ("none", "ieee"),
    ("mkldnn", "rnn"): ("none", "ieee"),
}
"""(backend, operation) -> values that mean torch's default: `torch.backends.*.fp32_precision`."""


@contextmanager
def default_float32_precision() -> Iterator[None]:
    """Full float32 in matrix products; restored afterwards, by whichever switch it was changed."""
    with ExitStack() as stack:
        older = _older_switch()
        if older not in (None, "highest"):
            stack.callback(torch.set_float32_matmul_precision, older)
            torch.set_float32_matmul_precision("highest")
        for switch, values in DEFAULTS.items():
            found = torch._C._get_fp32_precision_getter(*switch)
            # One that is at its default stays untouched: torch keeps apart what was never set.
            if found not in values:
                stack.callback(torch._C._set_fp32_precision_setter, *switch, found)
                torch._C._set_fp32_precision_setter(*switch, values[0])
        yield


def _older_switch() -> str | None:
    """`torch.get_float32_matmul_precision`, or None where the newer switches disagree with it."""
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:
        return None
